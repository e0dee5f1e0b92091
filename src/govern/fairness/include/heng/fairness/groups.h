#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "heng/base/result.h"
#include "heng/fairness/statistics.h"

namespace heng::fairness {

/// One decided case.
struct Case {
  bool selected = false;                           ///< The favourable decision.
  std::optional<bool> came_true;                   ///< What the decision should have been, where it is known.
  std::optional<double> score;                     ///< 0…1: probability that it comes true.
  std::map<std::string, std::string> attributes;   ///< "sex" → "f".
};

struct FairnessLimits {
  double least_ratio = 0.8;                        ///< Adverse impact ratio.
  double p_value = 0.05;
  double most_rate_gap = 0.10;                     ///< Of true and false positive rates.
  double most_calibration_gap = 0.05;              ///< Of mean score less share that came true.
  int least_group = 30;                            ///< Smaller groups are shown and never fail the gate.
};

struct GroupMetrics {
  std::string group;
  std::int64_t n = 0, selected = 0;
  double rate = 0;
  Interval rate_interval;
  std::optional<double> true_positive_rate, false_positive_rate, precision;
  std::optional<double> calibration_gap, calibration_error;   ///< Mean score less share that came true; expected error over ten bins.
  bool reference = false;
  double ratio = 1;                                ///< Of the selection rate to the reference's.
  std::optional<Interval> ratio_interval;
  double difference = 0;
  Interval difference_interval;
  double p_value = 1, adjusted_p = 1;
};

struct AttributeReport {
  std::string attribute;
  std::vector<GroupMetrics> groups;                ///< The reference first.
  std::vector<std::string> failures;
};

struct GroupReport {
  std::int64_t cases = 0;
  std::vector<AttributeReport> attributes;
  bool passed = true;
};

/// Errors: invalid_argument (no cases, unknown attribute, reference that no case has).
Result<GroupReport> measure_groups(const std::vector<Case>& cases, const std::vector<std::string>& attributes,
                                   const std::map<std::string, std::string>& references, const FairnessLimits& limits);

std::string to_json(const GroupReport& report);

}  // namespace heng::fairness
