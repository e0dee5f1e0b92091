// user: people who log in with a password.
#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

#include <iostream>

#include "../assembly.h"
#include "../caller.h"
#include "../options.h"
#include "../terminal.h"
#include "heng/api/json.h"
#include "heng/base/clock.h"
#include "heng/base/text.h"

namespace heng::app {
namespace {

struct UserOptions {
  std::string user, tenant = "default", name, desk, purpose, clearance = "C1", code;
  std::vector<std::string> roles = {"user"};
  bool password_stdin = false, off = false;
};

/// Typed without being shown, or the first line of standard input where that is no terminal.
std::string read_password(const char* prompt) {
  const bool terminal = isatty(STDIN_FILENO);
  termios before{};
  if (terminal) {
    std::fprintf(stderr, "%s", prompt);
    tcgetattr(STDIN_FILENO, &before);
    termios hidden = before;
    hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(STDIN_FILENO, TCSANOW, &hidden);
  }
  std::string out;
  std::getline(std::cin, out);
  if (terminal) {
    tcsetattr(STDIN_FILENO, TCSANOW, &before);
    std::fprintf(stderr, "\n");
  }
  return out;
}

Result<void> note(Assembly& assembly, const Principal& who, const char* action, const UserOptions& options) {
  const std::int64_t now = system_clock().unix_ms();
  HENG_TRY(assembly.audit().note({.request = new_request_id(now, system_random()), .time_ms = now, .principal = who, .action = action,
                                  .subject = fmt::format("{}/{}", options.tenant, options.user), .resource = options.user},
                                 {.time_ms = now, .outcome = "ok"}));
  return {};
}

/// Administrators only; whoever runs the machine manages every tenant.
Result<Principal> manager(Assembly& assembly, const UserOptions& options) {
  auto who = HENG_TRY(caller(assembly));
  if (!who.is_admin() || (who.tenant.value != "default" && who.tenant.value != options.tenant))
    return Error(ErrorCode::permission_denied, "managing users needs the role admin, for other tenants that of the tenant \"default\"");
  return who;
}

int run_change(const Common& common, const UserOptions& options, const char* action, const std::function<Result<void>(Users&)>& change) {
  auto assembly = open_assembly(common.folder, Models::none);
  if (!assembly.ok()) return report(assembly.error());
  auto who = manager(**assembly, options);
  if (!who.ok()) return report(who.error());
  auto done = change((*assembly)->users());
  if (!done.ok()) return report(done.error());
  auto noted = note(**assembly, *who, action, options);
  if (!noted.ok()) return report(noted.error());
  if (!common.json) fmt::print("{}\n", say("done", "完成"));
  return 0;
}

int run_add(const Common& common, const UserOptions& options) {
  const std::string password = read_password(say("password: ", "口令："));
  return run_change(common, options, "user.create", [&](Users& users) -> Result<void> {
    NewUser user;
    user.tenant = TenantId(options.tenant);
    user.user = UserId(options.user);
    user.name = options.name;
    user.desk = options.desk;
    user.purpose = options.purpose;
    user.roles = options.roles;
    user.clearance = options.clearance == "C3" ? DataClass::c3 : options.clearance == "C2" ? DataClass::c2 : DataClass::c1;
    user.password = password;
    HENG_TRY(users.create_user(user));
    return {};
  });
}

int run_list(const Common& common, const UserOptions& options) {
  auto assembly = open_assembly(common.folder, Models::none);
  if (!assembly.ok()) return report(assembly.error());
  auto who = manager(**assembly, options);
  if (!who.ok()) return report(who.error());
  auto users = (*assembly)->users().users(TenantId(options.tenant));
  if (!users.ok()) return report(users.error());
  std::vector<std::vector<std::string>> rows = {{say("user", "用户"), say("name", "姓名"), say("roles", "角色"), say("desk", "部门"), say("clearance", "密级"), say("second factor", "双因素"), say("last login", "上次登录"), say("state", "状态")}};
  for (const auto& user : *users) {
    if (common.json) fmt::print("{}\n", api::to_json(user));
    rows.push_back({user.user.value, user.name, text::join(user.roles, ","), user.desk, user.clearance == DataClass::c3 ? "C3" : user.clearance == DataClass::c2 ? "C2" : "C1",
                    user.totp ? say("yes", "是") : say("no", "否"), user.last_login_ms ? iso8601(user.last_login_ms).substr(0, 16) : "–", user.disabled ? say("disabled", "已停用") : say("active", "有效")});
  }
  if (!common.json) fmt::print("{}", table(rows));
  return 0;
}

int run_totp(const Common& common, const UserOptions& options) {
  const TenantId tenant(options.tenant);
  const UserId user(options.user);
  if (options.off) return run_change(common, options, "user.totp_off", [&](Users& users) { return users.remove_totp(tenant, user); });
  if (!options.code.empty()) return run_change(common, options, "user.totp_on", [&](Users& users) { return users.confirm_totp(tenant, user, options.code); });
  std::string uri;
  const int code = run_change(common, options, "user.totp_begin", [&](Users& users) -> Result<void> {
    uri = HENG_TRY(users.begin_totp(tenant, user));
    return {};
  });
  if (code == 0) fmt::print("{}\n", uri);
  if (code == 0 && !common.json) fmt::print("{}\n", say("Put it into an authenticator; it is in force when you show a code: heng user totp USER --code 123456", "请录入验证器；以验证码确认后生效：heng user totp 用户 --code 123456"));
  return code;
}

}  // namespace

void add_user(CLI::App& app, Common& common, Run& run) {
  auto* verb = app.add_subcommand("user", "people who log in with a password: add, list, disable, passwd, totp");
  verb->require_subcommand(1);
  auto options = std::make_shared<UserOptions>();
  auto add = [&, options](const char* name, const char* help, auto function, bool named = true) {
    auto* sub = verb->add_subcommand(name, help);
    if (named) sub->add_option("USER", options->user, "the name to log in with")->required();
    sub->add_option("--tenant", options->tenant, "whose data");
    add_common(*sub, common);
    sub->callback([&common, &run, options, function] { run = [&common, options, function] { return function(common, *options); }; });
    return sub;
  };
  auto* made = add("add", "make an account; the password is read from standard input", run_add);
  made->add_option("--name", options->name, "the person's name");
  made->add_option("--roles", options->roles, "for example analyst,reviewer")->delimiter(',');
  made->add_option("--desk", options->desk, "the business unit");
  made->add_option("--purpose", options->purpose, "why this person uses data; recorded with each request");
  made->add_option("--clearance", options->clearance, "highest data class it may read")->check(CLI::IsMember({"C1", "C2", "C3"}));
  add("list", "accounts of a tenant", run_list, false);
  add("disable", "end the sessions and refuse the account", [](const Common& c, const UserOptions& o) {
    return run_change(c, o, "user.disable", [&](Users& users) { return users.set_disabled(TenantId(o.tenant), UserId(o.user), true); });
  });
  add("enable", "let it in again", [](const Common& c, const UserOptions& o) {
    return run_change(c, o, "user.enable", [&](Users& users) { return users.set_disabled(TenantId(o.tenant), UserId(o.user), false); });
  });
  add("passwd", "set a new password, read from standard input; ends the sessions and lifts a lock", [](const Common& c, const UserOptions& o) {
    const std::string password = read_password(say("new password: ", "新口令："));
    return run_change(c, o, "user.password", [&](Users& users) { return users.set_password(TenantId(o.tenant), UserId(o.user), password); });
  });
  auto* totp = add("totp", "a second factor (RFC 6238)", run_totp);
  totp->add_option("--code", options->code, "a code of the new secret, to put it in force");
  totp->add_flag("--off", options->off, "without it again");
}

}  // namespace heng::app
