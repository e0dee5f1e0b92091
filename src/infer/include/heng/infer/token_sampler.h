#pragma once

#include <cstdint>
#include <functional>
#include <random>
#include <span>
#include <unordered_map>
#include <vector>

#include "heng/contracts/inference.h"

namespace heng::infer {

/// Logarithm of the sum of exp(logits): logits[t] - log_sum_exp(logits) is token t's log-probability.
double log_sum_exp(std::span<const float> logits);

struct Candidate {
  std::int32_t token = 0;
  float logit = 0;
};

/// The `count` largest, in falling order; equal ones by token id.
std::vector<Candidate> largest(std::span<const float> logits, std::size_t count);

/// Chooses tokens from a model's logits in the order of llama.cpp's default chain: bias and penalties, top-k, top-p, min-p,
/// temperature, draw. Same settings, seed and logits give the same tokens on every machine.
/// One per request; not thread-safe.
class TokenSampler {
 public:
  explicit TokenSampler(const Sampling& sampling);

  /// Sets the logit of candidates that may not follow to -infinity (a grammar).
  using Filter = std::function<void(std::span<Candidate>)>;

  /// The chosen token, or -1 if the filter leaves none.
  std::int32_t choose(std::span<const float> logits, const Filter* filter = nullptr);
  /// Makes penalties know the token. `generated`: of the answer, else of the prompt.
  void accept(std::int32_t token, bool generated);

 private:
  std::span<const float> adjusted(std::span<const float> logits);
  std::int32_t choose_greedy(std::span<const float> logits, const Filter* filter);
  std::vector<Candidate> candidates(std::span<const float> logits, const Filter* filter) const;
  std::int32_t draw(std::vector<Candidate>& candidates);

  Sampling sampling_;
  bool penalise_ = false;
  std::mt19937_64 generator_;
  std::vector<float> scratch_;
  std::vector<std::int32_t> recent_;                      ///< For the repeat penalty: the last 64 tokens.
  std::unordered_map<std::int32_t, int> generated_;       ///< For frequency and presence.
};

}  // namespace heng::infer
