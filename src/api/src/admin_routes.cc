#include <fmt/format.h>

#include "context.h"
#include "heng/base/clock.h"
#include "heng/base/text.h"
#include "json_parts.h"

namespace heng::api {
namespace {

http::Step get_me(Api&, http::Request&, const Principal& principal) {
  return json_response(200, {{"tenant", principal.tenant.value}, {"user", principal.user.value}, {"roles", principal.roles},
                             {"key_id", principal.key.value}, {"desk", principal.desk}, {"clearance", class_name(principal.clearance)}, {"purpose", principal.purpose}});
}

http::Step list_keys(Api& api, http::Request& request, const Principal& principal) {
  const auto keys = api.services.identity.keys(principal.tenant);
  if (!keys) return api.fail(request, keys.error());
  Json out{{"keys", Json::array()}};
  for (const auto& key : *keys) out["keys"].push_back(key_value(key));
  return json_response(200, out);
}

Result<NewKey> read_new_key(const http::Request& request, const Principal& principal) {
  const auto json = HENG_TRY(parse_object(request.body));
  const Fields fields(json);
  NewKey key;
  key.tenant = principal.tenant;
  key.user = UserId(HENG_TRY(fields.required_text("user", 50)));
  key.name = HENG_TRY(fields.text("name", 50)).value_or("");
  key.roles = HENG_TRY(read_roles(fields));
  key.desk = HENG_TRY(fields.text("desk", 64)).value_or("");
  key.purpose = HENG_TRY(fields.text("purpose", 64)).value_or("");
  key.clearance = HENG_TRY(read_clearance(fields));
  if (const auto* quota = HENG_TRY(fields.object("quota"))) {
    const Fields inner(*quota, "quota");
    key.quota.requests_per_minute = static_cast<int>(HENG_TRY(inner.integer("requests_per_minute", 0, 1'000'000)).value_or(0));
    key.quota.tokens_per_day = HENG_TRY(inner.integer("tokens_per_day", 0, 1'000'000'000'000)).value_or(0);
  }
  // an expiry as seconds from now: no clock of the client's is trusted
  if (const auto seconds = HENG_TRY(fields.integer("expires_in_s", 1, 315'360'000)))
    key.expires_ms = system_clock().unix_ms() + *seconds * 1000;
  return key;
}

http::Step create_key(Api& api, http::Request& request, const Principal& principal) {
  const auto wanted = read_new_key(request, principal);
  if (!wanted) return api.fail(request, wanted.error());
  const auto ticket = api.open_record(request, principal, "key.create", wanted->user.value,
                                      dump({{"name", wanted->name}, {"roles", wanted->roles}}));
  if (!ticket) return api.fail(request, ticket.error());
  const auto made = api.services.identity.create_key(*wanted);
  AuditClose close;
  close.outcome = made ? "ok" : outcome_of(made.error());
  if (made) close.output = made->first.id.value;
  const auto closed = api.close_record(*ticket, std::move(close));
  if (!made) return api.fail(request, made.error());
  if (!closed) {
    (void)api.services.identity.revoke_key(principal.tenant, made->first.id);
    return api.fail(request, closed.error());
  }
  Json out = key_value(made->first);
  out["secret"] = made->second;
  return json_response(201, out, ticket->index);
}

http::Step revoke_key(Api& api, http::Request& request, const Principal& principal) {
  const KeyId id{std::string(request.param("id"))};
  const auto ticket = api.open_record(request, principal, "key.revoke", id.value, "");
  if (!ticket) return api.fail(request, ticket.error());
  const auto revoked = api.services.identity.revoke_key(principal.tenant, id);
  AuditClose close;
  close.outcome = revoked ? "ok" : outcome_of(revoked.error());
  const auto closed = api.close_record(*ticket, std::move(close));
  if (!revoked) return api.fail(request, revoked.error());
  if (!closed) return api.fail(request, closed.error());
  return http::Response::empty(204).header("x-heng-audit-index", fmt::format("{}", ticket->index));
}

Result<Rating> read_rating(const http::Request& request, const Principal& principal) {
  const auto json = HENG_TRY(parse_object(request.body));
  const Fields fields(json);
  Rating rating;
  const auto index = HENG_TRY(fields.integer("audit_index", 0, most_integer));
  if (!index) return fields.wrong("audit_index", "a whole number");
  rating.audit_index = *index;
  const auto stars = HENG_TRY(fields.integer("stars", -1, 1));
  if (!stars || *stars == 0) return fields.wrong("stars", "-1 or 1");
  rating.stars = static_cast<int>(*stars);
  rating.comment = HENG_TRY(fields.text("comment", 4000)).value_or("");
  rating.time_ms = system_clock().unix_ms();
  rating.user = principal.user.value;
  return rating;
}

http::Step rate(Api& api, http::Request& request, const Principal& principal) {
  const auto rating = read_rating(request, principal);
  if (!rating) return api.fail(request, rating.error());
  const auto ticket = api.open_record(request, principal, "feedback", fmt::format("{}", rating->audit_index),
                                      dump({{"stars", rating->stars}}));  // the comment is noted once, with the record's subject
  if (!ticket) return api.fail(request, ticket.error());
  const auto rated = api.services.feedback.rate(principal, *rating);
  AuditClose close;
  close.outcome = rated ? "ok" : outcome_of(rated.error());
  const auto closed = api.close_record(*ticket, std::move(close));
  if (!rated) return api.fail(request, rated.error());
  if (!closed) return api.fail(request, closed.error());
  return http::Response::empty(204).header("x-heng-audit-index", fmt::format("{}", ticket->index));
}

http::Step list_records(Api& api, http::Request& request, const Principal& principal) {
  std::int64_t limit = 50, before = -1;
  if (const auto text = request.query_value("limit")) {
    const auto value = parse_integer(*text, "limit", 1, 1000);
    if (!value) return api.fail(request, value.error());
    limit = *value;
  }
  if (const auto text = request.query_value("before")) {
    const auto value = parse_integer(*text, "before", 0, most_integer);
    if (!value) return api.fail(request, value.error());
    before = *value;
  }
  const auto records = api.services.audit_reader.tail(principal, static_cast<int>(limit), before);
  if (!records) return api.fail(request, records.error());
  std::string body = "{\"records\":[";
  for (const auto& record : *records) body += (body.back() == '[' ? "" : ",") + record;
  return http::Response::json(200, body + "]}");
}

http::Step answer_text(Api& api, const http::Request& request, const Result<std::string>& text) {
  if (!text) return api.fail(request, text.error());
  return http::Response::json(200, *text);
}

Result<std::int64_t> index_of(const http::Request& request) { return parse_integer(request.param("index"), "index", 0, most_integer); }

http::Step get_record(Api& api, http::Request& request, const Principal& principal) {
  const auto index = index_of(request);
  if (!index) return api.fail(request, index.error());
  return answer_text(api, request, api.services.audit_reader.get(principal, *index));
}

http::Step get_proof(Api& api, http::Request& request, const Principal& principal) {
  const auto index = index_of(request);
  if (!index) return api.fail(request, index.error());
  return answer_text(api, request, api.services.audit_reader.proof(principal, *index));
}

http::Step get_checkpoint(Api& api, http::Request& request, const Principal&) {
  return answer_text(api, request, api.services.audit_reader.checkpoint());
}

}  // namespace

void add_admin_routes(Routes& routes, Api& api) {
  add(routes, api, "GET", "/v1/me", access::Action::me, Counts::no, get_me);
  add(routes, api, "POST", "/v1/feedback", access::Action::feedback, Counts::no, rate);
  add(routes, api, "GET", "/v1/keys", access::Action::key_manage, Counts::no, list_keys);
  add(routes, api, "POST", "/v1/keys", access::Action::key_manage, Counts::no, create_key);
  add(routes, api, "DELETE", "/v1/keys/{id}", access::Action::key_manage, Counts::no, revoke_key);
  add(routes, api, "GET", "/v1/audit", access::Action::audit_read, Counts::no, list_records);
  add(routes, api, "GET", "/v1/audit/checkpoint", access::Action::audit_read, Counts::no, get_checkpoint);
  add(routes, api, "GET", "/v1/audit/{index}", access::Action::audit_read, Counts::no, get_record);
  add(routes, api, "GET", "/v1/audit/{index}/proof", access::Action::audit_read, Counts::no, get_proof);
}

}  // namespace heng::api
