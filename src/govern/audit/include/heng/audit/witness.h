#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "heng/base/clock.h"
#include "heng/base/result.h"
#include "heng/tlog/witness.h"

namespace heng::audit {

struct WitnessReport {
  std::uint64_t seen_size = 0;            ///< Of the checkpoint cosigned before; 0: none.
  std::uint64_t size = 0;
  std::string note;                       ///< The checkpoint with the witness's line.
  std::filesystem::path exported;         ///< The file in the write-once folder.
};

/// Looks at a ledger as a stranger: needs the log's public key and the folder (or a copy, or a read-only mount of it), no master
/// key. Checks that the present checkpoint is signed by the log and extends the one in `state`, cosigns it, writes it to
/// `worm`/checkpoint-<size>.note (mode 0444, never over an existing file) and then remembers it in `state`.
/// Errors: corrupt (wrong signature; a ledger that was cut, forked or rewritten: nothing is cosigned), already_exists (another note of
/// this size in the write-once folder).
Result<WitnessReport> witness(const std::filesystem::path& ledger, const tlog::VerifierKey& log, const tlog::WitnessSigner& signer,
                              const std::filesystem::path& state, const std::filesystem::path& worm, const Clock& clock = system_clock());

}  // namespace heng::audit
