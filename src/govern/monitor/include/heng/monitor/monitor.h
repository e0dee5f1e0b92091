#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "heng/base/result.h"
#include "heng/contracts/principal.h"
#include "heng/contracts/review.h"

namespace heng::monitor {

/// Thresholds that raise an alert, and what tokens cost. Of heng.toml's [monitor].
struct MonitorSettings {
  double prompt_price = 0, completion_price = 0;   ///< Of a million tokens, in `currency`; 0: no cost is reported.
  std::string currency = "CNY";
  double most_psi = 0.25;
  double most_refused_share = 0.20;                ///< Of requests.
  double most_abstained_share = 0.50;              ///< Of answers.
  double most_bad_share = 0.20;                    ///< Of ratings.
  double most_error_share = 0.02;
  double least_catch_rate = 0.80;                  ///< Of planted errors.
  int most_overdue = 0;                            ///< Reviews past their time limit.
  int least_for_share = 20;                        ///< Below so many cases a share raises no alert.
};

struct Window {
  std::int64_t from_ms = 0, to_ms = 0;
};

struct Drift {
  std::string what;                                ///< "question length", "topic" …
  std::optional<double> psi, ks;
};

struct Alert {
  std::string what;                                ///< Stable name: "psi.topic", "refused_share" …
  double value = 0, limit = 0;
};

struct Tally {
  std::int64_t requests = 0, prompt_tokens = 0, completion_tokens = 0;
  double cost = 0;
};

struct Report {
  Window window, before;
  std::int64_t records = 0, requests = 0, answers = 0;
  std::map<std::string, int> actions, outcomes, verdicts;         ///< verdicts: "rule verdict" → count.
  std::map<std::string, Tally> tenants, models;
  double p50_ms = 0, p95_ms = 0;
  int good = 0, bad = 0;                                          ///< Ratings.
  std::optional<ReviewQuality> reviews;
  std::vector<Drift> drift;
  std::vector<Alert> alerts;
};

/// Calls `line` with each record of the window, one JSON object as AuditReader::get gives it (opened and closed), until it
/// returns false.
using RecordSource = std::function<Result<void>(const Window&, const std::function<bool(const std::string&)>& line)>;

/// Sums up a window of records and compares it with the one of the same length before. Pure but for the source.
Result<Report> report(const MonitorSettings& settings, const RecordSource& source, Window window, std::optional<ReviewQuality> reviews);

/// `warnings`: what else whoever runs the program should know.
std::string to_json(const Report& report, const MonitorSettings& settings, const std::vector<std::string>& warnings = {});

}  // namespace heng::monitor
