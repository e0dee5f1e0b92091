// vault: the values behind tokens; two people read one back.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "../assembly.h"
#include "../caller.h"
#include "../options.h"
#include "../terminal.h"
#include "heng/access/access.h"
#include "heng/api/json.h"
#include "heng/base/clock.h"

namespace heng::app {
namespace {

struct VaultOptions {
  std::string token, type, id, reason, sha256, subject;
  int limit = 50;
  bool requests = false;
};

/// The caller with the right to use the vault. Who decides is checked by the queue.
Result<Principal> user_of_vault(Assembly& assembly, const Common& common, const VaultOptions& options) {
  auto who = HENG_TRY(caller(assembly));
  const auto config = HENG_TRY(load_config(common.folder));
  const auto decision = HENG_TRY(access::make_policy(config.roles)).decide(who, access::Action::vault_use, {who.tenant, {}});
  if (!decision) return Error(ErrorCode::permission_denied, "the vault needs the right vault.use (roles privacy, supervisor, risk, auditor, admin)");
  who.data_subject = options.subject;
  return who;
}

const char* state_word(UnmaskState state) {
  switch (state) {
    case UnmaskState::waiting: return say("waiting", "待审批");
    case UnmaskState::approved: return say("approved", "已批准");
    case UnmaskState::rejected: return say("rejected", "已驳回");
    case UnmaskState::expired: return say("expired", "已过期");
    case UnmaskState::shown: return say("read", "已读取");
  }
  return "";
}

void print_request(const Common& common, const UnmaskRequest& request) {
  if (common.json) {
    fmt::print("{}\n", api::to_json(request));
    return;
  }
  fmt::print("{} {} · {} · {} {} · {} {}\n{}\n  {}\n", bold(request.id.value), state_word(request.state), request.token, say("by", "申请人"), request.requester.value, say("until", "有效至"),
             iso8601(request.expires_ms).substr(0, 16), wrap(request.text, 96, "  "), dim("sha256 " + request.sha256));
}

int run_list(const Common& common, const VaultOptions& options) {
  auto assembly = open_assembly(common.folder, Models::none);
  if (!assembly.ok()) return report(assembly.error());
  auto who = user_of_vault(**assembly, common, options);
  if (!who.ok()) return report(who.error());
  if (options.requests) {
    auto requests = (*assembly)->vault().requests(*who, options.limit);
    if (!requests.ok()) return report(requests.error());
    for (const auto& request : *requests) print_request(common, request);
    return 0;
  }
  auto entries = (*assembly)->vault().list(*who, {options.token, options.type, options.limit});
  if (!entries.ok()) return report(entries.error());
  std::vector<std::vector<std::string>> rows = {{say("token", "代号"), say("type", "类型"), say("whose", "归属"), say("first met", "首次"), say("last met", "最近")}};
  for (const auto& entry : *entries) {
    if (common.json) fmt::print("{}\n", api::to_json(entry));
    rows.push_back({entry.token, entry.type, entry.of_subject ? say("a subject's", "数据主体") : say("the tenant's", "租户"), iso8601(entry.first_ms).substr(0, 16), iso8601(entry.last_ms).substr(0, 16)});
  }
  if (!common.json) fmt::print("{}", table(rows));
  return 0;
}

int run_unmask(const Common& common, const VaultOptions& options) {
  auto assembly = open_assembly(common.folder, Models::none);
  if (!assembly.ok()) return report(assembly.error());
  auto who = user_of_vault(**assembly, common, options);
  if (!who.ok()) return report(who.error());
  auto made = (*assembly)->vault().request(*who, options.token, options.reason);
  if (!made.ok()) return report(made.error());
  print_request(common, *made);
  if (!common.json) fmt::print("{} heng vault approve {} --sha256 {}\n", say("A second person agrees with:", "须由另一人批准："), made->id.value, made->sha256);
  return 0;
}

int run_decide(const Common& common, const VaultOptions& options, bool approve) {
  auto assembly = open_assembly(common.folder, Models::none);
  if (!assembly.ok()) return report(assembly.error());
  auto who = caller(**assembly);
  if (!who.ok()) return report(who.error());
  auto decided = (*assembly)->vault().decide(*who, UnmaskId(options.id), approve, options.sha256, options.reason);
  if (!decided.ok()) return report(decided.error());
  if (common.json) {
    fmt::print("{}\n", api::to_json(*decided));
  } else {
    fmt::print("{} {}\n", decided->id.value, state_word(decided->state));
  }
  return 0;
}

int run_show(const Common& common, const VaultOptions& options) {
  auto assembly = open_assembly(common.folder, Models::none);
  if (!assembly.ok()) return report(assembly.error());
  auto who = user_of_vault(**assembly, common, options);
  if (!who.ok()) return report(who.error());
  auto shown = (*assembly)->vault().show(*who, UnmaskId(options.id));
  if (!shown.ok()) return report(shown.error());
  fmt::print("{}\n", common.json ? nlohmann::ordered_json({{"token", shown->token}, {"type", shown->type}, {"value", shown->value}}).dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace)
                                 : shown->value);
  return 0;
}

}  // namespace

void add_vault(CLI::App& app, Common& common, Run& run) {
  auto* verb = app.add_subcommand("vault", "masked values: tokens, and one value read back by one person after a second one agreed");
  verb->require_subcommand(1);
  verb->footer("Who asks or agrees is the owner of the key in HENG_KEY, else whoever runs the command. Agreeing needs the role privacy or supervisor, never the one who\n"
               "asked. Every step is recorded; the value never is.");
  auto options = std::make_shared<VaultOptions>();
  auto add = [&, options](const char* name, const char* help, auto function) {
    auto* sub = verb->add_subcommand(name, help);
    add_common(*sub, common);
    sub->callback([&common, &run, options, function] { run = [&common, options, function] { return function(common, *options); }; });
    return sub;
  };
  auto* list = add("list", "tokens with their types, never values; or the requests to unmask", run_list);
  list->add_option("--token", options->token, "only this one");
  list->add_option("--type", options->type, "only this type, such as bank_card");
  list->add_flag("--requests", options->requests, "requests instead of tokens, with the text that is approved and its SHA-256");
  list->add_option("-n", options->limit, "how many")->check(CLI::Range(1, 500));
  auto* unmask = add("unmask", "ask to read the value behind a token", run_unmask);
  unmask->add_option("TOKEN", options->token, "as it stands in the text: \"[BANK_CARD:…]\"")->required();
  unmask->add_option("--reason", options->reason, "recorded, and shown to the second person")->required();
  unmask->add_option("--subject", options->subject, "the customer the value is of, where it was recorded under a customer");
  const auto decision = [&, options](const char* name, const char* help, bool approve) {
    auto* sub = add(name, help, [approve](const Common& c, const VaultOptions& o) { return run_decide(c, o, approve); });
    sub->add_option("ID", options->id, "as `heng vault list --requests` shows it")->required();
    sub->add_option("--sha256", options->sha256, "of the request's text you have read")->required();
    sub->add_option("--reason", options->reason, "recorded")->required(!approve);
  };
  decision("approve", "agree as the second person", true);
  decision("reject", "refuse as the second person", false);
  add("show", "print the value, once, for who asked", run_show)->add_option("ID", options->id, "of the approved request")->required();
}

}  // namespace heng::app
