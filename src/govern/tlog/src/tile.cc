#include "heng/tlog/tile.h"

#include <fmt/format.h>

#include <algorithm>

namespace heng::tlog {

std::string index_path(std::uint64_t index) {
  std::string path = fmt::format("{:03}", index % 1000);
  for (index /= 1000; index > 0; index /= 1000) path = fmt::format("x{:03}/{}", index % 1000, path);
  return path;
}

namespace {
std::string suffix(unsigned width) { return width == 0 || width == tile_width ? "" : fmt::format(".p/{}", width); }
}  // namespace

std::string tile_path(int level, std::uint64_t index, unsigned width) { return fmt::format("tile/{}/{}{}", level, index_path(index), suffix(width)); }
std::string entries_path(std::uint64_t index, unsigned width) { return fmt::format("tile/entries/{}{}", index_path(index), suffix(width)); }

unsigned width_in(int level, std::uint64_t index, std::uint64_t size) {
  const int shift = tile_height * level;
  const std::uint64_t hashes = shift >= 64 ? 0 : size >> shift;
  const std::uint64_t begin = index * tile_width;
  if (hashes <= begin) return 0;
  return static_cast<unsigned>(std::min<std::uint64_t>(tile_width, hashes - begin));
}

Result<void> append_entry(std::string& bundle, std::string_view entry) {
  if (entry.size() > entry_limit_bytes) return Error(ErrorCode::too_large, fmt::format("an entry of {} bytes, at most {} fit", entry.size(), entry_limit_bytes));
  bundle.push_back(static_cast<char>(entry.size() >> 8));
  bundle.push_back(static_cast<char>(entry.size() & 0xff));
  bundle.append(entry);
  return {};
}

Result<std::vector<std::string_view>> parse_bundle(std::string_view bundle, unsigned count) {
  std::vector<std::string_view> entries;
  for (unsigned i = 0; i < count; ++i) {
    if (bundle.size() < 2) return Error(ErrorCode::corrupt, fmt::format("the entry bundle ends before entry {} of {}", i, count));
    const std::size_t size = static_cast<std::size_t>(static_cast<unsigned char>(bundle[0])) << 8 | static_cast<unsigned char>(bundle[1]);
    if (bundle.size() - 2 < size) return Error(ErrorCode::corrupt, fmt::format("the entry bundle ends inside entry {} of {}", i, count));
    entries.push_back(bundle.substr(2, size));
    bundle.remove_prefix(2 + size);
  }
  if (!bundle.empty()) return Error(ErrorCode::corrupt, fmt::format("the entry bundle has {} bytes after its {} entries", bundle.size(), count));
  return entries;
}

Hash hash_at(std::string_view tile, std::size_t position) {
  Hash hash;
  std::copy_n(tile.data() + position * hash.size(), hash.size(), reinterpret_cast<char*>(hash.data()));
  return hash;
}

Hash fold(std::vector<Hash> hashes) {
  while (hashes.size() > 1) {
    for (std::size_t i = 0; i < hashes.size() / 2; ++i) hashes[i] = node_hash(hashes[2 * i], hashes[2 * i + 1]);
    hashes.resize(hashes.size() / 2);
  }
  return hashes[0];
}

Result<Hash> TileHashReader::subtree(int height, std::uint64_t index) {
  const int level = height / tile_height;
  const int inner = height % tile_height;
  const std::uint64_t first = index << inner;
  const std::uint64_t tile = first / tile_width;
  auto found = std::find_if(kept_.begin(), kept_.end(), [&](const Kept& kept) { return kept.level == level && kept.index == tile; });
  if (found == kept_.end()) {
    const unsigned width = width_in(level, tile, size_);
    std::string bytes = HENG_TRY(tiles_.tile(level, tile, width));
    if (bytes.size() != width * sizeof(Hash)) {
      return Error(ErrorCode::corrupt, fmt::format("{}: {} bytes, not {}", tile_path(level, tile, width), bytes.size(), width * sizeof(Hash)));
    }
    kept_.push_back({level, tile, std::move(bytes)});
    found = kept_.end() - 1;
  }
  const std::size_t position = first % tile_width;
  const std::size_t count = std::size_t{1} << inner;
  if ((position + count) * sizeof(Hash) > found->bytes.size()) {
    return Error(ErrorCode::corrupt, fmt::format("{} is too short for the tree of {}", tile_path(level, tile), size_));
  }
  std::vector<Hash> hashes;
  for (std::size_t i = 0; i < count; ++i) hashes.push_back(hash_at(found->bytes, position + i));
  return fold(std::move(hashes));
}

}  // namespace heng::tlog
