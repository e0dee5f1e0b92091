#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "linear/linear.h"

namespace heng::insight {
namespace {

using Four = float __attribute__((vector_size(16)));

/// How much a feature's weight may say, by how unevenly it falls on the classes: its largest absolute log-count ratio,
/// 1 on average over the tokens.
std::vector<float> feature_scales(std::size_t features, int classes, const std::vector<std::uint32_t>& begins, const std::vector<std::uint32_t>& ids,
                                  const std::vector<int>& labels, const std::vector<std::size_t>& order, double power) {
  std::vector<float> scales(features, 1.0f);
  if (power <= 0) return scales;
  const auto k = static_cast<std::size_t>(classes);
  std::vector<float> counts(features * k, 0.0f);
  std::vector<double> totals(k, 0.0);
  for (const std::size_t i : order) {
    const auto label = static_cast<std::size_t>(labels[i]);
    for (std::uint32_t t = begins[i]; t < begins[i + 1]; ++t) counts[ids[t] * k + label] += 1;
    totals[label] += begins[i + 1] - begins[i];
  }
  const double all = std::accumulate(totals.begin(), totals.end(), 0.0);
  double sum = 0, tokens = 0;
  for (std::size_t f = 0; f < features; ++f) {
    double total = 0, most = 0;
    for (std::size_t c = 0; c < k; ++c) total += counts[f * k + c];
    for (std::size_t c = 0; c < k; ++c) {
      if (totals[c] <= 0 || totals[c] >= all) continue;  // a label without rows in this fold has no ratio
      const double share = totals[c] / all;
      const double in = (counts[f * k + c] + share) / (totals[c] + 1), out = (total - counts[f * k + c] + 1 - share) / (all - totals[c] + 1);
      most = std::max(most, std::abs(std::log(in / out)));
    }
    scales[f] = static_cast<float>(std::pow(most + 0.1, power));
    sum += total * scales[f] * scales[f];
    tokens += total;
  }
  const auto unit = static_cast<float>(std::sqrt(tokens / std::max(sum, 1e-12)));
  for (float& scale : scales) scale *= unit;
  return scales;
}

/// One pass of dual coordinate ascent with the multinomial logistic loss: each text's dual point moves towards the model's
/// own probabilities by the step that is safe for a loss of smoothness 1/2.
class DualAscent {
 public:
  DualAscent(const std::vector<std::uint32_t>& begins, const std::vector<std::uint32_t>& ids, const std::vector<float>& lengths, const std::vector<int>& labels,
             const std::vector<float>& scales, int classes, double lambda_n)
      : begins_(begins), ids_(ids), lengths_(lengths), labels_(labels), scales_(scales), classes_(static_cast<std::size_t>(classes)),
        quads_((static_cast<std::size_t>(classes) + 3) / 4), lambda_n_(static_cast<float>(lambda_n)), weights_(scales.size() * quads_, Four{}), bias_(quads_, Four{}),
        duals_(labels.size() * classes_, 0.0f), squares_(labels.size(), 0.0f), z_(quads_), direction_(quads_) {
    std::vector<float> seen(scales.size(), 0.0f);
    for (std::size_t i = 0; i < labels.size(); ++i) {
      for (std::uint32_t t = begins[i]; t < begins[i + 1]; ++t) seen[ids[t]] += scales[ids[t]];
      double sum = 0;
      for (std::uint32_t t = begins[i]; t < begins[i + 1]; ++t) {
        sum += static_cast<double>(seen[ids[t]]) * seen[ids[t]];
        seen[ids[t]] = 0;
      }
      squares_[i] = static_cast<float>(sum * lengths[i] * lengths[i] + 1);
    }
  }

  /// Mean duality gap before the updates.
  double pass(const std::vector<std::size_t>& order) {
    double gap = 0;
    for (const std::size_t i : order) gap += update(i);
    return gap / static_cast<double>(std::max<std::size_t>(order.size(), 1));
  }

  /// Weights per feature (as used: times the feature's scale), padded to a multiple of four classes.
  std::vector<float> weights() const {
    std::vector<float> out(scales_.size() * quads_ * 4);
    for (std::size_t f = 0; f < scales_.size(); ++f)
      for (std::size_t q = 0; q < quads_; ++q)
        for (std::size_t l = 0; l < 4; ++l) out[(f * quads_ + q) * 4 + l] = weights_[f * quads_ + q][l] * scales_[f];
    return out;
  }
  std::vector<float> bias() const {
    std::vector<float> out(classes_);
    for (std::size_t c = 0; c < classes_; ++c) out[c] = bias_[c / 4][c % 4];
    return out;
  }

