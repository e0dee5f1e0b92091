#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "heng/base/hash.h"
#include "heng/base/result.h"

namespace heng::tlog {

using Hash = Sha256;

/// SHA-256(0x00 ‖ entry) (RFC 9162, 2.1.1).
Hash leaf_hash(std::string_view entry);
/// SHA-256(0x01 ‖ left ‖ right).
Hash node_hash(const Hash& left, const Hash& right);
/// The root of a tree without leaves: SHA-256 of nothing.
Hash empty_root();

/// Gives the hashes of complete subtrees.
class HashReader {
 public:
  virtual ~HashReader() = default;
  /// Root of the complete subtree of 2^height leaves that begins at leaf index · 2^height.
  virtual Result<Hash> subtree(int height, std::uint64_t index) = 0;
};

/// Root over leaves [begin, end); begin must be a multiple of the largest power of two below the width.
Result<Hash> range_root(HashReader& reader, std::uint64_t begin, std::uint64_t end);
/// Root of the tree's first `size` leaves.
Result<Hash> tree_root(HashReader& reader, std::uint64_t size);

/// RFC 9162, 2.1.3.1. Errors: invalid_argument (index ≥ size).
Result<std::vector<Hash>> inclusion_proof(HashReader& reader, std::uint64_t index, std::uint64_t size);
/// RFC 9162, 2.1.4.1. Errors: invalid_argument (first > second). Empty for first = 0 or first = second.
Result<std::vector<Hash>> consistency_proof(HashReader& reader, std::uint64_t first, std::uint64_t second);

/// RFC 9162, 2.1.3.2. Errors: corrupt.
Result<void> verify_inclusion(const Hash& leaf, std::uint64_t index, std::uint64_t size, const std::vector<Hash>& proof, const Hash& root);
/// RFC 9162, 2.1.4.2. Errors: corrupt.
Result<void> verify_consistency(std::uint64_t first, std::uint64_t second, const Hash& first_root, const Hash& second_root, const std::vector<Hash>& proof);

}  // namespace heng::tlog
