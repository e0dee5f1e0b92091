#pragma once

#include <optional>
#include <utility>
#include <vector>

namespace heng::review {

/// Lower and upper end of Wilson's interval for hits of trials, 95 % (z = 1.959964). Wilson (1927). No trials: 0 and 1.
std::pair<double, double> wilson(int hits, int trials);

/// Pairs of categories 0 … categories-1, one pair an item.
struct Agreement {
  int pairs = 0;
  double observed = 0;
  std::optional<double> kappa;   ///< Cohen, "A coefficient of agreement for nominal scales" (1960).
};
Agreement cohen_kappa(const std::vector<std::pair<int, int>>& pairs, int categories);

}  // namespace heng::review
