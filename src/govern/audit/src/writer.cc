#include "writer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>

#include "heng/store/files.h"

namespace heng::audit {

namespace fs = std::filesystem;
using tlog::Hash;
using tlog::tile_width;

namespace {

std::string_view view(const Hash& hash) { return {reinterpret_cast<const char*>(hash.data()), hash.size()}; }

}  // namespace

LedgerWriter::LedgerWriter(fs::path folder, tlog::NoteSigner signer, Syscalls& calls)
    : folder_(std::move(folder)), signer_(std::move(signer)), calls_(calls), files_(folder_) {}

Error LedgerWriter::failed(std::string_view what, const fs::path& path) const { return store::file_error(errno, what, path); }

// The root from the right edge: at each level fold the not full tile's hashes together with what is to their right.
Hash LedgerWriter::Tail::root() const {
  if (size == 0) return tlog::empty_root();
  bool have_right = false;
  Hash right{};
  for (const std::string& tile : tiles) {
    std::size_t count = tile.size() / sizeof(Hash);
    // complete subtrees of this tile from the smallest (rightmost) to the largest
    while (count > 0) {
      const std::size_t width = count & (~count + 1);
      std::vector<Hash> hashes;
      for (std::size_t i = count - width; i < count; ++i) hashes.push_back(tlog::hash_at(tile, i));
      const Hash left = tlog::fold(std::move(hashes));
      right = have_right ? tlog::node_hash(left, right) : left;
      have_right = true;
      count -= width;
    }
  }
  return right;
}

Result<void> LedgerWriter::open() {
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error) return store::file_error(error.value(), "cannot make the folder", folder_);
  auto lock = HENG_TRY(store::FileLock::take(folder_ / "lock"));
  if (!fs::exists(folder_ / "checkpoint", error)) {
    if (fs::exists(folder_ / "tile" / "0", error) && fs::exists(folder_ / "vkey", error)) {
      return Error(ErrorCode::corrupt, fmt::format("{}: the checkpoint is gone; restore the ledger from a backup", folder_.string()));
    }
    tail_ = {};
    HENG_TRY(commit(tail_));
  }
  HENG_TRY(reload());
  if (fs::exists(folder_ / "vkey", error)) return {};
  // written after the first checkpoint: where it stands, a checkpoint must stand too
  HENG_TRY(write_file("vkey", signer_.verifier().text() + "\n", 0, true));
  return sync();
}

Result<void> LedgerWriter::reload() {
  checkpoint_text_.clear();
  std::string text = HENG_TRY(files_.checkpoint());
  auto checkpoint = tlog::open_checkpoint(text, signer_.verifier());
  if (!checkpoint.ok()) {
    return Error(ErrorCode::corrupt, fmt::format("{}: the checkpoint is damaged or of another log ({})", folder_.string(), checkpoint.error().message));
  }
  Tail tail;
  tail.size = checkpoint->size;
  for (int level = 0; level < 8 && (tail.size >> (tlog::tile_height * level)) > 0; ++level) {
    const std::uint64_t hashes = tail.size >> (tlog::tile_height * level);
    const auto width = static_cast<unsigned>(hashes % tile_width);
    std::string bytes;
    if (width > 0) bytes = HENG_TRY(files_.tile(level, hashes / tile_width, width));
    if (bytes.size() != width * sizeof(Hash)) {
      return Error(ErrorCode::corrupt, fmt::format("{}: {} is damaged", folder_.string(), tlog::tile_path(level, hashes / tile_width, width)));
    }
    tail.tiles.push_back(std::move(bytes));
  }
  if (tail.root() != checkpoint->root) {
    return Error(ErrorCode::corrupt, fmt::format("{}: the tiles do not give the checkpoint's root; restore the ledger from a backup", folder_.string()));
  }
  const auto width = static_cast<unsigned>(tail.size % tile_width);
  if (width > 0) tail.bundle = HENG_TRY(files_.bundle(tail.size / tile_width, width));
  HENG_TRY(check_tail(tail, *checkpoint));
  const auto entries = HENG_TRY(tlog::parse_bundle(tail.bundle, width));
  for (const auto bytes : entries) tail.content_size += HENG_TRY(Entry::decode(bytes)).content_size;
  // a torn group may have left more bytes, never fewer
  std::error_code error;
  const auto on_disk = tail.content_size == 0 ? 0 : fs::file_size(folder_ / content_path(tail.size / tile_width), error);
  if (error || on_disk < tail.content_size) {
    return Error(ErrorCode::corrupt, fmt::format("{}: contents of record {} are missing", folder_.string(), tail.size - 1));
  }
  tail_ = std::move(tail);
  checkpoint_text_ = std::move(text);
  return {};
}

