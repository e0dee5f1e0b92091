// retention: deletes what is older than its term, except what a hold keeps.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "../assembly.h"
#include "../caller.h"
#include "../options.h"
#include "../retaining.h"
#include "../terminal.h"
#include "heng/access/access.h"
#include "heng/base/clock.h"
#include "heng/erasure/retention.h"

namespace heng::app {
namespace {

struct RetentionOptions {
  std::string tenant;
};

Result<Principal> officer(Assembly& assembly, const RetentionOptions& options) {
  auto who = HENG_TRY(caller(assembly));
  if (!options.tenant.empty() && options.tenant != who.tenant.value) {
    if (who.tenant.value != "default" || !who.is_admin()) return Error(ErrorCode::permission_denied, "another tenant's data need an administrator of the tenant \"default\"");
    who.tenant = TenantId(options.tenant);
  }
  const auto decision = HENG_TRY(access::make_policy({})).decide(who, access::Action::erase, {who.tenant, {}});
  if (!decision) return Error(ErrorCode::permission_denied, "retention needs the role privacy or admin");
  return who;
}

int run_retention(const Common& common, const RetentionOptions& options, bool dry) {
  auto assembly = open_assembly(common.folder, Models::none);
  if (!assembly.ok()) return report(assembly.error());
  auto who = officer(**assembly, options);
  if (!who.ok()) return report(who.error());
  auto& retention = (*assembly)->retention();
  auto counts = dry ? retention.plan(*who) : retention.run(*who);
  if (!counts.ok()) return report(counts.error());
  std::vector<std::vector<std::string>> rows = {{say("kind", "类别"), say("days", "天数"), say("older than", "早于"), dry ? say("would go", "将删除") : say("gone", "已删除"), say("held", "保全"), say("clause", "依据")}};
  for (const auto& count : *counts) {
    if (common.json)
      fmt::print("{}\n", nlohmann::ordered_json({{"kind", to_string(count.term.kind)}, {"days", count.term.days}, {"before", iso8601(count.before_ms)}, {dry ? "due" : "deleted", count.due},
                                                 {"held", count.held}, {"clause", count.term.clause}}).dump());
    rows.push_back({std::string(to_string(count.term.kind)), std::to_string(count.term.days), iso8601(count.before_ms).substr(0, 10), std::to_string(count.due), std::to_string(count.held), count.term.clause});
  }
  if (common.json) return 0;
  fmt::print("{}", table(rows, {1, 3, 4}));
  if (!dry) fmt::print("{}\n", say("Recorded. The ledger still verifies; backups made before still hold what went.", "已记录。账本仍可验证；此前的备份仍含已删除内容。"));
  return 0;
}

}  // namespace

void add_retention(CLI::App& app, Common& common, Run& run) {
  auto* verb = app.add_subcommand("retention", "delete what is older than its term, except what a hold keeps; the ledger still verifies");
  verb->require_subcommand(1);
  verb->footer("The terms stand in policies/retention.toml beside heng.toml. Run it daily, for each tenant.");
  auto options = std::make_shared<RetentionOptions>();
  auto add = [&, options](const char* name, const char* help, bool dry) {
    auto* sub = verb->add_subcommand(name, help);
    sub->add_option("--tenant", options->tenant, "whose data");
    add_common(*sub, common);
    sub->callback([&common, &run, options, dry] { run = [&common, options, dry] { return run_retention(common, *options, dry); }; });
  };
  add("plan", "what would go now, and what a hold keeps; changes nothing", true);
  add("run", "delete it; recorded before and after", false);
  auto* example = verb->add_subcommand("example", "print a policy to begin with");
  example->callback([&run] {
    run = [] {
      fmt::print("{}", retention_example());
      return 0;
    };
  });
}

}  // namespace heng::app
