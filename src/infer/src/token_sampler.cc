#include "heng/infer/token_sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace heng::infer {
namespace {

constexpr float minus_infinity = -std::numeric_limits<float>::infinity();
constexpr std::size_t repeat_window_tokens = 64;

using Floats = float __attribute__((vector_size(32)));
using Ints = std::int32_t __attribute__((vector_size(32)));

// Compiled for AVX2 as well: over 150,000 logits the baseline's code costs 0.7 ms a token, twice the tolerance of the benchmark.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define HENG_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define HENG_CLONES
#endif

HENG_CLONES float maximum(std::span<const float> values) {
  Floats lanes = Floats{} + minus_infinity;
  std::size_t i = 0;
  for (; i + 8 <= values.size(); i += 8) {
    Floats x;
    __builtin_memcpy(&x, &values[i], sizeof x);
    lanes = x > lanes ? x : lanes;
  }
  float best = minus_infinity;
  for (int k = 0; k < 8; ++k) best = std::max(best, lanes[k]);
  for (; i < values.size(); ++i) best = std::max(best, values[i]);
  return best;
}

std::int32_t argmax(std::span<const float> values) {
  const float best = maximum(values);
  return static_cast<std::int32_t>(std::find(values.begin(), values.end(), best) - values.begin());
}

bool larger(const Candidate& a, const Candidate& b) {
  return a.logit != b.logit ? a.logit > b.logit : a.token < b.token;
}

}  // namespace

// exp by 2^n · polynomial(r), eight at a time: libm's scalar exp over 150,000 logits would cost 5 % of a token's time.
HENG_CLONES double log_sum_exp(std::span<const float> logits) {
  const float top = maximum(logits);
  if (!std::isfinite(top)) return top;
  double sum = 0;
  std::size_t i = 0;
  while (i + 8 <= logits.size()) {
    Floats block{};
    for (const std::size_t end = std::min(logits.size() - 7, i + 4096); i < end; i += 8) {
      Floats x;
      __builtin_memcpy(&x, &logits[i], sizeof x);
      x -= top;
      const Floats floor_value = Floats{} - 87.0f;
      x = x > floor_value ? x : floor_value;
      const Ints n = __builtin_convertvector(x * 1.44269504f - 0.5f, Ints);  // x <= 0: truncation rounds to nearest
      const Floats nf = __builtin_convertvector(n, Floats);
      const Floats r = x - nf * 0.693359375f + nf * 2.12194440e-4f;
      Floats p = r * 1.9875691500e-4f + 1.3981999507e-3f;
      p = p * r + 8.3334519073e-3f;
      p = p * r + 4.1665795894e-2f;
      p = p * r + 1.6666665459e-1f;
      p = p * r + 5.0000001201e-1f;
      p = p * r * r + r + 1.0f;
      Ints bits;
      __builtin_memcpy(&bits, &p, sizeof bits);
      bits += n << 23;
      __builtin_memcpy(&p, &bits, sizeof p);
      block += p;
    }
    for (int k = 0; k < 8; ++k) sum += block[k];
  }
  for (; i < logits.size(); ++i) sum += std::exp(static_cast<double>(logits[i]) - top);
  return top + std::log(sum);
}

std::vector<Candidate> largest(std::span<const float> logits, std::size_t count) {
  std::vector<Candidate> heap;  // smallest of the chosen on top
  count = std::min(count, logits.size());
  if (count == 0) return heap;
  heap.reserve(count + 1);
  std::size_t i = 0;
  for (; i < count; ++i) heap.push_back({static_cast<std::int32_t>(i), logits[i]});
  std::make_heap(heap.begin(), heap.end(), larger);
  float threshold = heap.front().logit;
  for (; i < logits.size(); ++i) {
    if (!(logits[i] > threshold)) continue;
    std::pop_heap(heap.begin(), heap.end(), larger);
    heap.back() = {static_cast<std::int32_t>(i), logits[i]};
    std::push_heap(heap.begin(), heap.end(), larger);
    threshold = heap.front().logit;
  }
  std::sort(heap.begin(), heap.end(), larger);
  return heap;
}

TokenSampler::TokenSampler(const Sampling& sampling) : sampling_(sampling), generator_(sampling.seed) {
  penalise_ = sampling.repeat_penalty != 1.0 || sampling.frequency_penalty != 0 || sampling.presence_penalty != 0;
}

void TokenSampler::accept(std::int32_t token, bool generated) {
  if (!penalise_) return;
  recent_.push_back(token);
  if (recent_.size() > repeat_window_tokens) recent_.erase(recent_.begin());
  if (generated) ++generated_[token];
}