 private:
  double update(std::size_t i) {
    const std::uint32_t begin = begins_[i], end = begins_[i + 1];
    for (std::size_t q = 0; q < quads_; ++q) z_[q] = Four{};
    for (std::uint32_t t = begin; t < end; ++t) {
      const float scale = scales_[ids_[t]];
      const Four* row = &weights_[ids_[t] * quads_];
      for (std::size_t q = 0; q < quads_; ++q) z_[q] += row[q] * scale;
    }
    float most = -1e30f;
    for (std::size_t q = 0; q < quads_; ++q) z_[q] = z_[q] * lengths_[i] + bias_[q];
    for (std::size_t c = 0; c < classes_; ++c) most = std::max(most, z_[c / 4][c % 4]);
    float sum = 0;
    for (std::size_t c = 0; c < classes_; ++c) sum += std::exp(z_[c / 4][c % 4] - most);
    const float log_sum = most + std::log(sum);
    float* dual = &duals_[i * classes_];
    const auto label = static_cast<std::size_t>(labels_[i]);
    float divergence = 0, norm = 0;
    for (std::size_t c = 0; c < classes_; ++c) {
      const float own = c == label ? 1.0f : 0.0f;
      const float log_p = z_[c / 4][c % 4] - log_sum;
      const float q = std::max(own - dual[c], 0.0f);
      if (q > 1e-7f) divergence += q * (std::log(q) - log_p);
      const float d = own - std::exp(log_p) - dual[c];
      direction_[c / 4][c % 4] = d;
      norm += d * d;
    }
    if (norm < 1e-10f) return std::max(divergence, 0.0f);
    constexpr float smoothness = 2;
    const float step = std::min(1.0f, (divergence + 0.5f * smoothness * norm) / (norm * (smoothness + squares_[i] / lambda_n_)));
    for (std::size_t c = 0; c < classes_; ++c) dual[c] += step * direction_[c / 4][c % 4];
    const float factor = step / lambda_n_;
    for (std::size_t q = 0; q < quads_; ++q) {
      direction_[q] *= factor;
      bias_[q] += direction_[q];
      direction_[q] *= lengths_[i];
    }
    for (std::uint32_t t = begin; t < end; ++t) {
      const float scale = scales_[ids_[t]];
      Four* row = &weights_[ids_[t] * quads_];
      for (std::size_t q = 0; q < quads_; ++q) row[q] += direction_[q] * scale;
    }
    return std::max(divergence, 0.0f);
  }

  const std::vector<std::uint32_t>&begins_, &ids_;
  const std::vector<float>& lengths_;
  const std::vector<int>& labels_;
  const std::vector<float>& scales_;
  std::size_t classes_, quads_;
  float lambda_n_;
  std::vector<Four> weights_, bias_;
  std::vector<float> duals_, squares_;
  std::vector<Four> z_, direction_;
};

}  // namespace

LinearHead LinearHead::train(const LinearProblem& problem, const std::vector<bool>& use, const LinearSettings& settings, const std::function<void(int, double)>& progress) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < problem.rows(); ++i)
    if (use.empty() || use[i]) order.push_back(i);
  LinearHead head;
  head.features_ = settings.features;
  head.length_power_ = settings.length_power;
  head.classes_ = problem.classes_;
  head.columns_ = (problem.classes_ + 3) / 4 * 4;
  const auto scales = feature_scales(problem.features(), problem.classes_, problem.begins_, problem.ids_, problem.labels_, order, settings.class_prior);
  DualAscent ascent(problem.begins_, problem.ids_, problem.lengths_, problem.labels_, scales, problem.classes_, 1.0 / settings.cost);
  std::mt19937_64 random(settings.seed);
  for (int epoch = 1; epoch <= settings.epochs_most; ++epoch) {
    std::shuffle(order.begin(), order.end(), random);
    head.gap_ = ascent.pass(order);
    head.epochs_ = epoch;
    if (progress) progress(epoch, head.gap_);
    if (head.gap_ < settings.gap) break;
  }
  head.bias_ = ascent.bias();
  head.build(problem, ascent.weights(), head.columns_, settings.rows_bits);
  return head;
}

}  // namespace heng::insight
