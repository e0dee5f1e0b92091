#include "heng/knowledge/vector_index.h"

#include <immintrin.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include <fmt/format.h>

#include "graph.h"

namespace heng::knowledge {
namespace {

std::int32_t dot_plain(const std::int8_t* a, const std::int8_t* b, std::size_t size) {
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < size; ++i) sum += std::int32_t{a[i]} * b[i];
  return sum;
}

__attribute__((target("avx2"))) std::int32_t dot_avx2(const std::int8_t* a, const std::int8_t* b, std::size_t size) {
  __m256i sum = _mm256_setzero_si256();
  std::size_t i = 0;
  for (; i + 16 <= size; i += 16) {
    const __m256i x = _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(a + i)));
    const __m256i y = _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(b + i)));
    sum = _mm256_add_epi32(sum, _mm256_madd_epi16(x, y));
  }
  __m128i half = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
  half = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0x4E));
  half = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0xB1));
  return _mm_cvtsi128_si32(half) + dot_plain(a + i, b + i, size - i);
}

using Dot = std::int32_t (*)(const std::int8_t*, const std::int8_t*, std::size_t);
Dot best_dot() {
  static const Dot chosen = __builtin_cpu_supports("avx2") ? dot_avx2 : dot_plain;
  return chosen;
}

bool worse(const Scored& a, const Scored& b) { return a.score != b.score ? a.score > b.score : a.ordinal < b.ordinal; }

}  // namespace

QuantisedVector quantise(std::span<const float> vector) {
  QuantisedVector out;
  out.codes.resize(vector.size());
  float largest = 0;
  for (const float v : vector)
    if (std::isfinite(v)) largest = std::max(largest, std::fabs(v));
  if (largest == 0) return out;
  out.scale = largest / 127.0F;
  for (std::size_t i = 0; i < vector.size(); ++i)
    if (std::isfinite(vector[i])) out.codes[i] = static_cast<std::int8_t>(std::lround(vector[i] / out.scale));
  return out;
}

std::uint16_t to_half(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000U);
  const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
  if (magnitude > 0x7F800000U) return static_cast<std::uint16_t>(sign | 0x7E00U);   // not a number
  if (magnitude >= 0x47800000U) return static_cast<std::uint16_t>(sign | 0x7C00U);  // too large
  if (magnitude < 0x38800000U) {                                                    // subnormal
    const float scaled = std::bit_cast<float>(magnitude) * 16777216.0F;             // × 2^24
    return static_cast<std::uint16_t>(sign | static_cast<std::uint16_t>(std::nearbyint(scaled)));
  }
  const std::uint32_t rounded = magnitude + 0xFFFU + ((magnitude >> 13) & 1U);
  return static_cast<std::uint16_t>(sign | ((rounded - 0x38000000U) >> 13));
}

float from_half(std::uint16_t bits) {
  const float sign = (bits & 0x8000U) != 0 ? -1.0F : 1.0F;
  const int exponent = (bits >> 10) & 0x1F;
  const int fraction = bits & 0x3FF;
  if (exponent == 0) return sign * static_cast<float>(fraction) / 16777216.0F;
  if (exponent == 31) return fraction == 0 ? sign * INFINITY : NAN;
  const std::uint32_t single = (static_cast<std::uint32_t>(bits & 0x8000U) << 16) |
                               (static_cast<std::uint32_t>(exponent + 112) << 23) | (static_cast<std::uint32_t>(fraction) << 13);
  return std::bit_cast<float>(single);
}

std::int32_t dot(const std::int8_t* a, const std::int8_t* b, std::size_t size) { return best_dot()(a, b, size); }

struct VectorIndex::Impl {
  Impl(std::size_t d, VectorIndexSettings s) : dimensions(d), settings(s) {}
  std::size_t dimensions;
  VectorIndexSettings settings;
  std::vector<std::int8_t> codes;
  std::vector<float> scales;  // 0: no vector
  std::size_t count = 0;
  std::unique_ptr<Graph> graph;

  std::vector<Scored> scan(const QuantisedVector& query, std::size_t k, std::span<const std::uint8_t> allowed) const {
    std::vector<Scored> heap;
    heap.reserve(k + 1);
    const Dot product = best_dot();
    const std::size_t most = std::min(allowed.size(), scales.size());
    for (std::size_t i = 0; i < most; ++i) {
      if (!allowed[i] || scales[i] == 0) continue;
      const auto sum = product(query.codes.data(), codes.data() + i * dimensions, dimensions);
      const Scored hit{static_cast<std::uint32_t>(i), static_cast<double>(sum) * query.scale * scales[i]};
      if (heap.size() < k) {
        heap.push_back(hit);
        std::push_heap(heap.begin(), heap.end(), worse);
      } else if (worse(hit, heap.front())) {
        std::pop_heap(heap.begin(), heap.end(), worse);
        heap.back() = hit;
        std::push_heap(heap.begin(), heap.end(), worse);
      }
    }
    std::sort_heap(heap.begin(), heap.end(), worse);
    return heap;
  }

