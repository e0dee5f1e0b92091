// /v1/guard/scan: what the guard finds in a text. The record holds the text's hash and the findings' kinds, not the text.
#include <fmt/format.h>

#include <set>

#include "context.h"
#include "heng/base/clock.h"
#include "heng/base/hash.h"
#include "heng/base/text.h"
#include "json_parts.h"

namespace heng::api {
namespace {

constexpr std::size_t most_characters = 200'000;

http::Response scan(Api& api, const http::Request& request, const Principal& principal, const std::string& text) {
  if (!api.services.guard) return api.fail(request, Error(ErrorCode::unsupported, "this server scans no texts"));
  const auto ticket = api.open_record(request, principal, "guard.scan", "guard", fmt::format("{} characters, sha256 {}", text::code_points(text), sha256_hex(text)));
  if (!ticket) return api.fail(request, ticket.error());
  const auto began = std::chrono::steady_clock::now();
  const auto verdict = api.services.guard->scan(principal, text);
  AuditClose close;
  close.outcome = verdict ? "ok" : outcome_of(verdict.error());
  if (verdict) {
    std::set<std::string> types;
    for (const auto& finding : verdict->findings) types.insert(finding.type);
    close.verdicts.push_back({"guard_scan", "1", std::string(action_name(verdict->action)), text::join({types.begin(), types.end()}, ", ")});
  }
  close.total_ms = elapsed_ms(began);
  const auto closed = api.close_record(*ticket, std::move(close));
  if (!verdict) return api.fail(request, verdict.error());
  if (!closed) return api.fail(request, closed.error());
  return json_response(200, verdict_value(*verdict), ticket->index);
}

http::Step start_scan(Api& api, http::Request& request, const Principal& principal) {
  const auto json = parse_object(request.body);
  if (!json) return api.fail(request, json.error());
  auto text = Fields(*json).required_text("text", most_characters);
  if (!text) return api.fail(request, text.error());
  http::Work work;
  work.run = [&api, &request, principal, text = std::move(*text)](http::Stream&, std::stop_token) { return scan(api, request, principal, text); };
  return work;
}

}  // namespace

std::string_view action_name(GuardAction action) {
  switch (action) {
    case GuardAction::release: return "release";
    case GuardAction::mask: return "mask";
    case GuardAction::review: return "review";
    case GuardAction::withhold: return "withhold";
  }
  return "withhold";
}

Json verdict_value(const GuardVerdict& verdict) {
  Json out{{"verdict", action_name(verdict.action)}, {"masked", verdict.masked}, {"injection_score", verdict.injection_score}};
  if (!verdict.reason.empty()) out["reason"] = verdict.reason;
  out["findings"] = Json::array();
  for (const auto& f : verdict.findings) {
    const char* data_class = f.data_class == DataClass::c1 ? "C1" : f.data_class == DataClass::c2 ? "C2" : "C3";
    Json one{{"kind", f.kind}, {"type", f.type}, {"class", data_class}, {"start", f.begin}, {"end", f.end},
             {"action", f.action.empty() ? std::string(action_name(verdict.action)) : f.action}, {"rule", f.rule}};
    if (!f.clause.empty()) one["clause"] = f.clause;
    out["findings"].push_back(std::move(one));
  }
  return out;
}

std::string to_json(const GuardVerdict& verdict) { return dump(verdict_value(verdict)); }

void add_guard_routes(Routes& routes, Api& api) { add(routes, api, "POST", "/v1/guard/scan", Access::key, Counts::yes, start_scan); }

}  // namespace heng::api
