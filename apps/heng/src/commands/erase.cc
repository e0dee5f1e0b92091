// erase and hold: a customer's right to be forgotten, and what stands against it.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "../assembly.h"
#include "../caller.h"
#include "../options.h"
#include "../terminal.h"
#include "heng/access/access.h"
#include "heng/base/clock.h"
#include "heng/erasure/subject_erasure.h"

namespace heng::app {
namespace {

struct EraseOptions {
  std::string subject, reason, tenant;
  std::int64_t id = 0, record = -1;
  int days = 0;
  bool released = false;
};

/// The caller, in the tenant it names; whoever runs the machine may name any.
Result<Principal> officer(Assembly& assembly, const EraseOptions& options) {
  auto who = HENG_TRY(caller(assembly));
  if (!options.tenant.empty() && options.tenant != who.tenant.value) {
    if (who.tenant.value != "default" || !who.is_admin()) return Error(ErrorCode::permission_denied, "another tenant's data need an administrator of the tenant \"default\"");
    who.tenant = TenantId(options.tenant);
  }
  const auto decision = HENG_TRY(access::make_policy({})).decide(who, access::Action::erase, {who.tenant, {}});
  if (!decision) return Error(ErrorCode::permission_denied, "erasing needs the role privacy or admin");
  return who;
}

int run_erase(const Common& common, const EraseOptions& options) {
  auto assembly = open_assembly(common.folder, Models::none);
  if (!assembly.ok()) return report(assembly.error());
  auto who = officer(**assembly, options);
  if (!who.ok()) return report(who.error());
  auto done = (*assembly)->subject_erasure().erase(*who, options.subject, options.reason);
  if (!done.ok()) return report(done.error());
  if (common.json) {
    fmt::print("{}\n", nlohmann::json({{"documents", done->documents}, {"reviews", done->reviews}, {"ratings", done->ratings}, {"values", done->values}, {"records", done->records}, {"keys", done->keys},
                                       {"subject_tag", done->subject_tag}}).dump());
    return 0;
  }
  fmt::print("{}: {} {}, {} {}, {} {}, {} {}\n", say("erased", "已删除"), done->documents, say("documents", "份文档"), done->reviews, say("reviews", "项复核"), done->ratings, say("ratings", "条评价"),
             done->records, say("records made unreadable", "条记录已不可读"));
  fmt::print("{}\n", say("The ledger still verifies. Backups made before still hold the key: let them expire, or restore, erase and back up anew.",
                         "账本仍可验证。此前的备份仍含该主体密钥：请令其到期作废，或恢复后删除并重新备份。"));
  return 0;
}

std::string date(std::int64_t ms) { return ms == 0 ? "–" : iso8601(ms).substr(0, 10); }

int run_hold(const Common& common, const EraseOptions& options) {
  auto assembly = open_assembly(common.folder, Models::none);
  if (!assembly.ok()) return report(assembly.error());
  auto who = officer(**assembly, options);
  if (!who.ok()) return report(who.error());
  const std::int64_t until = options.days > 0 ? system_clock().unix_ms() + options.days * 86'400'000LL : 0;
  if (options.subject.empty() == (options.record < 0)) return report(Error(ErrorCode::invalid_argument, "name either --subject or --record", "subject"));
  const std::string what = options.record >= 0 ? fmt::format("record:{}", options.record) : options.subject;
  auto hold = (*assembly)->subject_erasure().hold(*who, what, options.reason, until);
  if (!hold.ok()) return report(hold.error());
  if (common.json) {
    fmt::print("{}\n", nlohmann::json({{"id", hold->id}, {"until", date(hold->until_ms)}}).dump());
  } else {
    fmt::print("{} {}\n", say("hold", "保全"), hold->id);
  }
  return 0;
}

int run_release(const Common& common, const EraseOptions& options) {
  auto assembly = open_assembly(common.folder, Models::none);
  if (!assembly.ok()) return report(assembly.error());
  auto who = officer(**assembly, options);
  if (!who.ok()) return report(who.error());
  auto hold = (*assembly)->subject_erasure().release(*who, options.id, options.reason);
  if (!hold.ok()) return report(hold.error());
  if (!common.json) fmt::print("{}\n", say("released", "已解除"));
  return 0;
}

int run_holds(const Common& common, const EraseOptions& options) {
  auto assembly = open_assembly(common.folder, Models::none);
  if (!assembly.ok()) return report(assembly.error());
  auto who = officer(**assembly, options);
  if (!who.ok()) return report(who.error());
  auto holds = (*assembly)->subject_erasure().holds(*who, options.released);
  if (!holds.ok()) return report(holds.error());
  std::vector<std::vector<std::string>> rows = {{"id", say("subject", "主体"), say("set by", "设置人"), say("until", "至"), say("released by", "解除人"), say("reason", "原因")}};
  for (const auto& hold : *holds) {
    if (common.json)
      fmt::print("{}\n", nlohmann::json({{"id", hold.id}, {"subject", hold.subject}, {"set_by", hold.set_by.value}, {"until", date(hold.until_ms)}, {"released_by", hold.released_by.value}, {"reason", hold.reason}}).dump());
    rows.push_back({std::to_string(hold.id), hold.subject, hold.set_by.value, date(hold.until_ms), hold.released_by.value, hold.reason});
  }
  if (!common.json) fmt::print("{}", table(rows));
  return 0;
}

}  // namespace

void add_erase(CLI::App& app, Common& common, Run& run) {
  auto options = std::make_shared<EraseOptions>();
  auto* erase = app.add_subcommand("erase", "erase everything kept about one customer; the ledger still verifies");
  erase->add_option("--subject", options->subject, "the id that requests and documents named")->required();
  erase->add_option("--reason", options->reason, "recorded, without the id")->required();
  erase->add_option("--tenant", options->tenant, "whose customer");
  erase->footer("Deletes documents, reviews and ratings, and destroys the subject's keys. Refused while a legal hold or a retention period stands.");
  add_common(*erase, common);
  erase->callback([&common, &run, options] { run = [&common, options] { return run_erase(common, *options); }; });
  auto* hold = app.add_subcommand("hold", "legal holds and retention periods that forbid an erasure");
  hold->require_subcommand(1);
  auto add = [&, options](const char* name, const char* help, int (*function)(const Common&, const EraseOptions&)) {
    auto* sub = hold->add_subcommand(name, help);
    sub->add_option("--tenant", options->tenant, "whose customer");
    add_common(*sub, common);
    sub->callback([&common, &run, options, function] { run = [&common, options, function] { return function(common, *options); }; });
    return sub;
  };
  auto* set = add("set", "forbid erasing a subject, or a record's contents; retention passes it over too", run_hold);
  set->add_option("--subject", options->subject, "the customer's id; '*': everything of the tenant");
  set->add_option("--record", options->record, "the index of a record in the ledger, instead of a subject")->check(CLI::NonNegativeNumber);
  set->add_option("--reason", options->reason, "the case or the rule that wants it kept")->required();
  set->add_option("--days", options->days, "for so many days; 0: until released")->check(CLI::NonNegativeNumber);
  auto* release = add("release", "lift a hold; not by who set it", run_release);
  release->add_option("ID", options->id, "as `heng hold list` shows it")->required();
  release->add_option("--reason", options->reason, "recorded")->required();
  add("list", "what stands", run_holds)->add_flag("--released", options->released, "show what was released too");
}

}  // namespace heng::app
