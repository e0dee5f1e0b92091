#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <numeric>

#include "linear/linear.h"
#include "src/bytes.h"

namespace heng::insight {

std::size_t LinearHead::features() const {
  return checks_.size() - static_cast<std::size_t>(std::count(checks_.begin(), checks_.end(), 0));
}

void LinearHead::build(const LinearProblem& problem, const std::vector<float>& weights, int columns, int rows_bits) {
  const auto k = static_cast<std::size_t>(columns);
  const std::size_t count = problem.hashes_.size();
  // the same constant in all classes says nothing: take the mean out, then a feature's strength is its largest weight
  std::vector<float> strength(count, 0.0f), centred(weights);
  for (std::size_t f = 0; f < count; ++f) {
    float* row = &centred[f * k];
    float mean = 0;
    for (int c = 0; c < classes_; ++c) mean += row[c];
    mean /= static_cast<float>(classes_);
    for (int c = 0; c < classes_; ++c) {
      row[c] -= mean;
      strength[f] = std::max(strength[f], std::abs(row[c]));
    }
  }
  std::vector<std::uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0u);
  order.erase(std::remove_if(order.begin(), order.end(), [&](std::uint32_t f) { return strength[f] == 0; }), order.end());
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) { return strength[a] != strength[b] ? strength[a] > strength[b] : problem.hashes_[a] < problem.hashes_[b]; });
  const std::size_t wanted = std::max<std::size_t>(2 * order.size(), 64);
  const int bits = std::min(rows_bits, static_cast<int>(std::bit_width(wanted - 1)));
  shift_ = 64 - (bits - 1);
  checks_.assign(std::size_t{1} << bits, 0);
  weights_.assign((std::size_t{1} << bits) * k + k, 0);
  const float largest = order.empty() ? 1.0f : strength[order.front()];
  scale_ = largest / 32000.0f;
  for (const std::uint32_t f : order) {
    const std::uint64_t hash = problem.hashes_[f];
    const std::size_t set = hash >> shift_;
    const auto check = static_cast<std::uint16_t>((hash >> (shift_ - 16)) | 1);
    std::size_t slot = 2 * set;
    if (checks_[slot] != 0 && checks_[slot] != check) ++slot;
    if (checks_[slot] != 0) continue;  // the set is full: stronger features stand there
    checks_[slot] = check;
    for (std::size_t c = 0; c < static_cast<std::size_t>(classes_); ++c) weights_[slot * k + c] = static_cast<std::int16_t>(std::lround(centred[f * k + c] / scale_));
  }
}

namespace {
using Four = float __attribute__((vector_size(16)));
using FourInts = std::int32_t __attribute__((vector_size(16)));
using FourShorts = std::int16_t __attribute__((vector_size(8)));

inline Four load(const std::int16_t* p) {
  FourShorts shorts;
  std::memcpy(&shorts, p, sizeof shorts);
  return __builtin_convertvector(__builtin_convertvector(shorts, FourInts), Four);
}
}  // namespace

template <class Add>
std::size_t LinearHead::gather(const FoldedCodes& text, Add&& add) const {
  // Hashes are kept back so that the table's lines are on their way before they are needed.
  constexpr std::size_t kept_back = 64;
  std::array<std::uint64_t, kept_back> hashes;
  std::array<std::uint32_t, kept_back> slots;
  std::size_t waiting = 0, count = 0;
  const auto flush = [&] {
    for (std::size_t i = 0; i < waiting; ++i) {
      slots[i] = static_cast<std::uint32_t>(find_or_zero(hashes[i]));
      __builtin_prefetch(&weights_[slots[i] * static_cast<std::size_t>(columns_)]);
    }
    for (std::size_t i = 0; i < waiting; ++i) add(slots[i]);
    count += waiting;
    waiting = 0;
  };
  for_each_feature(text, features_, [&](std::uint64_t hash, std::size_t, std::size_t) __attribute__((always_inline)) {
    hashes[waiting] = hash;
    __builtin_prefetch(&checks_[2 * (hash >> shift_)]);
    if (++waiting == kept_back) flush();
  });
  flush();
  return count;
}

