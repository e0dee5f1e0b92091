#include <fmt/format.h>

#include "heng/audit/ledger.h"
#include "heng/store/files.h"
#include "layout.h"

namespace heng::audit {

namespace fs = std::filesystem;

namespace {

Result<void> put(const fs::path& path, std::string_view bytes) {
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  if (error) return store::file_error(error.value(), "cannot make the folder", path.parent_path());
  return store::write_file_durably(path, bytes);
}

// Everything the checkpoint speaks of, and nothing later; the checkpoint last.
Result<void> copy_ledger(const fs::path& from, const fs::path& to) {
  LedgerFiles files(from);
  const std::string note_text = HENG_TRY(files.checkpoint());
  const auto note = HENG_TRY(tlog::parse_note(note_text));
  const auto checkpoint = HENG_TRY(tlog::Checkpoint::parse(note.text));
  for (int level = 0; level < 8; ++level) {
    for (std::uint64_t index = 0;; ++index) {
      const unsigned width = tlog::width_in(level, index, checkpoint.size);
      if (width == 0) break;
      const std::string bytes = HENG_TRY(files.tile(level, index, width));
      HENG_TRY(put(to / tlog::tile_path(level, index, width), bytes));
    }
  }
  for (std::uint64_t bundle = 0;; ++bundle) {
    const unsigned width = tlog::width_in(0, bundle, checkpoint.size);
    if (width == 0) break;
    const std::string bytes = HENG_TRY(files.bundle(bundle, width));
    std::uint64_t content_size = 0;
    for (const auto entry : HENG_TRY(tlog::parse_bundle(bytes, width))) content_size += HENG_TRY(Entry::decode(entry)).content_size;
    HENG_TRY(put(to / tlog::entries_path(bundle, width), bytes));
    const std::string content = HENG_TRY(files.content(bundle, 0, content_size));
    HENG_TRY(put(to / content_path(bundle), content));
  }
  const std::string verifier_key = HENG_TRY(store::read_whole_file(from / "vkey", 4096));
  HENG_TRY(put(to / "vkey", verifier_key));
  return put(to / "checkpoint", note_text);
}

}  // namespace

store::BackupPart ledger_part(std::string name, fs::path folder) {
  return {std::move(name), [folder = std::move(folder)](const fs::path& target) { return copy_ledger(folder, target); }};
}

}  // namespace heng::audit
