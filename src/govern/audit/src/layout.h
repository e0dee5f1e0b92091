#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "heng/tlog/note.h"
#include "heng/tlog/tile.h"

namespace heng::audit {

// Files of a ledger, beside those of tlog-tiles: `checkpoint`, `tile/…` and
//   content/<N>   the encrypted contents of bundle N, one after another; offsets follow from the entries' sizes
//   lock          taken by whoever appends
//   vkey          the log's public key
std::string content_path(std::uint64_t bundle);

/// Reads tiles and bundles of a tree; a partial one that was already replaced by its full one is cut out of that.
class LedgerFiles : public tlog::TileReader {
 public:
  explicit LedgerFiles(std::filesystem::path folder) : folder_(std::move(folder)) {}
  Result<std::string> tile(int level, std::uint64_t index, unsigned width) override;
  /// Exactly `width` entries, in bundle format.
  Result<std::string> bundle(std::uint64_t index, unsigned width);
  Result<std::string> checkpoint() const;
  /// Bytes [offset, offset + size) of a content file. Errors: not_found, corrupt (too short).
  Result<std::string> content(std::uint64_t bundle, std::uint64_t offset, std::uint64_t size) const;
  const std::filesystem::path& folder() const { return folder_; }

 private:
  std::filesystem::path folder_;
};

/// The encryption's context: binds contents to what the entry says about them.
std::string content_context(std::uint8_t kind, std::uint32_t key_id, std::int64_t time_ms, std::uint64_t opened);

}  // namespace heng::audit
