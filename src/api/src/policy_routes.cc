// /v1/policies: the rules that the running program enforces.
#include "context.h"
#include "json_parts.h"

namespace heng::api {
namespace {

Json rule_value(const PolicyInfo& policy, const PolicyRule& rule) {
  return {{"id", rule.id}, {"kind", rule.kind}, {"title", rule.title}, {"clause", rule.clause.empty() ? policy.clause : rule.clause}, {"action", rule.action},
          {"violates", rule.violates}, {"allows", rule.allows}, {"line", rule.line}};
}

Json policy_value(const PolicyInfo& policy) {
  Json rules = Json::array();
  for (const auto& rule : policy.rules) rules.push_back(rule_value(policy, rule));
  const auto until = policy.effective_until.empty() ? Json(nullptr) : Json(policy.effective_until);
  return {{"kind", policy.kind}, {"id", policy.id}, {"version", policy.version}, {"owner", policy.owner}, {"clause", policy.clause}, {"effective_from", policy.effective_from},
          {"effective_until", until}, {"sha256", policy.sha256}, {"file", policy.file.empty() ? Json(nullptr) : Json(policy.file)}, {"rules", std::move(rules)}};
}

http::Step list_policies(Api& api, http::Request& request, const Principal&) {
  if (!api.services.policies) return api.fail(request, Error(ErrorCode::unsupported, "this server enforces no policies"));
  Json out{{"policies", Json::array()}};
  for (const auto& policy : api.services.policies()) out["policies"].push_back(policy_value(policy));
  return json_response(200, out);
}

}  // namespace

void add_policy_routes(Routes& routes, Api& api) { add(routes, api, "GET", "/v1/policies", Access::key, Counts::no, list_policies); }

}  // namespace heng::api
