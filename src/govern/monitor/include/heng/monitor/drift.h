#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace heng::monitor {

/// Population stability index of two histograms with the same buckets: sum of (a - e) ln(a / e) over the shares, an empty
/// bucket counted as half an observation. Nothing where either holds fewer than `least` observations.
std::optional<double> psi(const std::map<std::string, int>& expected, const std::map<std::string, int>& actual, int least = 50);

/// Buckets at the deciles of `expected`: the edges, ascending, without repetitions.
std::vector<double> decile_edges(std::vector<double> expected);
/// The index of two samples, with buckets at the deciles of the first.
std::optional<double> psi(const std::vector<double>& expected, const std::vector<double>& actual, int least = 50);

/// Kolmogorov–Smirnov distance of two samples, 0…1; nothing where one is empty.
std::optional<double> ks_distance(std::vector<double> a, std::vector<double> b);

}  // namespace heng::monitor
