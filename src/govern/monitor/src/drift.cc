#include "heng/monitor/drift.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace heng::monitor {
namespace {

double total(const std::map<std::string, int>& histogram) {
  double sum = 0;
  for (const auto& [bucket, count] : histogram) sum += count;
  return sum;
}

std::map<std::string, int> bucketed(const std::vector<double>& values, const std::vector<double>& edges) {
  std::map<std::string, int> out;
  for (const double value : values) ++out[std::to_string(std::upper_bound(edges.begin(), edges.end(), value) - edges.begin())];
  return out;
}

}  // namespace

std::optional<double> psi(const std::map<std::string, int>& expected, const std::map<std::string, int>& actual, int least) {
  const double before = total(expected), now = total(actual);
  if (before < least || now < least) return std::nullopt;
  std::set<std::string> buckets;
  for (const auto& [bucket, count] : expected) buckets.insert(bucket);
  for (const auto& [bucket, count] : actual) buckets.insert(bucket);
  double out = 0;
  for (const auto& bucket : buckets) {
    const auto share = [&](const std::map<std::string, int>& histogram, double all) {
      const auto at = histogram.find(bucket);
      return std::max(at == histogram.end() ? 0.0 : at->second, 0.5) / all;
    };
    const double e = share(expected, before), a = share(actual, now);
    out += (a - e) * std::log(a / e);
  }
  return out;
}

std::vector<double> decile_edges(std::vector<double> expected) {
  std::sort(expected.begin(), expected.end());
  std::vector<double> edges;
  for (int i = 1; i < 10 && !expected.empty(); ++i) {
    const double edge = expected[std::min(expected.size() - 1, expected.size() * static_cast<std::size_t>(i) / 10)];
    if (edges.empty() || edge > edges.back()) edges.push_back(edge);
  }
  return edges;
}

std::optional<double> psi(const std::vector<double>& expected, const std::vector<double>& actual, int least) {
  const auto edges = decile_edges(expected);
  return psi(bucketed(expected, edges), bucketed(actual, edges), least);
}

std::optional<double> ks_distance(std::vector<double> a, std::vector<double> b) {
  if (a.empty() || b.empty()) return std::nullopt;
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  double out = 0;
  std::size_t i = 0, j = 0;
  while (i < a.size() && j < b.size()) {
    const double at = std::min(a[i], b[j]);
    while (i < a.size() && a[i] <= at) ++i;
    while (j < b.size() && b[j] <= at) ++j;
    out = std::max(out, std::fabs(static_cast<double>(i) / static_cast<double>(a.size()) - static_cast<double>(j) / static_cast<double>(b.size())));
  }
  return out;
}

}  // namespace heng::monitor
