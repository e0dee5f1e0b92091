#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "heng/base/result.h"
#include "heng/knowledge/ranking.h"

namespace heng::knowledge {

/// A unit vector as 8-bit integers: value ≈ scale × code.
struct QuantisedVector {
  std::vector<std::int8_t> codes;
  float scale = 0;
};
QuantisedVector quantise(std::span<const float> vector);

std::uint16_t to_half(float value);   ///< IEEE 754 binary16, round to nearest even.
float from_half(std::uint16_t bits);

/// Dot product of 8-bit codes; AVX2 where the processor has it.
std::int32_t dot(const std::int8_t* a, const std::int8_t* b, std::size_t size);

struct VectorIndexSettings {
  std::size_t graph_from = 200'000;   ///< Vectors from which a graph (USearch HNSW) is used instead of the exact scan.
  std::size_t scan_below = 60'000;    ///< A reader who sees fewer vectors than this is served by the scan all the same.
};

/// Vectors in memory by ordinal, searched by cosine among the allowed ones only. Readers are checked inside the search: a
/// forbidden vector takes no place among the k.
/// Not synchronised: the owner lets no one search while it adds or removes. The graph, once there are enough vectors, is built
/// by `build_graph`, which may run beside searches (they scan until it is done).
class VectorIndex {
 public:
  explicit VectorIndex(std::size_t dimensions, VectorIndexSettings settings = {});
  ~VectorIndex();
  VectorIndex(VectorIndex&&) noexcept;
  VectorIndex& operator=(VectorIndex&&) noexcept;

  std::size_t dimensions() const;
  std::size_t size() const;
  std::size_t memory_bytes() const;

  /// Sets the vector of an ordinal. Errors: invalid_argument (dimensions differ).
  Result<void> set(std::uint32_t ordinal, std::span<const float> vector);
  void remove(std::uint32_t ordinal);
  bool has(std::uint32_t ordinal) const;

  bool wants_graph() const;
  Result<void> build_graph();

  /// The `k` nearest of the allowed ordinals, nearest first, ties by ordinal. `allowed`: one flag per ordinal; ordinals past its
  /// end are forbidden. `allowed_count` chooses between scan and graph.
  Result<std::vector<Scored>> search(std::span<const float> query, std::size_t k, std::span<const std::uint8_t> allowed,
                                     std::size_t allowed_count) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace heng::knowledge
