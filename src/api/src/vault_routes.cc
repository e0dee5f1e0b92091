#include <fmt/format.h>

#include "context.h"
#include "heng/base/text.h"
#include "json_parts.h"

namespace heng::api {
namespace {

Result<Vault*> vault_of(const Api& api) {
  if (api.services.vault == nullptr) return Error(ErrorCode::unsupported, "this server has no vault");
  return api.services.vault;
}

Json entry_value(const VaultEntry& entry) {
  return {{"token", entry.token}, {"type", entry.type}, {"of_subject", entry.of_subject}, {"first", time_value(entry.first_ms)}, {"last", time_value(entry.last_ms)}};
}

Json request_value(const UnmaskRequest& request) {
  return {{"id", request.id.value}, {"state", to_string(request.state)}, {"token", request.token}, {"type", request.type}, {"requester", request.requester.value},
          {"reason", request.reason}, {"text", request.text}, {"sha256", request.sha256}, {"review", request.review}, {"created", time_value(request.created_ms)},
          {"expires", time_value(request.expires_ms)}, {"shown", time_value(request.shown_ms)}};
}

Result<int> limit_of(const http::Request& request) {
  const auto text = request.query_value("limit");
  if (!text) return 50;
  return static_cast<int>(HENG_TRY(parse_integer(*text, "limit", 1, 500)));
}

Result<std::string> query_text(const http::Request& request, const char* name) {
  auto text = request.query_value(name).value_or("");
  if (text::code_points(text) > 200) return Error(ErrorCode::invalid_argument, fmt::format("'{}' must have at most 200 characters", name), name);
  return std::string(text);
}

http::Step list_values(Api& api, http::Request& request, const Principal& principal) {
  const auto found = [&]() -> Result<std::vector<VaultEntry>> {
    auto* vault = HENG_TRY(vault_of(api));
    VaultQuery query;
    query.limit = HENG_TRY(limit_of(request));
    query.token = HENG_TRY(query_text(request, "token"));
    query.type = HENG_TRY(query_text(request, "type"));
    return vault->list(principal, query);
  }();
  if (!found) return api.fail(request, found.error());
  const auto noted = api.note(request, principal, "vault.list", "vault", "", "ok");
  if (!noted) return api.fail(request, noted.error());
  Json out{{"values", Json::array()}};
  for (const auto& entry : *found) out["values"].push_back(entry_value(entry));
  return json_response(200, out, noted->index);
}

http::Step list_requests(Api& api, http::Request& request, const Principal& principal) {
  const auto found = [&]() -> Result<std::vector<UnmaskRequest>> {
    auto* vault = HENG_TRY(vault_of(api));
    return vault->requests(principal, HENG_TRY(limit_of(request)));
  }();
  if (!found) return api.fail(request, found.error());
  Json out{{"requests", Json::array()}};
  for (const auto& each : *found) out["requests"].push_back(request_value(each));
  return json_response(200, out);
}

http::Step ask_to_unmask(Api& api, http::Request& request, const Principal& principal) {
  const auto made = [&]() -> Result<UnmaskRequest> {
    auto* vault = HENG_TRY(vault_of(api));
    const auto json = HENG_TRY(parse_object(request.body));
    const Fields fields(json);
    const auto token = HENG_TRY(fields.required_text("token", 200));
    return vault->request(principal, token, HENG_TRY(fields.required_text("reason", 1000)));
  }();
  if (!made) return api.fail_recorded(request, principal, made.error());
  return json_response(201, request_value(*made));
}

UnmaskId id_of(const http::Request& request) { return UnmaskId(std::string(request.param("id"))); }

http::Step decide(Api& api, http::Request& request, const Principal& principal) {
  const auto decided = [&]() -> Result<UnmaskRequest> {
    auto* vault = HENG_TRY(vault_of(api));
    const auto json = HENG_TRY(parse_object(request.body));
    const Fields fields(json);
    const auto decision = HENG_TRY(fields.required_text("decision", 16));
    if (decision != "approve" && decision != "reject") return fields.wrong("decision", "\"approve\" or \"reject\"");
    const auto hash = HENG_TRY(fields.required_text("sha256", 64));
    if (hash.size() != 64 || hash.find_first_not_of("0123456789abcdef") != std::string::npos)
      return fields.wrong("sha256", "the SHA-256 of the request's text as 64 lower-case hexadecimal digits");
    const auto reason = HENG_TRY(fields.text("reason", 1000)).value_or("");
    return vault->decide(principal, id_of(request), decision == "approve", hash, reason);
  }();
  if (!decided) return api.fail_recorded(request, principal, decided.error());
  return json_response(200, request_value(*decided));
}

http::Step show(Api& api, http::Request& request, const Principal& principal) {
  const auto shown = [&]() -> Result<Unmasked> {
    auto* vault = HENG_TRY(vault_of(api));
    return vault->show(principal, id_of(request));
  }();
  if (!shown) return api.fail_recorded(request, principal, shown.error());
  return http::Response::json(200, dump({{"token", shown->token}, {"type", shown->type}, {"value", shown->value}})).header("cache-control", "no-store");
}

}  // namespace

std::string to_json(const VaultEntry& entry) { return dump(entry_value(entry)); }
std::string to_json(const UnmaskRequest& request) { return dump(request_value(request)); }

void add_vault_routes(Routes& routes, Api& api) {
  add(routes, api, "GET", "/v1/vault", access::Action::vault_use, Counts::no, list_values);
  add(routes, api, "GET", "/v1/vault/requests", access::Action::vault_use, Counts::no, list_requests);
  add(routes, api, "POST", "/v1/vault/requests", access::Action::vault_use, Counts::yes, ask_to_unmask);
  add(routes, api, "POST", "/v1/vault/requests/{id}/decide", access::Action::review_decide, Counts::no, decide);
  add(routes, api, "POST", "/v1/vault/requests/{id}/show", access::Action::vault_use, Counts::yes, show);
}

}  // namespace heng::api
