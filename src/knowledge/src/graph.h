#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "heng/base/result.h"

namespace heng::knowledge {

/// An HNSW graph (Malkov, Yashunin 2018) over 8-bit codes; USearch behind it. One thread adds; searches may run together.
class Graph {
 public:
  static Result<std::unique_ptr<Graph>> create(std::size_t dimensions, std::size_t capacity);
  ~Graph();
  Result<void> add(std::uint32_t ordinal, const std::int8_t* codes);
  /// Up to `k` ordinals that `allowed` accepts, nearest first.
  std::vector<std::uint32_t> search(const std::int8_t* query, std::size_t k, const std::function<bool(std::uint32_t)>& allowed) const;
  std::size_t memory_bytes() const;

 private:
  Graph();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace heng::knowledge
