#include "heng/redteam/statistics.h"

#include <algorithm>
#include <cmath>

namespace heng::redteam {
namespace {

/// P(X <= k) for X binomial(n, p), summed from logarithms.
double at_most(std::int64_t k, std::int64_t n, double p) {
  if (k < 0) return 0;
  if (k >= n || p <= 0) return 1;
  if (p >= 1) return 0;
  const double log_p = std::log(p), log_q = std::log1p(-p), whole = std::lgamma(static_cast<double>(n) + 1);
  double sum = 0;
  for (std::int64_t i = 0; i <= k; ++i) {
    const auto x = static_cast<double>(i), rest = static_cast<double>(n - i);
    sum += std::exp(whole - std::lgamma(x + 1) - std::lgamma(rest + 1) + x * log_p + rest * log_q);
  }
  return std::min(sum, 1.0);
}

/// Where a falling function of p crosses `level`.
template <class Falling>
double crossing(const Falling& f, double level) {
  double low = 0, high = 1;
  while (high - low > 1e-10) {
    const double middle = (low + high) / 2;
    (f(middle) > level ? low : high) = middle;
  }
  return (low + high) / 2;
}

}  // namespace

Bounds wilson(std::int64_t hits, std::int64_t trials) {
  if (trials <= 0) return {};
  constexpr double z = 1.959963984540054;
  const auto n = static_cast<double>(trials);
  const double p = static_cast<double>(hits) / n, below = 1 + z * z / n;
  const double centre = (p + z * z / (2 * n)) / below, half = z / below * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  return {hits == 0 ? 0 : std::max(0.0, centre - half), hits == trials ? 1 : std::min(1.0, centre + half)};
}

Bounds clopper_pearson(std::int64_t hits, std::int64_t trials) {
  if (trials <= 0) return {};
  constexpr double tail = 0.025;
  Bounds out;
  // P(X <= hits | high) = 2.5 %, P(X >= hits | low) = 2.5 %
  out.high = hits >= trials ? 1 : crossing([&](double p) { return at_most(hits, trials, p); }, tail);
  out.low = hits <= 0 ? 0 : crossing([&](double p) { return at_most(hits - 1, trials, p); }, 1 - tail);
  return out;
}

}  // namespace heng::redteam
