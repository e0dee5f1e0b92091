#include "agreement.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace heng::review {

std::pair<double, double> wilson(int hits, int trials) {
  if (trials <= 0) return {0, 1};
  constexpr double z = 1.959963984540054;
  const double n = trials, p = hits / n;
  const double centre = (p + z * z / (2 * n)) / (1 + z * z / n);
  const double half = z / (1 + z * z / n) * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  return {std::max(0.0, centre - half), std::min(1.0, centre + half)};
}

Agreement cohen_kappa(const std::vector<std::pair<int, int>>& pairs, int categories) {
  Agreement out;
  out.pairs = static_cast<int>(pairs.size());
  if (pairs.empty()) return out;
  std::vector<double> first(static_cast<std::size_t>(categories)), second(static_cast<std::size_t>(categories));
  double same = 0;
  for (const auto& [a, b] : pairs) {
    first[static_cast<std::size_t>(a)] += 1;
    second[static_cast<std::size_t>(b)] += 1;
    same += a == b;
  }
  const double n = static_cast<double>(pairs.size());
  out.observed = same / n;
  double chance = 0;
  for (std::size_t i = 0; i < first.size(); ++i) chance += first[i] / n * (second[i] / n);
  if (chance < 1 - 1e-12) out.kappa = (out.observed - chance) / (1 - chance);
  return out;
}

}  // namespace heng::review
