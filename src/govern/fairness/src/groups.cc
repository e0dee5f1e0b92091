#include "heng/fairness/groups.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

namespace heng::fairness {
namespace {

using Json = nlohmann::ordered_json;

struct Counts {
  std::int64_t true_positive = 0, false_positive = 0, true_negative = 0, false_negative = 0;
};

std::optional<double> share(std::int64_t part, std::int64_t all) {
  if (all == 0) return std::nullopt;
  return static_cast<double>(part) / static_cast<double>(all);
}

void measure_calibration(const std::vector<const Case*>& cases, GroupMetrics& out) {
  struct Bin {
    double score = 0, true_ones = 0;
    int n = 0;
  };
  std::array<Bin, 10> bins{};
  double score = 0, true_ones = 0;
  int n = 0;
  for (const Case* c : cases) {
    if (!c->score || !c->came_true) continue;
    auto& bin = bins[static_cast<std::size_t>(std::min(9.0, std::floor(*c->score * 10)))];
    bin.score += *c->score;
    bin.true_ones += *c->came_true;
    ++bin.n;
    score += *c->score;
    true_ones += *c->came_true;
    ++n;
  }
  if (n == 0) return;
  out.calibration_gap = (score - true_ones) / n;
  double error = 0;
  for (const auto& bin : bins) error += std::fabs(bin.score - bin.true_ones);
  out.calibration_error = error / n;
}

GroupMetrics measure(const std::string& name, const std::vector<const Case*>& cases) {
  GroupMetrics out;
  out.group = name;
  Counts c;
  for (const Case* one : cases) {
    ++out.n;
    out.selected += one->selected;
    if (!one->came_true) continue;
    c.true_positive += one->selected && *one->came_true;
    c.false_positive += one->selected && !*one->came_true;
    c.true_negative += !one->selected && !*one->came_true;
    c.false_negative += !one->selected && *one->came_true;
  }
  out.rate = *share(out.selected, out.n);
  out.rate_interval = wilson(out.selected, out.n);
  out.true_positive_rate = share(c.true_positive, c.true_positive + c.false_negative);
  out.false_positive_rate = share(c.false_positive, c.false_positive + c.true_negative);
  out.precision = share(c.true_positive, c.true_positive + c.false_positive);
  measure_calibration(cases, out);
  return out;
}

void compare(GroupMetrics& group, const GroupMetrics& reference) {
  group.ratio = reference.rate > 0 ? group.rate / reference.rate : 1;
  group.ratio_interval = katz_ratio(group.selected, group.n, reference.selected, reference.n);
  group.difference = group.rate - reference.rate;
  group.difference_interval = newcombe(group.selected, group.n, reference.selected, reference.n);
  group.p_value = fisher_exact(group.selected, group.n - group.selected, reference.selected, reference.n - reference.selected);
}

void check_gaps(AttributeReport& report, const FairnessLimits& limits) {
  const GroupMetrics& reference = report.groups.front();
  for (std::size_t i = 1; i < report.groups.size(); ++i) {
    const GroupMetrics& group = report.groups[i];
    if (group.n < limits.least_group || reference.n < limits.least_group) continue;
    const auto gap = [&](const char* what, const std::optional<double>& a, const std::optional<double>& b, double most) {
      if (a && b && std::fabs(*a - *b) > most) report.failures.push_back(fmt::format("{}: {} differs by {:.3f}, the limit is {:.3f}", group.group, what, std::fabs(*a - *b), most));
    };
    if (group.ratio < limits.least_ratio && group.adjusted_p < limits.p_value)
      report.failures.push_back(fmt::format("{}: adverse impact ratio {:.3f} below {:.2f} (p {:.4f})", group.group, group.ratio, limits.least_ratio, group.adjusted_p));
    gap("true positive rate", group.true_positive_rate, reference.true_positive_rate, limits.most_rate_gap);
    gap("false positive rate", group.false_positive_rate, reference.false_positive_rate, limits.most_rate_gap);
    gap("calibration", group.calibration_gap, reference.calibration_gap, limits.most_calibration_gap);
  }
}

Json value(const std::optional<double>& x) { return x ? Json(*x) : Json(nullptr); }
Json value(const Interval& i) { return Json::array({i.low, i.high}); }

}  // namespace

Result<GroupReport> measure_groups(const std::vector<Case>& cases, const std::vector<std::string>& attributes, const std::map<std::string, std::string>& references,
                                   const FairnessLimits& limits) {
  if (cases.empty()) return Error(ErrorCode::invalid_argument, "there are no cases");
  if (attributes.empty()) return Error(ErrorCode::invalid_argument, "name at least one attribute", "groups");
  GroupReport out;
  out.cases = static_cast<std::int64_t>(cases.size());
  for (const auto& attribute : attributes) {
    std::map<std::string, std::vector<const Case*>> by_group;
    for (const auto& one : cases)
      if (const auto at = one.attributes.find(attribute); at != one.attributes.end()) by_group[at->second].push_back(&one);
    if (by_group.empty()) return Error(ErrorCode::invalid_argument, fmt::format("no row has the attribute \"{}\"", attribute), "groups");
    AttributeReport report;
    report.attribute = attribute;
    for (const auto& [name, members] : by_group) report.groups.push_back(measure(name, members));
    const auto named = references.find(attribute);
    if (named != references.end() && !by_group.contains(named->second))
      return Error(ErrorCode::invalid_argument, fmt::format("no row has {} \"{}\", the reference", attribute, named->second), "reference");
    // without a name: the highest selection rate among the groups that are large enough
    std::stable_sort(report.groups.begin(), report.groups.end(), [&](const GroupMetrics& a, const GroupMetrics& b) {
      const auto rank = [&](const GroupMetrics& g) { return std::pair(named != references.end() ? g.group == named->second : g.n >= limits.least_group, g.rate); };
      return rank(a) > rank(b);
    });
    report.groups.front().reference = true;
    for (std::size_t i = 1; i < report.groups.size(); ++i) compare(report.groups[i], report.groups.front());
    out.attributes.push_back(std::move(report));
  }
  std::vector<double> p;
  for (const auto& report : out.attributes)
    for (std::size_t i = 1; i < report.groups.size(); ++i) p.push_back(report.groups[i].p_value);
  const auto adjusted = holm(p);
  std::size_t at = 0;
  for (auto& report : out.attributes) {
    for (std::size_t i = 1; i < report.groups.size(); ++i) report.groups[i].adjusted_p = adjusted[at++];
    check_gaps(report, limits);
    out.passed = out.passed && report.failures.empty();
  }
  return out;
}

std::string to_json(const GroupReport& report) {
  Json attributes = Json::array();
  for (const auto& a : report.attributes) {
    Json groups = Json::array();
    for (const auto& g : a.groups)
      groups.push_back({{"group", g.group}, {"n", g.n}, {"selected", g.selected}, {"rate", g.rate}, {"rate_interval", value(g.rate_interval)}, {"reference", g.reference},
                        {"ratio", g.ratio}, {"ratio_interval", g.ratio_interval ? value(*g.ratio_interval) : Json(nullptr)}, {"difference", g.difference},
                        {"difference_interval", g.reference ? Json(nullptr) : value(g.difference_interval)}, {"p_value", g.p_value}, {"adjusted_p", g.adjusted_p},
                        {"true_positive_rate", value(g.true_positive_rate)}, {"false_positive_rate", value(g.false_positive_rate)}, {"precision", value(g.precision)},
                        {"calibration_gap", value(g.calibration_gap)}, {"calibration_error", value(g.calibration_error)}});
    attributes.push_back({{"attribute", a.attribute}, {"groups", std::move(groups)}, {"failures", a.failures}});
  }
  return Json({{"cases", report.cases}, {"passed", report.passed}, {"attributes", std::move(attributes)}}).dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace heng::fairness
