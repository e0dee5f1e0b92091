#include "heng/insight_bert/optimiser.h"

#include <algorithm>
#include <cmath>

namespace heng::insight_bert {
namespace {
using Array = Eigen::Map<Eigen::Array<float, Eigen::Dynamic, 1>>;
constexpr float beta1 = 0.9F, beta2 = 0.98F, epsilon = 1e-8F;
}  // namespace

Optimiser::Optimiser(const Layout& layout, const Settings& settings) : settings_(settings), first_(layout.size()) {
  for (const auto& entry : layout.entries()) {
    if (entry.group == Group::frozen) continue;
    trained_.push_back(entry);
    first_ = std::min(first_, entry.tensor.offset);
  }
  count_ = layout.size() - first_;
  mean_.assign(count_, 0);
  square_.assign(count_, 0);
}

void Optimiser::clear(float* grads) const { std::fill(grads + first_, grads + first_ + count_, 0.0F); }

void Optimiser::step(float* values, const std::vector<Floats>& grads, float head_share, float encoder_share) {
  const auto n = static_cast<Eigen::Index>(count_);
  Array sum(grads[0].get() + first_, n);
  for (std::size_t t = 1; t < grads.size(); ++t) sum += Array(grads[t].get() + first_, n);
  const float norm = std::sqrt(sum.square().sum());
  const float scale = norm > settings_.clip ? settings_.clip / norm : 1.0F;
  ++steps_;
  const float c1 = 1.0F / (1.0F - std::pow(beta1, static_cast<float>(steps_)));
  const float c2 = 1.0F / (1.0F - std::pow(beta2, static_cast<float>(steps_)));
  for (const auto& entry : trained_) {
    const std::size_t at = entry.tensor.offset - first_;
    const auto size = static_cast<Eigen::Index>(entry.tensor.size());
    Array v(values + entry.tensor.offset, size), g(sum.data() + at, size), m(mean_.data() + at, size), s(square_.data() + at, size);
    const float rate = entry.rate * (entry.group == Group::encoder ? encoder_share * settings_.encoder_rate : head_share * settings_.head_rate);
    if (!(rate > 0)) continue;
    m = beta1 * m + (1 - beta1) * scale * g;
    s = beta2 * s + (1 - beta2) * (scale * g).square();
    if (entry.decay) v *= 1 - rate * settings_.decay;
    v -= rate * c1 * m / ((c2 * s).sqrt() + epsilon);
  }
  if (settings_.average <= 0) return;
  Array now(values + first_, n);
  if (average_.empty()) {
    average_.assign(values + first_, values + first_ + count_);
    return;
  }
  // a short memory at first, so that the random start is soon forgotten
  const float keep = std::min(settings_.average, (1.0F + static_cast<float>(steps_)) / (10.0F + static_cast<float>(steps_)));
  Array average(average_.data(), n);
  average = keep * average + (1 - keep) * now;
}

void Optimiser::use_average(float* values) const {
  if (!average_.empty()) std::copy(average_.begin(), average_.end(), values + first_);
}

}  // namespace heng::insight_bert
