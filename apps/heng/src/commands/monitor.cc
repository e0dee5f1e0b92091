// monitor, incident, inventory: what goes on, what went wrong, which models the institution answers for.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "../assembly.h"
#include "../caller.h"
#include "../options.h"
#include "../terminal.h"
#include "heng/access/access.h"
#include "heng/base/clock.h"
#include "heng/monitor/registry.h"

namespace heng::app {
namespace {

using Json = nlohmann::ordered_json;

struct MonitorOptions {
  int hours = 24;
  bool all_tenants = false, closed = false;
  std::int64_t id = 0;
  std::string title, text, severity = "medium", state = "open", tenant;
  monitor::ModelEntry model;
};

Result<Principal> allowed(Assembly& assembly, access::Action action) {
  auto who = HENG_TRY(caller(assembly));
  const auto decision = access::Policy(access::builtin_rules()).decide(who, action, {who.tenant, {}});
  if (!decision) return Error(ErrorCode::permission_denied, fmt::format("this needs the right {}", access::to_string(action)));
  return who;
}

void print_report(const Json& r) {
  fmt::print("{} … {} · {} {} · {} {}\n", r["from"].get<std::string>(), r["to"].get<std::string>(), r["records"].get<int>(), say("records", "条记录"), r["requests"].get<int>(), say("requests", "次请求"));
  const auto list = [](const char* title, const Json& counts) {
    std::string line;
    for (const auto& [name, count] : counts.items()) line += fmt::format("{}{} {}", line.empty() ? "" : " · ", name, count.get<int>());
    fmt::print("{}: {}\n", bold(title), line.empty() ? "–" : line);
  };
  list(say("outcomes", "结果"), r["outcomes"]);
  list(say("verdicts", "裁定"), r["verdicts"]);
  fmt::print("{}: p50 {:.0f} ms · p95 {:.0f} ms\n", bold(say("time", "用时")), r["latency_ms"]["p50"].get<double>(), r["latency_ms"]["p95"].get<double>());
  fmt::print("{}: {} / {}\n", bold(say("ratings good / bad", "好评 / 差评")), r["ratings"]["good"].get<int>(), r["ratings"]["bad"].get<int>());
  std::vector<std::vector<std::string>> rows = {{say("tenant", "租户"), say("requests", "请求"), say("prompt", "输入词元"), say("completion", "输出词元"), say("cost", "费用")}};
  for (const auto& [name, t] : r["tenants"].items())
    rows.push_back({name, t["requests"].dump(), t["prompt_tokens"].dump(), t["completion_tokens"].dump(), t["cost"].is_null() ? "–" : fmt::format("{:.4f} {}", t["cost"].get<double>(), r["currency"].get<std::string>())});
  fmt::print("{}", table(rows, {1, 2, 3, 4}));
  rows = {{say("drift against the window before", "与上一窗口相比的漂移"), "PSI", "KS"}};
  for (const auto& [name, d] : r["drift"].items())
    rows.push_back({name, d["psi"].is_null() ? say("too few", "样本不足") : fmt::format("{:.3f}", d["psi"].get<double>()), d["ks"].is_null() ? "–" : fmt::format("{:.3f}", d["ks"].get<double>())});
  fmt::print("{}", table(rows, {1, 2}));
  for (const auto& alert : r["alerts"])
    fmt::print("{} {}: {:.3f} ({} {:.3f})\n", bold(say("ALERT", "告警")), alert["alert"].get<std::string>(), alert["value"].get<double>(), say("limit", "限值"), alert["limit"].get<double>());
}

void print_warnings(const Json& r) {
  for (const auto& warning : r["warnings"]) fmt::print("{}: {}\n", bold(say("warning", "提醒")), warning.get<std::string>());
}

int run_report(const Common& common, const MonitorOptions& options) {
  auto assembly = open_assembly(common.folder, Models::none);
  if (!assembly.ok()) return report(assembly.error());
  auto who = allowed(**assembly, access::Action::monitor_read);
  if (!who.ok()) return report(who.error());
  if (options.all_tenants && who->tenant.value != "default") return report(Error(ErrorCode::permission_denied, "all tenants are shown to the tenant \"default\" only"));
  auto text = (*assembly)->monitor_report(options.all_tenants ? nullptr : &who->tenant, options.hours);
  if (!text.ok()) return report(text.error());
  const Json json = Json::parse(*text);
  if (common.json) {
    fmt::print("{}\n", *text);
  } else {
    print_report(json);
    print_warnings(json);
  }
  return json["alerts"].empty() ? 0 : 1;
}

void print_incident(const Common& common, const monitor::Incident& incident) {
  if (common.json) {
    fmt::print("{}\n", monitor::to_json(incident));
    return;
  }
  fmt::print("{} {} · {} · {}\n", incident.id, bold(incident.title), incident.severity, monitor::to_string(incident.state));
  for (const auto& step : incident.timeline) fmt::print("  {} {}\n{}\n", iso8601(step.time_ms).substr(0, 19), step.who.value, wrap(step.text, 92, "    "));
}

int run_incident(const Common& common, const MonitorOptions& options, const std::function<Result<monitor::Incident>(monitor::Registry&, const Principal&)>& change) {
  auto assembly = open_assembly(common.folder, Models::none);
  if (!assembly.ok()) return report(assembly.error());
  auto who = allowed(**assembly, access::Action::incident_manage);
  if (!who.ok()) return report(who.error());
  if (change) {
    auto incident = change((*assembly)->registry(), *who);
    if (!incident.ok()) return report(incident.error());
    print_incident(common, *incident);
    return 0;
  }
  auto incidents = (*assembly)->registry().incidents(*who, options.closed);
  if (!incidents.ok()) return report(incidents.error());
  for (const auto& incident : *incidents) print_incident(common, incident);
  return 0;
}

int run_model(const Common& common, const std::function<Result<monitor::ModelEntry>(Assembly&, const Principal&)>& change) {
  auto assembly = open_assembly(common.folder, Models::none);
  if (!assembly.ok()) return report(assembly.error());
  auto who = allowed(**assembly, access::Action::inventory_manage);
  if (!who.ok()) return report(who.error());
  auto entry = change(**assembly, *who);
  if (!entry.ok()) return report(entry.error());
  fmt::print("{}\n", common.json ? monitor::to_json(*entry) : fmt::format("{}: {}", entry->name, entry->approval));
  return 0;
}

int run_models(const Common& common, const MonitorOptions& options, bool card) {
  auto assembly = open_assembly(common.folder, Models::none);
  if (!assembly.ok()) return report(assembly.error());
  auto who = allowed(**assembly, access::Action::monitor_read);
  if (!who.ok()) return report(who.error());
  auto models = (*assembly)->registry().models(*who);
  if (!models.ok()) return report(models.error());
  std::vector<std::vector<std::string>> rows = {{say("model", "模型"), say("owner", "责任部门"), say("materiality", "重要性"), say("approval", "审批"), "sha256", say("purpose", "用途")}};
  for (const auto& entry : *models) {
    if (card && entry.name != options.model.name) continue;
    if (card) {
      auto usage = (*assembly)->monitor_report(&who->tenant, options.hours);
      fmt::print("{}", monitor::model_card(entry, usage.ok() ? *usage : ""));
      return 0;
    }
    if (common.json) fmt::print("{}\n", monitor::to_json(entry));
    rows.push_back({entry.name, entry.owner, entry.materiality, entry.approval, entry.sha256.substr(0, 12), entry.purpose});
  }
  if (card) return report(Error(ErrorCode::not_found, fmt::format("the inventory has no model \"{}\"", options.model.name)));
  if (!common.json) fmt::print("{}", table(rows));
  return 0;
}

using Function = std::function<int(const Common&, const MonitorOptions&)>;

void add_incidents(CLI::App& app, Common& common, Run& run, const std::shared_ptr<MonitorOptions>& options) {
  auto* verb = app.add_subcommand("incident", "what went wrong, with a timeline");
  verb->require_subcommand(1);
  auto add = [&](const char* name, const char* help, Function function) {
    auto* sub = verb->add_subcommand(name, help);
    add_common(*sub, common);
    sub->callback([&common, &run, options, function] { run = [&common, options, function] { return function(common, *options); }; });
    return sub;
  };
  auto* open = add("open", "begin one", [](const Common& c, const MonitorOptions& o) {
    return run_incident(c, o, [&o](monitor::Registry& r, const Principal& who) { return r.open_incident(who, o.title, o.severity, o.text); });
  });
  open->add_option("--title", options->title, "in one line")->required();
  open->add_option("--severity", options->severity, "")->check(CLI::IsMember({"low", "medium", "high"}));
  open->add_option("--text", options->text, "what happened")->required();
  auto* step = add("step", "add to its timeline", [](const Common& c, const MonitorOptions& o) {
    const auto state = o.state == "closed" ? monitor::IncidentState::closed : o.state == "mitigated" ? monitor::IncidentState::mitigated : monitor::IncidentState::open;
    return run_incident(c, o, [&o, state](monitor::Registry& r, const Principal& who) { return r.add_step(who, o.id, o.text, state); });
  });
  step->add_option("ID", options->id, "as `heng incident list` shows it")->required();
  step->add_option("--text", options->text, "what was done or found")->required();
  step->add_option("--state", options->state, "the state after it")->check(CLI::IsMember({"open", "mitigated", "closed"}));
  add("list", "what is open", [](const Common& c, const MonitorOptions& o) { return run_incident(c, o, nullptr); })->add_flag("--closed", options->closed, "show the closed too");
}

void add_inventory(CLI::App& app, Common& common, Run& run, const std::shared_ptr<MonitorOptions>& options) {
  auto* verb = app.add_subcommand("inventory", "the models the institution answers for: owner, purpose, materiality, approval, model card");
  verb->require_subcommand(1);
  auto add = [&](const char* name, const char* help, Function function) {
    auto* sub = verb->add_subcommand(name, help);
    add_common(*sub, common);
    sub->callback([&common, &run, options, function] { run = [&common, options, function] { return function(common, *options); }; });
    return sub;
  };
  auto& model = options->model;
  auto* put = add("put", "propose a model, or change its entry", [](const Common& c, const MonitorOptions& o) {
    return run_model(c, [&o](Assembly& a, const Principal& who) { return a.registry().put_model(who, o.model); });
  });
  put->add_option("NAME", model.name, "as `heng models list` shows it")->required();
  put->add_option("--sha256", model.sha256, "of the weights")->required();
  put->add_option("--owner", model.owner, "who answers for it")->required();
  put->add_option("--purpose", model.purpose, "what it may be used for")->required();
  put->add_option("--materiality", model.materiality, "")->check(CLI::IsMember({"unrated", "low", "medium", "high"}));
  put->add_option("--limits", model.limits, "what it must not be used for; known weaknesses");
  auto* approve = add("approve", "approve these weights; not by who proposed them", [](const Common& c, const MonitorOptions& o) {
    return run_model(c, [&o](Assembly& a, const Principal& who) { return a.registry().approve_model(who, o.model.name, o.model.sha256); });
  });
  approve->add_option("NAME", model.name, "")->required();
  approve->add_option("--sha256", model.sha256, "of the weights you have judged")->required();
  auto* withdraw = add("withdraw", "take the approval back", [](const Common& c, const MonitorOptions& o) {
    return run_model(c, [&o](Assembly& a, const Principal& who) { return a.registry().withdraw_model(who, o.model.name, o.text); });
  });
  withdraw->add_option("NAME", model.name, "")->required();
  withdraw->add_option("--reason", options->text, "recorded")->required();
  add("list", "all entries", [](const Common& c, const MonitorOptions& o) { return run_models(c, o, false); });
  auto* card = add("card", "the model card, with what was measured in use", [](const Common& c, const MonitorOptions& o) { return run_models(c, o, true); });
  card->add_option("NAME", model.name, "")->required();
  card->add_option("--hours", options->hours, "window of the figures")->check(CLI::Range(1, 8784));
}

}  // namespace

void add_monitor(CLI::App& app, Common& common, Run& run) {
  auto options = std::make_shared<MonitorOptions>();
  auto* verb = app.add_subcommand("monitor", "usage, refusals, verdicts, drift, quality, cost, alerts");
  verb->require_subcommand(1);
  auto* reported = verb->add_subcommand("report", "the last hours against the ones before; exit code 1 where there are alerts");
  reported->add_option("--hours", options->hours, "length of the window")->check(CLI::Range(1, 8784));
  reported->add_flag("--all-tenants", options->all_tenants, "for whoever runs the machine");
  add_common(*reported, common);
  reported->callback([&common, &run, options] { run = [&common, options] { return run_report(common, *options); }; });
  add_incidents(app, common, run, options);
  add_inventory(app, common, run, options);
}

}  // namespace heng::app