std::span<const float> TokenSampler::adjusted(std::span<const float> logits) {
  if (!penalise_ && sampling_.logit_bias.empty()) return logits;
  scratch_.assign(logits.begin(), logits.end());
  const auto inside = [&](std::int32_t token) { return token >= 0 && static_cast<std::size_t>(token) < scratch_.size(); };
  for (auto [token, bias] : sampling_.logit_bias)
    if (inside(token)) scratch_[token] += static_cast<float>(bias);
  if (sampling_.repeat_penalty != 1.0) {
    auto distinct = recent_;
    std::sort(distinct.begin(), distinct.end());
    distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
    for (auto token : distinct) {
      if (!inside(token)) continue;
      float& logit = scratch_[token];
      logit = static_cast<float>(logit <= 0 ? logit * sampling_.repeat_penalty : logit / sampling_.repeat_penalty);
    }
  }
  for (auto [token, times] : generated_)
    if (inside(token)) scratch_[token] -= static_cast<float>(sampling_.frequency_penalty * times + sampling_.presence_penalty);
  return scratch_;
}

std::int32_t TokenSampler::choose(std::span<const float> logits, const Filter* filter) {
  const auto view = adjusted(logits);
  if (sampling_.temperature <= 0) return choose_greedy(view, filter);
  auto chosen = candidates(view, filter);
  return chosen.empty() ? -1 : draw(chosen);
}

std::int32_t TokenSampler::choose_greedy(std::span<const float> logits, const Filter* filter) {
  const auto best = argmax(logits);
  if (!filter || best >= static_cast<std::int32_t>(logits.size())) return filter ? -1 : best;
  Candidate first{best, logits[best]};
  (*filter)(std::span(&first, 1));
  if (first.logit != minus_infinity) return best;
  // a grammar costs time per candidate: ask it about the likely ones first
  for (std::size_t count : {std::size_t{64}, std::size_t{1024}, logits.size()}) {
    auto list = largest(logits, count);
    (*filter)(list);
    for (const auto& candidate : list)
      if (candidate.logit != minus_infinity) return candidate.token;
  }
  return -1;
}

std::vector<Candidate> TokenSampler::candidates(std::span<const float> logits, const Filter* filter) const {
  // beyond 20 below the best a token's probability is under 2e-9, whatever the other settings
  const float cut = maximum(logits) - 20.0f * static_cast<float>(std::max(1.0, sampling_.temperature));
  const auto everything = [&] {
    std::vector<Candidate> list;
    for (std::size_t i = 0; i < logits.size(); ++i)
      if (filter ? logits[i] != minus_infinity : logits[i] >= cut) list.push_back({static_cast<std::int32_t>(i), logits[i]});
    std::sort(list.begin(), list.end(), larger);
    return list;
  };
  const std::size_t wanted = sampling_.top_k > 0 ? sampling_.top_k : std::numeric_limits<std::size_t>::max();
  if (!filter) return wanted <= 4096 ? largest(logits, wanted) : everything();
  std::vector<Candidate> kept;
  for (std::size_t count : {std::size_t{256}, std::size_t{4096}, logits.size()}) {
    auto list = count >= logits.size() ? everything() : largest(logits, count);
    const bool all = count >= logits.size();
    const float lowest = list.empty() ? minus_infinity : list.back().logit;
    (*filter)(list);
    std::erase_if(list, [](const Candidate& c) { return c.logit == minus_infinity; });
    kept = std::move(list);
    // what was not asked about weighs less than e^-12 of the best that may follow, each
    if (all || kept.size() >= wanted || (!kept.empty() && kept.front().logit - lowest > 12.0f * std::max(1.0, sampling_.temperature))) break;
  }
  if (kept.size() > wanted) kept.resize(wanted);
  return kept;
}

std::int32_t TokenSampler::draw(std::vector<Candidate>& list) {
  const auto weights = [&](double temperature) {
    std::vector<double> w(list.size());
    for (std::size_t i = 0; i < list.size(); ++i) w[i] = std::exp((static_cast<double>(list[i].logit) - list[0].logit) / temperature);
    return w;
  };
  auto w = weights(1.0);
  double total = 0;
  for (double x : w) total += x;
  std::size_t keep = list.size();
  if (sampling_.top_p < 1.0) {
    double sum = 0;
    for (keep = 0; keep < w.size();) {
      sum += w[keep++];
      if (sum >= sampling_.top_p * total) break;
    }
  }
  if (sampling_.min_p > 0)
    while (keep > 1 && w[keep - 1] < sampling_.min_p * w[0]) --keep;
  list.resize(std::max<std::size_t>(1, keep));
  w = weights(sampling_.temperature);
  total = 0;
  for (double x : w) total += x;
  double at = static_cast<double>(generator_() >> 11) * 0x1.0p-53 * total;
  for (std::size_t i = 0; i < w.size(); ++i) {
    at -= w[i];
    if (at < 0) return list[i].token;
  }
  return list.back().token;
}

}  // namespace heng::infer