Result<void> LedgerWriter::check_tail(const Tail& tail, const tlog::Checkpoint& checkpoint) {
  const auto width = static_cast<unsigned>(checkpoint.size % tile_width);
  const std::uint64_t first = checkpoint.size - width;
  auto entries = tlog::parse_bundle(tail.bundle, width);
  if (!entries.ok()) return Error(ErrorCode::corrupt, fmt::format("{}: records from {} are damaged ({})", folder_.string(), first, entries.error().message));
  for (unsigned i = 0; i < width; ++i) {
    if (tlog::leaf_hash((*entries)[i]) != tlog::hash_at(tail.tiles[0], i)) {
      return Error(ErrorCode::corrupt, fmt::format("{}: record {} is damaged", folder_.string(), first + i));
    }
  }
  return {};
}

void LedgerWriter::add_leaf(Tail& tail, const Hash& leaf) {
  Hash hash = leaf;
  for (std::size_t level = 0;; ++level) {
    if (tail.tiles.size() == level) tail.tiles.emplace_back();
    std::string& tile = tail.tiles[level];
    tile.append(view(hash));
    if (tile.size() < tile_width * sizeof(Hash)) break;
    std::vector<Hash> hashes;
    for (std::size_t i = 0; i < tile_width; ++i) hashes.push_back(tlog::hash_at(tile, i));
    hash = tlog::fold(std::move(hashes));
    const std::uint64_t index = (tail.size >> (tlog::tile_height * static_cast<int>(level))) / tile_width;
    full_tiles_.push_back({static_cast<int>(level), index, std::move(tile)});
    tile.clear();
  }
  ++tail.size;
}

Result<std::uint64_t> LedgerWriter::append(const std::vector<Item>& items) {
  auto lock = HENG_TRY(store::FileLock::take(folder_ / "lock"));
  const std::string text = HENG_TRY(files_.checkpoint());
  if (text != checkpoint_text_) HENG_TRY(reload());
  const std::uint64_t first = tail_.size;
  Tail tail = tail_;
  auto written = write_group(tail, items);
  if (!written.ok()) {
    checkpoint_text_.clear();  // what stands on disk is not known: the next append reads it
    known_folders_.clear();
    return std::move(written).error();
  }
  tail_ = std::move(tail);
  remove_partials(first, tail_.size);
  return first;
}

Result<void> LedgerWriter::write_group(Tail& tail, const std::vector<Item>& items) {
  full_tiles_.clear();
  unsynced_.clear();
  close_all();
  const std::uint64_t old_size = tail.size;
  std::string contents;
  std::uint64_t content_from = tail.content_size;
  for (const Item& item : items) {
    HENG_TRY(tlog::append_entry(tail.bundle, item.entry));
    contents += item.content;
    const std::uint64_t bundle = tail.size / tile_width;
    add_leaf(tail, tlog::leaf_hash(item.entry));
    if (tail.size % tile_width == 0) {
      HENG_TRY(write_bundle(tail, bundle, content_from, contents));
      contents.clear();
      content_from = 0;
      tail.bundle.clear();
      tail.content_size = 0;
    }
  }
  if (tail.size % tile_width != 0) HENG_TRY(write_bundle(tail, tail.size / tile_width, content_from, contents));
  HENG_TRY(write_tiles(tail, old_size));
  return commit(tail);
}

Result<void> LedgerWriter::write_bundle(Tail& tail, std::uint64_t index, std::uint64_t content_from, std::string_view contents) {
  HENG_TRY(write_file(content_path(index), contents, content_from, false));
  tail.content_size = content_from + contents.size();
  return write_file(tlog::entries_path(index, static_cast<unsigned>(tail.size % tile_width)), tail.bundle, 0, true);
}

Result<void> LedgerWriter::write_tiles(Tail& tail, std::uint64_t old_size) {
  for (const FullTile& full : full_tiles_) HENG_TRY(write_file(tlog::tile_path(full.level, full.index), full.bytes, 0, true));
  for (std::size_t level = 0; level < tail.tiles.size(); ++level) {
    const int shift = tlog::tile_height * static_cast<int>(level);
    const std::uint64_t hashes = tail.size >> shift;
    if (hashes == old_size >> shift || hashes % tile_width == 0) continue;
    HENG_TRY(write_file(tlog::tile_path(static_cast<int>(level), hashes / tile_width, static_cast<unsigned>(hashes % tile_width)), tail.tiles[level], 0, true));
  }
  return {};
}

