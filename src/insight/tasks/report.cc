#include "heng/insight/report.h"

#include <nlohmann/json.hpp>

#include "heng/base/clock.h"

namespace heng::insight {
namespace {

using nlohmann::ordered_json;

ordered_json info_json(const TaskInfo& info) {
  ordered_json tiers = ordered_json::array(), metrics = ordered_json::object();
  for (const Tier tier : info.tiers) tiers.push_back(tier_name(tier));
  for (const auto& [name, value] : info.metrics) metrics[name] = value;
  ordered_json j = {{"name", info.name}, {"kind", task_kind_name(info.kind)}, {"input", task_input_name(info.input)}, {"description", info.description}, {"labels", info.labels}};
  if (!info.roles.empty()) j["roles"] = info.roles;
  j["tiers"] = tiers;
  ordered_json automatic = ordered_json::array();
  for (const Tier tier : info.automatic) automatic.push_back(tier_name(tier));
  j["automatic"] = automatic;
  j["metrics"] = metrics;
  j["rows"] = info.rows;
  j["data_sha256"] = info.data_sha256;
  if (info.trained_ms) j["trained"] = iso8601(info.trained_ms);
  j["evaluation_only"] = info.evaluation_only;
  return j;
}

ordered_json stage_json(const ClassificationReport& stage, bool confusion) {
  ordered_json classes = ordered_json::array();
  for (const auto& c : stage.classes) classes.push_back({{"label", c.label}, {"rows", c.rows}, {"precision", c.precision}, {"recall", c.recall}, {"f1", c.f1}});
  ordered_json j = {{"stage", stage.stage}, {"measured_on", stage.measured_on}, {"rows", stage.rows}, {"missing", stage.missing}, {"accuracy", stage.accuracy}, {"macro_f1", stage.macro_f1},
                    {"weighted_f1", stage.weighted_f1}, {"ece", stage.ece}, {"log_loss", stage.log_loss}, {"classes", classes}};
  if (confusion) j["confusion"] = stage.confusion;
  return j;
}

}  // namespace

std::string report_to_json(const TrainingReport& report) {
  ordered_json stages = ordered_json::array(), times = ordered_json::object();
  for (const auto& stage : report.stages) stages.push_back(stage_json(stage, true));
  for (const auto& time : report.times) times[time.stage] = time.seconds;
  ordered_json j = {{"task", info_json(report.info)}, {"stages", stages}, {"seconds", times}};
  if (report.cascade) {
    ordered_json steps = ordered_json::array();
    for (const auto& s : report.cascade->steps) steps.push_back({{"tier", tier_name(s.tier)}, {"threshold", s.threshold}, {"share", s.share}, {"accuracy", s.accuracy}});
    j["cascade"] = {{"tolerance", report.cascade->tolerance}, {"confidence", report.cascade->confidence}, {"steps", steps}, {"accuracy", report.cascade->accuracy}, {"last_accuracy", report.cascade->last_accuracy}};
  }
  j["notes"] = report.notes;
  return j.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

std::string task_info_to_json(const TaskInfo& info) { return info_json(info).dump(-1, ' ', false, ordered_json::error_handler_t::replace); }

}  // namespace heng::insight
