#include "graph.h"

#include <usearch/index_dense.hpp>

namespace heng::knowledge {

namespace us = unum::usearch;

struct Graph::Impl {
  us::index_dense_t index;
};

Graph::Graph() : impl_(std::make_unique<Impl>()) {}
Graph::~Graph() = default;

Result<std::unique_ptr<Graph>> Graph::create(std::size_t dimensions, std::size_t capacity) {
  us::index_dense_config_t config;
  config.connectivity = 16;
  config.connectivity_base = 32;
  config.expansion_add = 96;
  config.expansion_search = 128;
  config.enable_key_lookups = false;
  auto made = us::index_dense_t::make(us::metric_punned_t(dimensions, us::metric_kind_t::cos_k, us::scalar_kind_t::i8_k), config);
  if (!made) return Error(ErrorCode::internal, "the vector graph could not be made");
  std::unique_ptr<Graph> graph(new Graph);
  graph->impl_->index = std::move(made.index);
  if (!graph->impl_->index.try_reserve(us::index_limits_t(capacity, 8)))
    return Error(ErrorCode::overloaded, "not enough memory for the vector graph");
  return graph;
}

Result<void> Graph::add(std::uint32_t ordinal, const std::int8_t* codes) {
  auto& index = impl_->index;
  if (index.size() + 1 >= index.capacity() && !index.try_reserve(us::index_limits_t(index.capacity() + index.capacity() / 4 + 64, 8)))
    return Error(ErrorCode::overloaded, "not enough memory for the vector graph");
  auto added = index.add(static_cast<us::default_key_t>(ordinal), reinterpret_cast<const us::i8_t*>(codes));
  if (!added) {
    const std::string why = added.error.release();
    return Error(ErrorCode::internal, "the vector graph refused a vector: " + why);
  }
  return {};
}

std::vector<std::uint32_t> Graph::search(const std::int8_t* query, std::size_t k,
                                         const std::function<bool(std::uint32_t)>& allowed) const {
  const auto found = impl_->index.filtered_search(reinterpret_cast<const us::i8_t*>(query), k, [&](us::default_key_t key) {
    return allowed(static_cast<std::uint32_t>(key));
  });
  std::vector<std::uint32_t> out;
  for (std::size_t i = 0; i < found.size(); ++i) out.push_back(static_cast<std::uint32_t>(found[i].member.key));
  return out;
}

std::size_t Graph::memory_bytes() const { return impl_->index.memory_usage(); }

}  // namespace heng::knowledge
