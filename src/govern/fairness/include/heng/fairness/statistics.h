#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace heng::fairness {

struct Interval {
  double low = 0, high = 1;
};

/// Wilson's score interval for hits of trials, 95 %. Wilson (1927). No trials: 0…1.
Interval wilson(std::int64_t hits, std::int64_t trials);
/// Newcombe's hybrid score interval for p1 - p2, 95 %; method 10 of Newcombe, Statistics in Medicine 17 (1998) 873.
Interval newcombe(std::int64_t hits1, std::int64_t trials1, std::int64_t hits2, std::int64_t trials2);
/// Katz's log interval for p1 / p2, 95 %; Katz et al., Biometrics 34 (1978) 469. Nothing where a count is 0.
std::optional<Interval> katz_ratio(std::int64_t hits1, std::int64_t trials1, std::int64_t hits2, std::int64_t trials2);
/// Fisher's exact test of the table (a b; c d), two-sided: the sum of all tables at most as likely.
double fisher_exact(std::int64_t a, std::int64_t b, std::int64_t c, std::int64_t d);
/// Holm's correction: adjusted p-values in the order given. Holm (1979).
std::vector<double> holm(const std::vector<double>& p);

}  // namespace heng::fairness