  std::vector<Scored> walk(const QuantisedVector& query, std::size_t k, std::span<const std::uint8_t> allowed) const {
    std::vector<Scored> out;
    const auto near = graph->search(query.codes.data(), k * 2 + 32, [&](std::uint32_t i) {
      return i < allowed.size() && allowed[i] != 0 && scales[i] != 0;
    });
    for (const auto i : near) {
      const auto sum = best_dot()(query.codes.data(), codes.data() + std::size_t{i} * dimensions, dimensions);
      out.push_back({i, static_cast<double>(sum) * query.scale * scales[i]});
    }
    std::sort(out.begin(), out.end(), worse);
    if (out.size() > k) out.resize(k);
    return out;
  }
};

VectorIndex::VectorIndex(std::size_t dimensions, VectorIndexSettings settings)
    : impl_(std::make_unique<Impl>(dimensions, settings)) {}
VectorIndex::~VectorIndex() = default;
VectorIndex::VectorIndex(VectorIndex&&) noexcept = default;
VectorIndex& VectorIndex::operator=(VectorIndex&&) noexcept = default;

std::size_t VectorIndex::dimensions() const { return impl_->dimensions; }
std::size_t VectorIndex::size() const { return impl_->count; }
std::size_t VectorIndex::memory_bytes() const {
  return impl_->codes.capacity() + impl_->scales.capacity() * sizeof(float) + (impl_->graph ? impl_->graph->memory_bytes() : 0);
}

Result<void> VectorIndex::set(std::uint32_t ordinal, std::span<const float> vector) {
  Impl& impl = *impl_;
  if (vector.size() != impl.dimensions)
    return Error(ErrorCode::invalid_argument,
                 fmt::format("a vector of {} dimensions does not fit an index of {}", vector.size(), impl.dimensions));
  if (impl.scales.size() <= ordinal) {
    impl.scales.resize(ordinal + std::size_t{1}, 0.0F);
    impl.codes.resize((ordinal + std::size_t{1}) * impl.dimensions);
  }
  const auto quantised = quantise(vector);
  if (impl.scales[ordinal] != 0) --impl.count;
  impl.scales[ordinal] = quantised.scale;
  std::memcpy(impl.codes.data() + std::size_t{ordinal} * impl.dimensions, quantised.codes.data(), impl.dimensions);
  if (quantised.scale == 0) return {};
  ++impl.count;
  if (impl.graph) HENG_TRY(impl.graph->add(ordinal, impl.codes.data() + std::size_t{ordinal} * impl.dimensions));
  return {};
}

void VectorIndex::remove(std::uint32_t ordinal) {
  if (ordinal >= impl_->scales.size() || impl_->scales[ordinal] == 0) return;
  impl_->scales[ordinal] = 0;  // the graph's node stays as a bridge; the predicate keeps it out of results
  --impl_->count;
}

bool VectorIndex::has(std::uint32_t ordinal) const { return ordinal < impl_->scales.size() && impl_->scales[ordinal] != 0; }

bool VectorIndex::wants_graph() const { return !impl_->graph && impl_->count >= impl_->settings.graph_from; }

Result<void> VectorIndex::build_graph() {
  Impl& impl = *impl_;
  auto graph = HENG_TRY(Graph::create(impl.dimensions, impl.count + impl.count / 4));
  for (std::size_t i = 0; i < impl.scales.size(); ++i)
    if (impl.scales[i] != 0) HENG_TRY(graph->add(static_cast<std::uint32_t>(i), impl.codes.data() + i * impl.dimensions));
  impl.graph = std::move(graph);
  return {};
}

Result<std::vector<Scored>> VectorIndex::search(std::span<const float> query, std::size_t k, std::span<const std::uint8_t> allowed,
                                                std::size_t allowed_count) const {
  if (query.size() != impl_->dimensions)
    return Error(ErrorCode::invalid_argument,
                 fmt::format("a query of {} dimensions does not fit an index of {}", query.size(), impl_->dimensions));
  if (k == 0 || impl_->count == 0) return std::vector<Scored>{};
  const auto quantised = quantise(query);
  if (quantised.scale == 0) return std::vector<Scored>{};
  const bool by_graph = impl_->graph && allowed_count >= impl_->settings.scan_below;
  return by_graph ? impl_->walk(quantised, k, allowed) : impl_->scan(quantised, k, allowed);
}

}  // namespace heng::knowledge
