#include "heng/audit/witness.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "heng/store/files.h"
#include "layout.h"

namespace heng::audit {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t note_limit = 1'000'000;

/// Made once and never written again. What is there already must be a note of the same tree.
Result<void> write_once(const fs::path& path, const std::string& bytes, const tlog::Checkpoint& checkpoint) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
  if (descriptor < 0 && errno == EEXIST) {
    const std::string old = HENG_TRY(store::read_whole_file(path, note_limit));
    const auto note = HENG_TRY(tlog::parse_note(old));
    const auto there = HENG_TRY(tlog::Checkpoint::parse(note.text));
    if (there.root == checkpoint.root && there.origin == checkpoint.origin) return {};
    return Error(ErrorCode::already_exists, fmt::format("{}: holds another checkpoint of this size: the ledger was forked", path.string()));
  }
  if (descriptor < 0) return store::file_error(errno, "cannot make", path);
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t written = ::write(descriptor, bytes.data() + done, bytes.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) break;
    done += static_cast<std::size_t>(written);
  }
  const bool whole = done == bytes.size() && ::fsync(descriptor) == 0;
  const int why = errno;
  ::close(descriptor);
  if (!whole) return store::file_error(why, "cannot write", path);
  return store::sync_folder(path.parent_path());
}

}  // namespace

Result<WitnessReport> witness(const fs::path& ledger, const tlog::VerifierKey& log, const tlog::WitnessSigner& signer, const fs::path& state, const fs::path& worm, const Clock& clock) {
  LedgerFiles files(ledger);
  const std::string text = HENG_TRY(files.checkpoint());
  const auto checkpoint = HENG_TRY(tlog::open_checkpoint(text, log));
  const auto note = HENG_TRY(tlog::parse_note(text));
  WitnessReport out;
  out.size = checkpoint.size;
  tlog::TileHashReader hashes(files, checkpoint.size);
  if (HENG_TRY(tlog::tree_root(hashes, checkpoint.size)) != checkpoint.root) return Error(ErrorCode::corrupt, "the tiles do not give the checkpoint's root; nothing was cosigned");
  std::error_code ignored;
  if (fs::exists(state, ignored)) {
    const std::string before = HENG_TRY(store::read_whole_file(state, note_limit));
    const auto seen = HENG_TRY(tlog::open_checkpoint(before, log));
    out.seen_size = seen.size;
    if (seen.size > checkpoint.size)
      return Error(ErrorCode::corrupt, fmt::format("the ledger has {} records and had {}: it was cut; nothing was cosigned", checkpoint.size, seen.size));
    if (seen.size > 0) {
      const auto proof = HENG_TRY(tlog::consistency_proof(hashes, seen.size, checkpoint.size));
      const auto consistent = tlog::verify_consistency(seen.size, checkpoint.size, seen.root, checkpoint.root, proof);
      if (!consistent.ok()) return Error(ErrorCode::corrupt, fmt::format("the ledger of {} records does not extend the one of {} seen before: it was rewritten; nothing was cosigned", checkpoint.size, seen.size));
    }
  }
  out.note = text + signer.cosign(note.text, static_cast<std::uint64_t>(clock.unix_ms() / 1000));
  fs::create_directories(worm, ignored);
  out.exported = worm / fmt::format("checkpoint-{:012}.note", checkpoint.size);
  HENG_TRY(write_once(out.exported, out.note, checkpoint));
  HENG_TRY(store::write_file_durably(state, text));
  return out;
}

}  // namespace heng::audit
