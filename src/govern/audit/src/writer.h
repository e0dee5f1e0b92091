#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "heng/audit/entry.h"
#include "heng/audit/syscalls.h"
#include "layout.h"

namespace heng::audit {

/// Puts groups of entries on disk, each group whole or not at all. The rename of `checkpoint` is the one commit point:
/// everything it speaks of is fsynced before; anything beyond it is a torn group and is written over by the next.
/// Threads: one. Processes: each append takes the folder's lock and reads the tail anew where another has appended.
class LedgerWriter {
 public:
  struct Item {
    std::string entry;
    std::string content;
  };

  LedgerWriter(std::filesystem::path folder, tlog::NoteSigner signer, Syscalls& calls);
  /// Makes the folder and the first checkpoint where they are absent; else reads and checks the tail.
  /// Errors: corrupt (names the record), permission_denied (another key's log), storage_full.
  ~LedgerWriter() { close_all(); }
  LedgerWriter(const LedgerWriter&) = delete;
  LedgerWriter& operator=(const LedgerWriter&) = delete;
  Result<void> open();
  /// Returns the index of the first item. On an error nothing was acknowledged and the next append starts afresh.
  Result<std::uint64_t> append(const std::vector<Item>& items);
  std::uint64_t size() const { return tail_.size; }

 private:
  // The right edge of the tree: all a writer needs to go on.
  struct Tail {
    std::uint64_t size = 0;
    std::vector<std::string> tiles;  // per level: the hashes of its rightmost, not full tile
    std::string bundle;              // the entries of the rightmost, not full bundle
    std::uint64_t content_size = 0;  // of the rightmost, not full bundle
    tlog::Hash root() const;
  };

  Result<void> reload();
  Result<void> check_tail(const Tail& tail, const tlog::Checkpoint& checkpoint);
  Result<void> write_group(Tail& tail, const std::vector<Item>& items);
  Result<void> write_bundle(Tail& tail, std::uint64_t index, std::uint64_t content_from, std::string_view contents);
  Result<void> write_tiles(Tail& tail, std::uint64_t old_size);
  void add_leaf(Tail& tail, const tlog::Hash& leaf);
  Result<void> commit(const Tail& tail);
  void remove_partials(std::uint64_t old_size, std::uint64_t new_size);
  void remove_partial_folder(const std::string& relative);

  Result<void> write_file(const std::string& relative, std::string_view bytes, std::uint64_t offset, bool truncate);
  Result<void> make_parents(const std::string& relative);
  Result<void> sync();
  void close_all();
  Error failed(std::string_view what, const std::filesystem::path& path) const;

  std::filesystem::path folder_;
  tlog::NoteSigner signer_;
  Syscalls& calls_;
  LedgerFiles files_;
  Tail tail_;
  std::string checkpoint_text_;              // what `checkpoint` held when tail_ was right; empty: unknown
  std::set<std::filesystem::path> unsynced_; // folders with new names
  std::vector<int> written_;                 // open descriptors of files with new bytes
  std::set<std::string> known_folders_;
  struct FullTile {
    int level;
    std::uint64_t index;
    std::string bytes;
  };
  std::vector<FullTile> full_tiles_;         // filled by the group being written
};

}  // namespace heng::audit