Result<void> LedgerWriter::commit(const Tail& tail) {
  const tlog::Checkpoint checkpoint{.origin = signer_.verifier().name, .size = tail.size, .root = tail.root()};
  const std::string text = signer_.sign(checkpoint.text());
  HENG_TRY(write_file("checkpoint.new", text, 0, true));
  // everything is durable before the rename, in no particular order
  HENG_TRY(sync());
  const fs::path from = folder_ / "checkpoint.new", to = folder_ / "checkpoint";
  if (calls_.rename(from.c_str(), to.c_str()) != 0) return failed("cannot replace", to);
  unsynced_.insert(folder_);
  HENG_TRY(sync());
  checkpoint_text_ = text;
  return {};
}

// Partial tiles and bundles go once the full one stands (allowed by tlog-tiles); losing this is harmless.
void LedgerWriter::remove_partials(std::uint64_t old_size, std::uint64_t new_size) {
  for (int level = 0; level < 8; ++level) {
    const std::uint64_t old_tile = (old_size >> (tlog::tile_height * level)) / tile_width;
    const std::uint64_t new_tile = (new_size >> (tlog::tile_height * level)) / tile_width;
    if (old_tile == new_tile) return;
    if (level == 0) remove_partial_folder(tlog::entries_path(old_tile) + ".p");
    remove_partial_folder(tlog::tile_path(level, old_tile) + ".p");
  }
}

void LedgerWriter::remove_partial_folder(const std::string& relative) {
  const fs::path path = folder_ / relative;
  std::error_code error;
  std::vector<fs::path> names;
  for (auto it = fs::directory_iterator(path, error); !error && it != fs::directory_iterator(); it.increment(error)) names.push_back(it->path());
  for (const fs::path& name : names) calls_.unlink(name.c_str());
  calls_.rmdir(path.c_str());
  known_folders_.erase(relative);
}

Result<void> LedgerWriter::make_parents(const std::string& relative) {
  for (std::size_t slash = relative.find('/'); slash != std::string::npos; slash = relative.find('/', slash + 1)) {
    const std::string parent = relative.substr(0, slash);
    if (known_folders_.contains(parent)) continue;
    const fs::path path = folder_ / parent;
    if (calls_.mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return failed("cannot make the folder", path);
    // an existing folder may be of a torn group whose name never reached the disk
    unsynced_.insert(path.parent_path());
    known_folders_.insert(parent);
  }
  return {};
}

Result<void> LedgerWriter::write_file(const std::string& relative, std::string_view bytes, std::uint64_t offset, bool truncate) {
  HENG_TRY(make_parents(relative));
  const fs::path path = folder_ / relative;
  const int descriptor = calls_.open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | (truncate ? O_TRUNC : 0), 0600);
  if (descriptor < 0) return failed("cannot open", path);
  Result<void> result;
  std::uint64_t at = offset;
  while (result.ok() && !bytes.empty()) {
    const ssize_t written = calls_.pwrite(descriptor, bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      if (written == 0) errno = ENOSPC;
      result = failed("cannot write", path);
      break;
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
    at += static_cast<std::uint64_t>(written);
  }
  // bytes beyond are of a torn group
  if (result.ok() && !truncate && calls_.ftruncate(descriptor, static_cast<off_t>(at)) != 0) result = failed("cannot cut", path);
  written_.push_back(descriptor);  // synced and closed with the rest of the group
  // a file that grows has its name on disk already, unless this group made it
  if (truncate || offset == 0) unsynced_.insert(path.parent_path());
  return result;
}

void LedgerWriter::close_all() {
  for (const int descriptor : written_) calls_.close(descriptor);
  written_.clear();
}

Result<void> LedgerWriter::sync() {
  for (const fs::path& path : unsynced_) {
    const int descriptor = calls_.open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (descriptor < 0) return failed("cannot open", path);
    written_.push_back(descriptor);
  }
  unsynced_.clear();
  Result<void> result;
  if (calls_.fsync_all(written_) != 0) result = failed("cannot sync", folder_);
  close_all();
  return result;
}

}  // namespace heng::audit
