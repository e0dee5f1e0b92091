#include "heng/tlog/merkle.h"

#include <gtest/gtest.h>

#include <bit>
#include <string>

namespace heng::tlog {
namespace {

std::string bytes_of(std::string_view hex) { return *from_hex(hex); }

// The eight leaves and the roots published with Certificate Transparency's reference implementation (RFC 6962 tree).
const std::vector<std::string> leaves = {
    bytes_of(""), bytes_of("00"), bytes_of("10"), bytes_of("2021"), bytes_of("3031"), bytes_of("40414243"),
    bytes_of("5051525354555657"), bytes_of("606162636465666768696a6b6c6d6e6f")};
const std::vector<std::string> roots = {
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c", "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};

class Leaves : public HashReader {
 public:
  explicit Leaves(std::vector<Hash> hashes) : hashes_(std::move(hashes)) {}
  Result<Hash> subtree(int height, std::uint64_t index) override {
    if (height == 0) return hashes_.at(index);
    return node_hash(*subtree(height - 1, 2 * index), *subtree(height - 1, 2 * index + 1));
  }

 private:
  std::vector<Hash> hashes_;
};

std::vector<Hash> hashes_of(std::size_t count) {
  std::vector<Hash> hashes;
  for (std::size_t i = 0; i < count; ++i) hashes.push_back(leaf_hash(i < leaves.size() ? leaves[i] : "leaf " + std::to_string(i)));
  return hashes;
}

TEST(Merkle, PublishedRoots) {
  EXPECT_EQ(to_hex(empty_root()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  Leaves reader(hashes_of(8));
  for (std::size_t size = 1; size <= 8; ++size) EXPECT_EQ(to_hex(*tree_root(reader, size)), roots[size - 1]) << size;
}

TEST(Merkle, PublishedProofs) {
  Leaves reader(hashes_of(8));
  const auto hex = [](const std::vector<Hash>& proof) {
    std::vector<std::string> out;
    for (const Hash& hash : proof) out.push_back(to_hex(hash));
    return out;
  };
  EXPECT_EQ(hex(*inclusion_proof(reader, 0, 8)),
            (std::vector<std::string>{"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                                      "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                                      "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"}));
  EXPECT_EQ(hex(*inclusion_proof(reader, 5, 8)),
            (std::vector<std::string>{"bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                                      "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                                      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"}));
  EXPECT_EQ(hex(*consistency_proof(reader, 6, 8)),
            (std::vector<std::string>{"0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                                      "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                                      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"}));
  EXPECT_TRUE(inclusion_proof(reader, 0, 1)->empty());
  EXPECT_EQ(inclusion_proof(reader, 8, 8).error().code, ErrorCode::invalid_argument);
}

TEST(Merkle, EveryInclusionProofVerifiesAndNoWrongOneDoes) {
  Leaves reader(hashes_of(40));
  const auto hashes = hashes_of(40);
  for (std::uint64_t size = 1; size <= 40; ++size) {
    const Hash root = *tree_root(reader, size);
    for (std::uint64_t index = 0; index < size; ++index) {
      auto proof = *inclusion_proof(reader, index, size);
      ASSERT_TRUE(verify_inclusion(hashes[index], index, size, proof, root).ok()) << index << "/" << size;
      EXPECT_FALSE(verify_inclusion(hashes[(index + 1) % 40], index, size, proof, root).ok());
      // in a tree of a power of two another index leads another way; elsewhere too, unless it is past the end
      if (index + 1 < size) {
        EXPECT_FALSE(verify_inclusion(hashes[index], index + 1, size, proof, root).ok());
      }
      if (!proof.empty()) {
        auto changed = proof;
        changed[0][3] ^= 1;
        EXPECT_FALSE(verify_inclusion(hashes[index], index, size, changed, root).ok());
        changed = proof;
        changed.pop_back();
        EXPECT_FALSE(verify_inclusion(hashes[index], index, size, changed, root).ok());
      }
      proof.push_back(root);
      EXPECT_FALSE(verify_inclusion(hashes[index], index, size, proof, root).ok());
    }
  }
}

TEST(Merkle, EveryConsistencyProofVerifiesAndNoWrongOneDoes) {
  Leaves reader(hashes_of(40));
  for (std::uint64_t second = 0; second <= 40; ++second) {
    for (std::uint64_t first = 0; first <= second; ++first) {
      const Hash first_root = *tree_root(reader, first), second_root = *tree_root(reader, second);
      auto proof = *consistency_proof(reader, first, second);
      ASSERT_TRUE(verify_consistency(first, second, first_root, second_root, proof).ok()) << first << " " << second;
      Hash other = first_root;
      other[0] ^= 1;
      EXPECT_FALSE(verify_consistency(first, second, other, second_root, proof).ok()) << first << " " << second;
      if (!proof.empty()) {
        proof.back()[5] ^= 1;
        EXPECT_FALSE(verify_consistency(first, second, first_root, second_root, proof).ok());
      }
      proof.push_back(first_root);
      EXPECT_FALSE(verify_consistency(first, second, first_root, second_root, proof).ok());
    }
  }
}

}  // namespace
}  // namespace heng::tlog
