#include "heng/tlog/merkle.h"

#include <fmt/format.h>

#include <bit>
#include <string>

namespace heng::tlog {

namespace {

std::string_view view(const Hash& hash) { return {reinterpret_cast<const char*>(hash.data()), hash.size()}; }

// Largest power of two below n, n > 1.
std::uint64_t split_point(std::uint64_t n) { return std::uint64_t{1} << (63 - std::countl_zero(n - 1)); }

Result<void> collect_inclusion(HashReader& reader, std::uint64_t index, std::uint64_t begin, std::uint64_t end, std::vector<Hash>& proof) {
  if (end - begin <= 1) return {};
  const std::uint64_t middle = begin + split_point(end - begin);
  if (index < middle) {
    HENG_TRY(collect_inclusion(reader, index, begin, middle, proof));
    proof.push_back(HENG_TRY(range_root(reader, middle, end)));
  } else {
    HENG_TRY(collect_inclusion(reader, index, middle, end, proof));
    proof.push_back(HENG_TRY(range_root(reader, begin, middle)));
  }
  return {};
}

// `whole`: [begin, end) is a node of the first tree too, whose root the verifier knows.
Result<void> collect_consistency(HashReader& reader, std::uint64_t first, std::uint64_t begin, std::uint64_t end, bool whole, std::vector<Hash>& proof) {
  if (first == end) {
    if (!whole) proof.push_back(HENG_TRY(range_root(reader, begin, end)));
    return {};
  }
  const std::uint64_t middle = begin + split_point(end - begin);
  if (first <= middle) {
    HENG_TRY(collect_consistency(reader, first, begin, middle, whole, proof));
    proof.push_back(HENG_TRY(range_root(reader, middle, end)));
  } else {
    HENG_TRY(collect_consistency(reader, first, middle, end, false, proof));
    proof.push_back(HENG_TRY(range_root(reader, begin, middle)));
  }
  return {};
}

}  // namespace

Hash leaf_hash(std::string_view entry) {
  Sha256Stream stream;
  stream.update(std::string_view("\0", 1));
  stream.update(entry);
  return stream.finish();
}

Hash node_hash(const Hash& left, const Hash& right) {
  std::string bytes("\x01");
  bytes.append(view(left)).append(view(right));
  return sha256(bytes);
}

Hash empty_root() { return sha256(""); }

Result<Hash> range_root(HashReader& reader, std::uint64_t begin, std::uint64_t end) {
  const std::uint64_t width = end - begin;
  if (std::has_single_bit(width)) {
    const int height = std::countr_zero(width);
    return reader.subtree(height, begin >> height);
  }
  const std::uint64_t middle = begin + split_point(width);
  const Hash left = HENG_TRY(range_root(reader, begin, middle));
  return node_hash(left, HENG_TRY(range_root(reader, middle, end)));
}

Result<Hash> tree_root(HashReader& reader, std::uint64_t size) {
  if (size == 0) return empty_root();
  return range_root(reader, 0, size);
}

Result<std::vector<Hash>> inclusion_proof(HashReader& reader, std::uint64_t index, std::uint64_t size) {
  if (index >= size) return Error(ErrorCode::invalid_argument, fmt::format("no record {} in a tree of {}", index, size));
  std::vector<Hash> proof;
  HENG_TRY(collect_inclusion(reader, index, 0, size, proof));
  return proof;
}

Result<std::vector<Hash>> consistency_proof(HashReader& reader, std::uint64_t first, std::uint64_t second) {
  if (first > second) return Error(ErrorCode::invalid_argument, fmt::format("a tree of {} is not older than one of {}", first, second));
  std::vector<Hash> proof;
  if (first > 0 && first < second) HENG_TRY(collect_consistency(reader, first, 0, second, true, proof));
  return proof;
}

Result<void> verify_inclusion(const Hash& leaf, std::uint64_t index, std::uint64_t size, const std::vector<Hash>& proof, const Hash& root) {
  const Error wrong(ErrorCode::corrupt, fmt::format("the proof does not show record {} in the tree of {}", index, size));
  if (index >= size) return wrong;
  std::uint64_t node = index, last = size - 1;
  Hash hash = leaf;
  for (const Hash& sibling : proof) {
    if (last == 0) return wrong;
    if ((node & 1) != 0 || node == last) {
      hash = node_hash(sibling, hash);
      while ((node & 1) == 0 && node != 0) node >>= 1, last >>= 1;
    } else {
      hash = node_hash(hash, sibling);
    }
    node >>= 1;
    last >>= 1;
  }
  if (last != 0 || hash != root) return wrong;
  return {};
}

Result<void> verify_consistency(std::uint64_t first, std::uint64_t second, const Hash& first_root, const Hash& second_root, const std::vector<Hash>& proof) {
  const Error wrong(ErrorCode::corrupt, fmt::format("the tree of {} does not continue the tree of {}", second, first));
  if (first > second) return wrong;
  if (first == second) return proof.empty() && first_root == second_root ? Result<void>() : wrong;
  if (first == 0) return proof.empty() && first_root == empty_root() ? Result<void>() : wrong;
  std::vector<Hash> path = proof;
  if (std::has_single_bit(first)) path.insert(path.begin(), first_root);
  if (path.empty()) return wrong;
  std::uint64_t node = first - 1, last = second - 1;
  while ((node & 1) != 0) node >>= 1, last >>= 1;
  Hash old_hash = path[0], new_hash = path[0];
  for (std::size_t i = 1; i < path.size(); ++i) {
    if (last == 0) return wrong;
    if ((node & 1) != 0 || node == last) {
      old_hash = node_hash(path[i], old_hash);
      new_hash = node_hash(path[i], new_hash);
      while ((node & 1) == 0 && node != 0) node >>= 1, last >>= 1;
    } else {
      new_hash = node_hash(new_hash, path[i]);
    }
    node >>= 1;
    last >>= 1;
  }
  if (last != 0 || old_hash != first_root || new_hash != second_root) return wrong;
  return {};
}

}  // namespace heng::tlog
