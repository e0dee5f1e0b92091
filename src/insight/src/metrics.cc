#include "heng/insight/metrics.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace heng::insight {

ClassificationReport evaluate(std::span<const float> probabilities, std::span<const int> labels, const std::vector<std::string>& names) {
  const std::size_t k = names.size();
  ClassificationReport report;
  report.rows = static_cast<int>(labels.size());
  report.confusion.assign(k, std::vector<int>(k, 0));
  constexpr std::size_t bins = 15;
  std::array<double, bins> confidence{}, correct{};
  int right = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto row = probabilities.subspan(i * k, k);
    const auto best = static_cast<std::size_t>(std::max_element(row.begin(), row.end()) - row.begin());
    const auto truth = static_cast<std::size_t>(labels[i]);
    ++report.confusion[truth][best];
    right += best == truth;
    const std::size_t bin = std::min(bins - 1, static_cast<std::size_t>(row[best] * static_cast<float>(bins)));
    confidence[bin] += row[best];
    correct[bin] += best == truth;
    report.log_loss -= std::log(std::max(static_cast<double>(row[truth]), 1e-12));
  }
  const double rows = std::max<double>(1.0, static_cast<double>(labels.size()));
  report.accuracy = right / rows;
  report.log_loss /= rows;
  for (std::size_t b = 0; b < bins; ++b) report.ece += std::abs(confidence[b] - correct[b]) / rows;
  int present = 0;
  for (std::size_t c = 0; c < k; ++c) {
    ClassReport one;
    one.label = names[c];
    int given = 0;
    for (std::size_t t = 0; t < k; ++t) {
      one.rows += report.confusion[c][t];
      given += report.confusion[t][c];
    }
    const int hits = report.confusion[c][c];
    one.precision = given ? static_cast<double>(hits) / given : 0;
    one.recall = one.rows ? static_cast<double>(hits) / one.rows : 0;
    one.f1 = one.precision + one.recall > 0 ? 2 * one.precision * one.recall / (one.precision + one.recall) : 0;
    if (one.rows || given) {
      ++present;
      report.macro_f1 += one.f1;
    }
    report.weighted_f1 += one.f1 * one.rows / rows;
    report.classes.push_back(std::move(one));
  }
  report.macro_f1 /= std::max(1, present);
  return report;
}

}  // namespace heng::insight