void LinearHead::logits(std::string_view text, LinearScratch& scratch, std::span<float> out) const {
  fold(text, features_, false, scratch.text);
  std::size_t count = 0;
  if (columns_ == 4) {
    Four sum{};
    const std::int16_t* weights = weights_.data();
    count = gather(scratch.text, [&](std::size_t slot) { sum += load(weights + 4 * slot); });
    for (std::size_t c = 0; c < static_cast<std::size_t>(classes_); ++c) out[c] = sum[c];
  } else {
    const auto k = static_cast<std::size_t>(columns_);
    scratch.sums.assign(k, 0.0f);
    float* sums = scratch.sums.data();
    const std::size_t none = checks_.size();
    count = gather(scratch.text, [&](std::size_t slot) {
      if (slot == none) return;
      const std::int16_t* row = &weights_[slot * k];
      for (std::size_t c = 0; c < k; ++c) sums[c] += static_cast<float>(row[c]);
    });
    for (std::size_t c = 0; c < static_cast<std::size_t>(classes_); ++c) out[c] = sums[c];
  }
  const auto features = static_cast<double>(std::max<std::size_t>(count, 1));
  const auto factor = scale_ * static_cast<float>(length_power_ == 0.5 ? 1 / std::sqrt(features) : std::pow(features, -length_power_));
  for (std::size_t c = 0; c < static_cast<std::size_t>(classes_); ++c) out[c] = out[c] * factor + bias_[c];
}

void LinearHead::contributions(std::string_view text, LinearScratch& scratch, std::vector<float>& per_code_point, std::vector<float>& bias) const {
  fold(text, features_, true, scratch.text);
  const auto k = static_cast<std::size_t>(classes_), columns = static_cast<std::size_t>(columns_);
  const auto& sources = scratch.text.sources;
  std::size_t count = 0;
  for_each_feature(scratch.text, features_, [&](std::uint64_t, std::size_t, std::size_t) { ++count; });
  const auto factor = static_cast<float>(scale_ * std::pow(static_cast<double>(std::max<std::size_t>(count, 1)), -length_power_));
  bias = bias_;
  const std::size_t points = sources.empty() ? 0 : sources.back();
  per_code_point.assign(points * k, 0.0f);
  if (points == 0) return;
  for_each_feature(scratch.text, features_, [&](std::uint64_t hash, std::size_t begin, std::size_t end) {
    const int slot = find(hash);
    if (slot < 0) return;
    const std::int16_t* row = &weights_[static_cast<std::size_t>(slot) * columns];
    const float share = factor / static_cast<float>(end - begin);
    for (std::size_t i = begin; i < end; ++i) {
      const std::size_t at = std::min<std::size_t>(sources[i], points - 1);  // the mark behind the end counts for the last
      for (std::size_t c = 0; c < k; ++c) per_code_point[at * k + c] += share * static_cast<float>(row[c]);
    }
  });
}

void LinearHead::write(std::string& out) const {
  ByteWriter w(out);
  for (const int value : {features_.han_longest, features_.latin_shortest, features_.latin_longest, features_.pair_window, static_cast<int>(features_.fold_digits), classes_, columns_, shift_}) w.number(static_cast<std::int32_t>(value));
  w.number(length_power_);
  w.number(scale_);
  w.array(checks_);
  w.array(std::vector<std::int16_t>(weights_.begin(), weights_.end() - columns_));
  w.array(bias_);
}

Result<LinearHead> LinearHead::read(std::string_view bytes) {
  const Error damaged(ErrorCode::corrupt, "the linear head is damaged");
  ByteReader r(bytes);
  LinearHead head;
  std::int32_t digits = 0;
  for (int* value : {&head.features_.han_longest, &head.features_.latin_shortest, &head.features_.latin_longest, &head.features_.pair_window, &digits, &head.classes_, &head.columns_, &head.shift_}) *value = r.number<std::int32_t>();
  head.features_.fold_digits = digits != 0;
  head.length_power_ = r.number<double>();
  head.scale_ = r.number<float>();
  const auto& f = head.features_;
  if (!r.ok() || head.classes_ < 2 || head.classes_ > 100000 || head.columns_ != (head.classes_ + 3) / 4 * 4 || head.shift_ < 36 || head.shift_ > 63) return damaged;
  if (f.han_longest < 1 || f.han_longest > 16 || f.latin_shortest < 2 || f.latin_longest < 1 || f.latin_longest > 16 || f.pair_window < 0 || f.pair_window > 8) return damaged;
  const std::size_t slots = std::size_t{2} << (64 - head.shift_);
  head.checks_ = r.array<std::uint16_t>(slots);
  head.weights_ = r.array<std::int16_t>(slots * static_cast<std::size_t>(head.columns_));
  head.weights_.resize(head.weights_.size() + static_cast<std::size_t>(head.columns_), 0);
  head.bias_ = r.array<float>(static_cast<std::size_t>(head.classes_));
  if (!r.done()) return damaged;
  return head;
}

}  // namespace heng::insight
