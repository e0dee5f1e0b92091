#include "heng/fairness/statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace heng::fairness {
namespace {

constexpr double z = 1.959963984540054;

double log_choose(std::int64_t n, std::int64_t k) {
  return std::lgamma(static_cast<double>(n) + 1) - std::lgamma(static_cast<double>(k) + 1) - std::lgamma(static_cast<double>(n - k) + 1);
}

}  // namespace

Interval wilson(std::int64_t hits, std::int64_t trials) {
  if (trials <= 0) return {0, 1};
  const double n = static_cast<double>(trials), p = static_cast<double>(hits) / n;
  const double centre = (p + z * z / (2 * n)) / (1 + z * z / n);
  const double half = z / (1 + z * z / n) * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  return {std::max(0.0, centre - half), std::min(1.0, centre + half)};
}

Interval newcombe(std::int64_t hits1, std::int64_t trials1, std::int64_t hits2, std::int64_t trials2) {
  if (trials1 <= 0 || trials2 <= 0) return {-1, 1};
  const double p1 = static_cast<double>(hits1) / static_cast<double>(trials1), p2 = static_cast<double>(hits2) / static_cast<double>(trials2);
  const Interval a = wilson(hits1, trials1), b = wilson(hits2, trials2);
  const auto square = [](double x) { return x * x; };
  return {p1 - p2 - std::sqrt(square(p1 - a.low) + square(b.high - p2)), p1 - p2 + std::sqrt(square(a.high - p1) + square(p2 - b.low))};
}

std::optional<Interval> katz_ratio(std::int64_t hits1, std::int64_t trials1, std::int64_t hits2, std::int64_t trials2) {
  if (hits1 <= 0 || hits2 <= 0 || trials1 <= 0 || trials2 <= 0) return std::nullopt;
  const double x1 = static_cast<double>(hits1), n1 = static_cast<double>(trials1), x2 = static_cast<double>(hits2), n2 = static_cast<double>(trials2);
  const double log_ratio = std::log(x1 / n1) - std::log(x2 / n2), error = std::sqrt(1 / x1 - 1 / n1 + 1 / x2 - 1 / n2);
  return Interval{std::exp(log_ratio - z * error), std::exp(log_ratio + z * error)};
}

double fisher_exact(std::int64_t a, std::int64_t b, std::int64_t c, std::int64_t d) {
  const std::int64_t row1 = a + b, row2 = c + d, column1 = a + c, n = row1 + row2;
  if (n == 0) return 1;
  const auto log_probability = [&](std::int64_t x) { return log_choose(row1, x) + log_choose(row2, column1 - x) - log_choose(n, column1); };
  const double observed = log_probability(a);
  double p = 0;
  for (std::int64_t x = std::max<std::int64_t>(0, column1 - row2); x <= std::min(row1, column1); ++x)
    if (const double each = log_probability(x); each <= observed + 1e-7) p += std::exp(each);
  return std::min(1.0, p);
}

std::vector<double> holm(const std::vector<double>& p) {
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return p[a] < p[b]; });
  std::vector<double> out(p.size());
  double largest = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    largest = std::max(largest, std::min(1.0, p[order[i]] * static_cast<double>(p.size() - i)));
    out[order[i]] = largest;
  }
  return out;
}

}  // namespace heng::fairness
