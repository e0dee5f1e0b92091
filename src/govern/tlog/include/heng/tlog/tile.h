#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "heng/tlog/merkle.h"

namespace heng::tlog {

inline constexpr int tile_height = 8;
inline constexpr std::uint64_t tile_width = 256;
inline constexpr std::size_t entry_limit_bytes = 65'535;

/// "x001/x234/067" for 1234067 (C2SP tlog-tiles).
std::string index_path(std::uint64_t index);
/// "tile/0/x001/067" or, with 0 < width < 256, "tile/0/x001/067.p/12".
std::string tile_path(int level, std::uint64_t index, unsigned width = 0);
/// "tile/entries/067" or "tile/entries/067.p/12".
std::string entries_path(std::uint64_t index, unsigned width = 0);

/// Hashes of the tile (level, index) in a tree of `size` leaves: 0 (absent) … 256 (full).
unsigned width_in(int level, std::uint64_t index, std::uint64_t size);

/// Appends a length-prefixed entry to a bundle. Errors: too_large.
Result<void> append_entry(std::string& bundle, std::string_view entry);
/// The entries of a bundle, exactly `count`, as views into it. Errors: corrupt (names the position).
Result<std::vector<std::string_view>> parse_bundle(std::string_view bundle, unsigned count);

/// Gives the bytes of tiles: exactly width · 32 bytes. Errors: not_found, corrupt.
class TileReader {
 public:
  virtual ~TileReader() = default;
  virtual Result<std::string> tile(int level, std::uint64_t index, unsigned width) = 0;
};

/// Reads subtree hashes out of the tiles of a tree of `size` leaves. Keeps the tiles it has read; for one proof or one
/// root at a time. Threads: one.
class TileHashReader : public HashReader {
 public:
  TileHashReader(TileReader& tiles, std::uint64_t size) : tiles_(tiles), size_(size) {}
  Result<Hash> subtree(int height, std::uint64_t index) override;

 private:
  TileReader& tiles_;
  std::uint64_t size_;
  struct Kept {
    int level;
    std::uint64_t index;
    std::string bytes;
  };
  std::vector<Kept> kept_;
};

/// Root of 2^k consecutive hashes.
Hash fold(std::vector<Hash> hashes);
Hash hash_at(std::string_view tile, std::size_t position);

}  // namespace heng::tlog
