#include "cascade/plan.h"

#include <algorithm>
#include <cmath>

namespace heng::insight {
namespace {

/// P(X <= hits) for X ~ Binomial(trials, rate).
double binomial_tail(int hits, int trials, double rate) {
  double sum = 0;
  for (int i = 0; i <= hits; ++i) sum += std::exp(std::lgamma(trials + 1.0) - std::lgamma(i + 1.0) - std::lgamma(trials - i + 1.0) + i * std::log(rate) + (trials - i) * std::log1p(-rate));
  return std::min(sum, 1.0);
}

struct Answer {
  int label = 0;
  float confidence = 0;
};

std::vector<Answer> answers(const StageScores& stage, std::size_t rows, std::size_t classes) {
  std::vector<Answer> out(rows);
  for (std::size_t i = 0; i < rows; ++i) {
    const float* row = &stage.probabilities[i * classes];
    const auto best = std::max_element(row, row + classes) - row;
    out[i] = {static_cast<int>(best), row[best]};
  }
  return out;
}

}  // namespace

double upper_bound(int hits, int trials, double confidence) {
  if (trials <= 0 || hits >= trials) return 1;
  double low = static_cast<double>(hits) / trials, high = 1;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (binomial_tail(hits, trials, middle) > 1 - confidence ? low : high) = middle;
  }
  return high;
}

CascadePlan plan_cascade(std::span<const StageScores> stages, std::span<const int> labels, int classes, double tolerance, double confidence) {
  CascadePlan plan;
  plan.tolerance = tolerance;
  plan.confidence = confidence;
  const std::size_t rows = labels.size(), k = static_cast<std::size_t>(classes);
  const auto last = answers(stages.back(), rows, k);
  std::vector<bool> open(rows, true);
  const auto known = [&](std::size_t i) { return stages.back().known.empty() || stages.back().known[i] != 0; };
  // each stage but the last may spend an equal part of tolerance and of risk
  const auto parts = static_cast<double>(std::max<std::size_t>(stages.size() - 1, 1));
  int right_all = 0, right_last = 0, asked = 0;
  for (std::size_t i = 0; i < rows; ++i) {
    asked += known(i);
    right_last += known(i) && last[i].label == labels[i];
  }
  for (std::size_t s = 0; s < stages.size(); ++s) {
    CascadeStep step;
    step.tier = stages[s].tier;
    const auto own = answers(stages[s], rows, k);
    if (s + 1 < stages.size()) {
      // from the strictest threshold down; the first that breaks the bound ends the search
      step.threshold = 1.01;
      for (double threshold = 0.995; threshold > 0.3; threshold -= 0.005) {
        int lost = 0;
        for (std::size_t i = 0; i < rows; ++i) lost += open[i] && own[i].confidence >= threshold && own[i].label != labels[i] && (!known(i) || last[i].label == labels[i]);
        if (upper_bound(lost, static_cast<int>(rows), 1 - (1 - confidence) / parts) > tolerance / parts) break;
        step.threshold = threshold;
      }
    }
    int answered = 0, judged = 0, right = 0;
    for (std::size_t i = 0; i < rows; ++i) {
      if (!open[i] || (s + 1 < stages.size() && own[i].confidence < step.threshold)) continue;
      open[i] = false;
      ++answered;
      if (!known(i)) continue;
      ++judged;
      right += own[i].label == labels[i];
    }
    right_all += right;
    step.share = static_cast<double>(answered) / static_cast<double>(std::max<std::size_t>(rows, 1));
    step.accuracy = judged ? static_cast<double>(right) / judged : 0;
    plan.steps.push_back(step);
  }
  plan.accuracy = static_cast<double>(right_all) / std::max(asked, 1);
  plan.last_accuracy = static_cast<double>(right_last) / std::max(asked, 1);
  return plan;
}

}  // namespace heng::insight
