// policy: the rules an officer can read and change: check a file, list what is in force, try it on recorded texts.
#include <fmt/format.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "../guarding.h"
#include "../options.h"
#include "../signals.h"
#include "../terminal.h"
#include "heng/api/json.h"
#include "heng/base/text.h"

namespace heng::app {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

struct PolicyOptions {
  fs::path file, in;
  std::string client, product;
};

int run_check(const Common& common, const PolicyOptions& options) {
  auto policy = read_policy_file(options.file);
  if (!policy.ok()) {
    report(policy.error());
    return 3;
  }
  if (common.json) fmt::print("{}\n", Json({{"kind", policy->kind}, {"id", policy->id}, {"version", policy->version}, {"sha256", policy->sha256}, {"ok", true}}).dump());
  else fmt::print("{} {} {} ({})\n", say("holds:", "有效："), policy->id, policy->version, policy->kind);
  return 0;
}

int run_list(const Common& common) {
  auto policies = list_policies(common.folder);
  if (!policies.ok()) return report(policies.error());
  std::vector<std::vector<std::string>> rows = {{say("kind", "类别"), "id", say("version", "版本"), say("owner", "负责"), say("in force from", "生效"), "sha256", say("from", "来源")}};
  for (const auto& [header, source] : *policies) {
    if (common.json)
      fmt::print("{}\n", Json({{"kind", header.kind}, {"id", header.id}, {"version", header.version}, {"owner", header.owner}, {"clause", header.clause}, {"effective_from", header.effective_from},
                               {"effective_until", header.effective_until}, {"sha256", header.sha256}, {"source", source}}).dump());
    rows.push_back({header.kind, header.id, header.version, header.owner, header.effective_from, header.sha256.substr(0, 12), source});
  }
  if (!common.json) fmt::print("{}", table(rows));
  return 0;
}

/// What a text meets: the strongest action and the rules.
struct Outcome {
  std::string verdict;
  std::string rules;
};
Result<Outcome> outcome_of(const guard_flow::Gateway& gateway, const std::string& text) {
  const auto verdict = HENG_TRY(gateway.look({}, text, guard_flow::Direction::answer));
  Outcome out;
  out.verdict = verdict.action == GuardAction::release ? "release" : verdict.action == GuardAction::mask ? "mask" : verdict.action == GuardAction::review ? "review" : "withhold";
  for (const auto& finding : verdict.findings)
    if (finding.action != "allow") out.rules += (out.rules.empty() ? "" : ", ") + finding.type;
  return out;
}

/// Each text under the policies in force and under the new one; prints what would change.
int run_dry_run(const Common& common, const PolicyOptions& options) {
  auto now = make_gateway(common.folder, {}, true);
  if (!now.ok()) return report(now.error());
  auto then = make_gateway(common.folder, options.file, true);
  if (!then.ok()) {
    report(then.error());
    return 3;
  }
  std::ifstream in(options.in, std::ios::binary);
  if (!in) return report(Error(ErrorCode::not_found, "cannot read " + options.in.string()));
  std::int64_t lines = 0, bad = 0, changed = 0;
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> counts;
  for (std::string line; std::getline(in, line) && !stop_signal().stop_requested();) {
    if (text::trim(line).empty()) continue;
    ++lines;
    const Json row = Json::parse(line, nullptr, false);
    if (!row.is_object() || !row.contains("text") || !row["text"].is_string()) {
      ++bad;
      continue;
    }
    const auto text = row["text"].get<std::string>();
    auto before = outcome_of(**now, text), after = outcome_of(**then, text);
    if (!before.ok() || !after.ok()) {
      ++bad;
      continue;
    }
    ++counts[before->verdict].first;
    ++counts[after->verdict].second;
    if (before->verdict == after->verdict && before->rules == after->rules) continue;
    ++changed;
    fmt::print("{}\n", Json({{"id", row.contains("id") ? row["id"] : Json(lines)}, {"before", before->verdict}, {"before_rules", before->rules}, {"after", after->verdict}, {"after_rules", after->rules}})
                           .dump(-1, ' ', false, Json::error_handler_t::replace));
  }
  std::string summary;
  for (const auto& [verdict, pair] : counts) summary += fmt::format("{} {}→{}  ", verdict, pair.first, pair.second);
  fmt::print(stderr, "{}: {}, {} {}, {} {}. {}\n", say("texts", "文本"), lines, changed, say("change", "有变化"), bad, say("bad lines", "行有误"), summary);
  return 0;
}

int run_suitability(const Common& common, const PolicyOptions& options) {
  auto policy = suitability_of(common.folder);
  if (!policy.ok()) return report(policy.error());
  const auto client = guard_conduct::client_level(options.client);
  const auto product = guard_conduct::product_level(options.product);
  if (!client || !product) return report(Error(ErrorCode::invalid_argument, "--client is C1-min, C1 … C5; --product is R1 … R5"));
  const auto decision = (*policy)->decide(*client, *product);
  if (common.json)
    fmt::print("{}\n", Json({{"client", guard_conduct::to_string(*client)}, {"product", guard_conduct::to_string(*product)}, {"may_recommend", decision.may_recommend},
                             {"may_sell_on_request", decision.may_sell_on_request}, {"clause", decision.clause}, {"reason_zh", decision.reason_zh}, {"reason_en", decision.reason_en}}).dump());
  else fmt::print("{}\n{}\n", say(decision.reason_en.c_str(), decision.reason_zh.c_str()), decision.clause);
  return decision.may_recommend ? 0 : 4;
}

}  // namespace

void add_policy(CLI::App& app, Common& common, Run& run) {
  auto* verb = app.add_subcommand("policy", "rules as files: personal data, marketing, suitability, links, tools, retention");
  verb->require_subcommand(1);
  auto options = std::make_shared<PolicyOptions>();
  auto* check = verb->add_subcommand("check", "does a policy file hold? says line and reason where not (exit code 3)");
  check->add_option("FILE", options->file, "policy (TOML)")->required();
  add_common(*check, common);
  check->callback([&common, &run, options] { run = [&common, options] { return run_check(common, *options); }; });
  auto* list = verb->add_subcommand("list", "the policies in force; FOLDER/policies/*.toml replace those that come with Heng");
  add_common(*list, common);
  list->callback([&common, &run] { run = [&common] { return run_list(common); }; });
  auto* dry = verb->add_subcommand("dry-run", "what would change for recorded texts if the file were in force: one line each, counts at the end");
  dry->add_option("FILE", options->file, "policy (TOML)")->required();
  dry->add_option("--in", options->in, "JSON Lines with \"id\" and \"text\"")->required();
  add_common(*dry, common, false);
  dry->callback([&common, &run, options] { run = [&common, options] { return run_dry_run(common, *options); }; });
  auto* fits = verb->add_subcommand("suitability", "may a product be recommended to a client? exit code 4: no");
  fits->add_option("--client", options->client, "C1-min, C1 … C5")->required();
  fits->add_option("--product", options->product, "R1 … R5")->required();
  add_common(*fits, common);
  fits->callback([&common, &run, options] { run = [&common, options] { return run_suitability(common, *options); }; });
}

}  // namespace heng::app
