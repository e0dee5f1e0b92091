// stop and resume: the stop buttons.
#include <fmt/format.h>

#include "../assembly.h"
#include "../caller.h"
#include "../options.h"
#include "../terminal.h"
#include "heng/api/json.h"
#include "heng/base/clock.h"

namespace heng::app {
namespace {

struct StopOptions {
  std::string kind, name, reason;
  std::int64_t id = 0;
  bool lifted = false;
};

int run_list(const Common& common, Assembly& assembly, const Principal& who, bool lifted) {
  auto stops = assembly.stops().list(who, lifted);
  if (!stops.ok()) return report(stops.error());
  std::vector<std::vector<std::string>> rows = {{"id", say("what", "对象"), say("since", "始于"), say("by", "操作人"), say("reason", "原因"), say("state", "状态")}};
  for (const auto& stop : *stops) {
    if (common.json) fmt::print("{}\n", api::to_json(stop));
    const std::string state = stop.resumed_ms         ? fmt::format("{} {}", say("lifted by", "解除："), stop.resumed_by.value)
                              : stop.resume_asked_ms ? fmt::format("{} {}", say("halted; resume asked by", "停用中；申请恢复："), stop.resume_asked_by.value)
                                                      : std::string(say("halted", "停用中"));
    rows.push_back({std::to_string(stop.id), fmt::format("{} {}", to_string(stop.kind), stop.name), iso8601(stop.stopped_ms).substr(0, 16), stop.stopped_by.value, stop.reason, state});
  }
  if (!common.json) fmt::print("{}", table(rows));
  return 0;
}

int run_stop(const Common& common, const StopOptions& options) {
  auto assembly = open_assembly(common.folder, Models::none);
  if (!assembly.ok()) return report(assembly.error());
  auto who = caller(**assembly);
  if (!who.ok()) return report(who.error());
  if (options.kind == "list") return run_list(common, **assembly, *who, options.lifted);
  auto kind = api::parse_stop_kind(options.kind);
  if (!kind.ok()) return report(kind.error());
  auto stop = (*assembly)->stops().stop(*who, *kind, options.name, options.reason);
  if (!stop.ok()) return report(stop.error());
  if (common.json) {
    fmt::print("{}\n", api::to_json(*stop));
  } else {
    fmt::print("{} {}: {} {} ({} heng resume {})\n", say("stop", "停用"), stop->id, to_string(stop->kind), stop->name, say("two people lift it with", "需两人解除："), stop->id);
  }
  return 0;
}

int run_resume(const Common& common, const StopOptions& options) {
  auto assembly = open_assembly(common.folder, Models::none);
  if (!assembly.ok()) return report(assembly.error());
  auto who = caller(**assembly);
  if (!who.ok()) return report(who.error());
  auto stop = (*assembly)->stops().resume(*who, options.id, options.reason);
  if (!stop.ok()) return report(stop.error());
  if (common.json) {
    fmt::print("{}\n", api::to_json(*stop));
  } else {
    fmt::print("{}\n", stop->resumed_ms ? say("lifted", "已解除") : say("asked for; a second person must agree with the same command", "已申请恢复；须由另一人以同一命令确认"));
  }
  return 0;
}

}  // namespace

void add_stop(CLI::App& app, Common& common, Run& run) {
  auto options = std::make_shared<StopOptions>();
  auto* stop = app.add_subcommand("stop", "halt a model, a tool, a desk, a tenant or everything, at once, also in running servers");
  stop->add_option("WHAT", options->kind, "everything, tenant, desk, model, tool; or list")->required()->check(CLI::IsMember({"everything", "tenant", "desk", "model", "tool", "list"}));
  stop->add_option("NAME", options->name, "which one; nothing for everything");
  stop->add_option("--reason", options->reason, "why; recorded, and told to whoever is refused");
  stop->add_flag("--lifted", options->lifted, "with list: show what was lifted too");
  stop->footer("Who stops is the owner of the key in HENG_KEY, else whoever runs the command. Running answers end between two tokens.");
  add_common(*stop, common);
  stop->callback([&common, &run, options] { run = [&common, options] { return run_stop(common, *options); }; });
  auto* resume = app.add_subcommand("resume", "ask to lift a stop; a second person lifts it with the same command");
  resume->add_option("ID", options->id, "as `heng stop list` shows it")->required();
  resume->add_option("--reason", options->reason, "why; recorded")->required();
  add_common(*resume, common);
  resume->callback([&common, &run, options] { run = [&common, options] { return run_resume(common, *options); }; });
}

}  // namespace heng::app
