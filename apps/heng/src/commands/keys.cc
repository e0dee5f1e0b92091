#include <fmt/format.h>

#include "../assembly.h"
#include "../options.h"
#include "../terminal.h"
#include "heng/api/json.h"
#include "heng/base/clock.h"
#include "heng/base/text.h"

namespace heng::app {
namespace {

struct KeyOptions {
  std::string name, user = "user", tenant = "default", id;
  std::vector<std::string> roles = {"user"};
  std::string desk, purpose, clearance = "C1";
  int requests_per_minute = 0, days = 0;
  std::int64_t tokens_per_day = 0;
};

Result<std::pair<KeyInfo, std::string>> create_key(Assembly& assembly, const KeyOptions& options) {
  NewKey key;
  key.tenant = TenantId(options.tenant);
  key.user = UserId(options.user);
  key.name = options.name;
  key.roles = options.roles;
  key.desk = options.desk;
  key.purpose = options.purpose;
  key.clearance = options.clearance == "C3" ? DataClass::c3 : options.clearance == "C2" ? DataClass::c2 : DataClass::c1;
  key.quota = {options.requests_per_minute, options.tokens_per_day};
  const std::int64_t now = system_clock().unix_ms();
  if (options.days > 0) key.expires_ms = now + options.days * 86'400'000LL;
  auto made = HENG_TRY(assembly.identity().create_key(key));
  HENG_TRY(assembly.audit().note({.request = new_request_id(now, system_random()), .time_ms = now, .principal = assembly.local_principal(),
                                  .action = "key.create", .subject = options.name, .resource = made.first.id.value},
                                 {.time_ms = now, .outcome = "ok"}));
  return made;
}

int run_create(const Common& common, const KeyOptions& options) {
  auto assembly = open_assembly(common.folder, Models::none);
  if (!assembly.ok()) return report(assembly.error());
  auto made = create_key(**assembly, options);
  if (!made.ok()) return report(made.error());
  if (common.json) {
    std::string info = api::to_json(made->first);
    info.back() = ',';
    fmt::print("{}\"secret\":\"{}\"}}\n", info, made->second);
  } else {
    fmt::print("{}\n  {}\n", say("The key, shown only once:", "密钥，仅显示一次："), bold(made->second));
  }
  return 0;
}

int run_list(const Common& common, const std::string& tenant) {
  auto assembly = open_assembly(common.folder, Models::none);
  if (!assembly.ok()) return report(assembly.error());
  auto keys = (*assembly)->identity().keys(TenantId(tenant));
  if (!keys.ok()) return report(keys.error());
  std::vector<std::vector<std::string>> rows = {{"id", say("name", "名称"), say("user", "用户"), say("roles", "角色"), say("created", "创建"), say("state", "状态")}};
  for (const auto& key : *keys) {
    if (common.json) fmt::print("{}\n", api::to_json(key));
    rows.push_back({key.id.value, key.name, key.user.value, text::join(key.roles, ","), iso8601(key.created_ms).substr(0, 10), key.revoked ? say("revoked", "已吊销") : say("valid", "有效")});
  }
  if (!common.json) fmt::print("{}", table(rows));
  return 0;
}

int run_revoke(const Common& common, const KeyOptions& options) {
  auto assembly = open_assembly(common.folder, Models::none);
  if (!assembly.ok()) return report(assembly.error());
  auto done = (*assembly)->identity().revoke_key(TenantId(options.tenant), KeyId(options.id));
  if (!done.ok()) return report(done.error());
  const std::int64_t now = system_clock().unix_ms();
  auto noted = (*assembly)->audit().note({.request = new_request_id(now, system_random()), .time_ms = now, .principal = (*assembly)->local_principal(),
                                          .action = "key.revoke", .subject = options.id, .resource = options.id},
                                         {.time_ms = now, .outcome = "ok"});
  if (!noted.ok()) return report(noted.error());
  fmt::print("{}\n", say("revoked", "已吊销"));
  return 0;
}

}  // namespace

void add_keys(CLI::App& app, Common& common, Run& run) {
  auto* verb = app.add_subcommand("key", "make, list and revoke API keys");
  verb->require_subcommand(1);
  auto options = std::make_shared<KeyOptions>();
  auto* create = verb->add_subcommand("create", "make a key; the secret is shown once and stored as a hash only");
  create->add_option("--name", options->name, "what it is for")->required();
  create->add_option("--user", options->user, "who uses it");
  create->add_option("--tenant", options->tenant, "whose data it sees");
  create->add_option("--roles", options->roles, "for example analyst,adviser; admin and auditor have rights of their own")->delimiter(',');
  create->add_option("--desk", options->desk, "the business unit that uses it");
  create->add_option("--purpose", options->purpose, "why it is used; recorded with each request");
  create->add_option("--clearance", options->clearance, "highest data class it may read")->check(CLI::IsMember({"C1", "C2", "C3"}));
  create->add_option("--requests-per-minute", options->requests_per_minute, "0: no limit")->check(CLI::NonNegativeNumber);
  create->add_option("--tokens-per-day", options->tokens_per_day, "0: no limit")->check(CLI::NonNegativeNumber);
  create->add_option("--days", options->days, "valid for so many days; 0: until revoked")->check(CLI::NonNegativeNumber);
  add_common(*create, common);
  create->callback([&, options] { run = [&common, options] { return run_create(common, *options); }; });
  auto* list = verb->add_subcommand("list", "keys of a tenant");
  list->add_option("--tenant", options->tenant, "whose");
  add_common(*list, common);
  list->callback([&, options] { run = [&common, options] { return run_list(common, options->tenant); }; });
  auto* revoke = verb->add_subcommand("revoke", "make a key worthless at once");
  revoke->add_option("ID", options->id, "as `heng key list` shows it")->required();
  revoke->add_option("--tenant", options->tenant, "whose");
  add_common(*revoke, common, false);
  revoke->callback([&, options] { run = [&common, options] { return run_revoke(common, *options); }; });
}

}  // namespace heng::app
