#include "heng/tlog/tile.h"

#include <gtest/gtest.h>

#include <map>

namespace heng::tlog {
namespace {

// The examples of the tlog-tiles specification.
TEST(Tile, PathsAndWidthsOfTheSpecification) {
  EXPECT_EQ(index_path(1234067), "x001/x234/067");
  EXPECT_EQ(index_path(0), "000");
  EXPECT_EQ(index_path(1000), "x001/000");
  EXPECT_EQ(tile_path(0, 67, 12), "tile/0/067.p/12");
  EXPECT_EQ(tile_path(1, 5, 256), "tile/1/005");
  EXPECT_EQ(entries_path(1067), "tile/entries/x001/067");
  EXPECT_EQ(width_in(0, 272, 70'000), 256U);
  EXPECT_EQ(width_in(0, 273, 70'000), 112U);
  EXPECT_EQ(width_in(0, 274, 70'000), 0U);
  EXPECT_EQ(width_in(1, 0, 70'000), 256U);
  EXPECT_EQ(width_in(1, 1, 70'000), 17U);
  EXPECT_EQ(width_in(2, 0, 70'000), 1U);
  EXPECT_EQ(width_in(3, 0, 70'000), 0U);
  EXPECT_EQ(width_in(1, 0, 256), 1U);
}

TEST(Tile, BundlesRoundTripAndTruncationsAreFound) {
  std::string bundle;
  ASSERT_TRUE(append_entry(bundle, "first").ok());
  ASSERT_TRUE(append_entry(bundle, "").ok());
  ASSERT_TRUE(append_entry(bundle, std::string(65'535, 'x')).ok());
  EXPECT_EQ(append_entry(bundle, std::string(65'536, 'x')).error().code, ErrorCode::too_large);
  auto entries = parse_bundle(bundle, 3);
  ASSERT_TRUE(entries.ok());
  EXPECT_EQ((*entries)[0], "first");
  EXPECT_EQ((*entries)[2].size(), 65'535U);
  EXPECT_FALSE(parse_bundle(bundle, 2).ok());
  EXPECT_FALSE(parse_bundle(bundle, 4).ok());
  for (const std::size_t cut : {std::size_t{1}, std::size_t{5}, std::size_t{8}, bundle.size() - 1}) EXPECT_FALSE(parse_bundle(bundle.substr(0, cut), 3).ok());
}

class Memory : public TileReader {
 public:
  std::map<std::pair<int, std::uint64_t>, std::string> tiles;
  Result<std::string> tile(int level, std::uint64_t index, unsigned width) override { return tiles[{level, index}].substr(0, width * sizeof(Hash)); }
};

class Leaves : public HashReader {
 public:
  std::vector<Hash> hashes;
  Result<Hash> subtree(int height, std::uint64_t index) override {
    return fold({hashes.begin() + static_cast<long>(index << height), hashes.begin() + static_cast<long>((index + 1) << height)});
  }
};

TEST(Tile, TilesGiveTheSameRootsAndProofsAsLeaves) {
  Leaves leaves;
  Memory memory;
  const std::uint64_t count = 70'000;
  for (std::uint64_t i = 0; i < count; ++i) leaves.hashes.push_back(leaf_hash(std::to_string(i)));
  for (int level = 0; level < 3; ++level) {
    for (std::uint64_t i = 0; i < count >> (8 * level); ++i) {
      const Hash hash = *leaves.subtree(8 * level, i);
      memory.tiles[{level, i / 256}].append(reinterpret_cast<const char*>(hash.data()), hash.size());
    }
  }
  for (const std::uint64_t size : {std::uint64_t{1}, std::uint64_t{255}, std::uint64_t{256}, std::uint64_t{257}, std::uint64_t{65'536}, std::uint64_t{65'537}, count}) {
    TileHashReader reader(memory, size);
    EXPECT_EQ(*tree_root(reader, size), *tree_root(leaves, size)) << size;
    EXPECT_EQ(*inclusion_proof(reader, size / 3, size), *inclusion_proof(leaves, size / 3, size)) << size;
    EXPECT_EQ(*consistency_proof(reader, size / 3, size), *consistency_proof(leaves, size / 3, size)) << size;
  }
  memory.tiles[{0, 3}].resize(40);
  TileHashReader reader(memory, 2000);
  EXPECT_EQ(inclusion_proof(reader, 3 * 256 + 7, 2000).error().code, ErrorCode::corrupt);
}

}  // namespace
}  // namespace heng::tlog
