#pragma once

#include <cstdint>

namespace heng::redteam {

struct Bounds {
  double low = 0, high = 1;
};

/// Wilson's score interval of `hits` of `trials`, two-sided 95 %. Wilson, JASA 22 (1927) 209. No trials: 0…1.
Bounds wilson(std::int64_t hits, std::int64_t trials);
/// The exact interval of Clopper and Pearson, Biometrika 26 (1934) 404, two-sided 95 %, by bisection on the binomial tail to 1e-9.
/// No trials: 0…1.
Bounds clopper_pearson(std::int64_t hits, std::int64_t trials);

}  // namespace heng::redteam
