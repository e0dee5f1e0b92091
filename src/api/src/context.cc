#include "context.h"

#include <fmt/format.h>

#include <algorithm>

#include "heng/base/clock.h"
#include "heng/base/text.h"

namespace heng::api {
namespace {

constexpr int refusals_per_second = 50;  // recorded; a flood of wrong keys must not fill the ledger

std::string roles_that_may(const access::Policy& policy, access::Action action) {
  std::string out;
  for (const auto& rule : policy.rules())
    if (std::find(rule.actions.begin(), rule.actions.end(), action) != rule.actions.end()) out += (out.empty() ? "" : ", ") + rule.role;
  return out.empty() ? "none" : out;
}

AuditOpen opening(const http::Request& request, const Principal& principal, std::string action, std::string resource,
                  std::string subject) {
  AuditOpen open;
  open.request = request.id;
  open.time_ms = system_clock().unix_ms();
  open.principal = principal;
  open.action = std::move(action);
  open.resource = std::move(resource);
  open.subject = std::move(subject);
  return open;
}

}  // namespace

std::optional<std::string> bearer_of(const http::Request& request) {
  const auto header = request.header("authorization");
  if (!header || !text::starts_with_ci(*header, "bearer ")) return std::nullopt;
  return std::string(text::trim(header->substr(7)));
}

Result<Principal> Api::authenticate(const http::Request& request) {
  if (!settings.http.keys_required) {
    Principal local;
    local.tenant = TenantId("default");
    local.user = UserId("local");
    local.roles = {"admin"};
    local.clearance = DataClass::c3;
    return local;
  }
  const auto bearer = bearer_of(request);
  auto principal = bearer ? services.identity.authenticate(*bearer)
                          : Result<Principal>(ErrorCode::unauthenticated, "send a key: 'Authorization: Bearer heng_…'");
  if (!principal) record_refusal(request, {}, principal.error());
  return principal;
}

Result<Principal> Api::admit(const http::Request& request, access::Action action, Counts counts) {
  auto principal = HENG_TRY(authenticate(request));
  if (const auto subject = request.header("x-heng-subject")) {
    principal.data_subject = std::string(text::trim(*subject));
    const bool plain = !principal.data_subject.empty() && principal.data_subject.size() <= 128 && text::is_valid_utf8(principal.data_subject) &&
                       std::none_of(principal.data_subject.begin(), principal.data_subject.end(), [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7f || c == ','; });
    if (!plain) return Error(ErrorCode::invalid_argument, "X-Heng-Subject must have 1 to 128 characters, no spaces or commas", "x-heng-subject");
  }
  const auto decision = settings.policy.decide(principal, action, {principal.tenant, {}});
  if (!decision) {
    Error error(ErrorCode::permission_denied, fmt::format("this needs the right {} (refused by: {}); roles that have it: {}; ask an administrator for a key that has one", access::to_string(action),
                                                          decision.rule, roles_that_may(settings.policy, action)));
    record_refusal(request, principal, error);
    return error;
  }
  if (counts == Counts::yes && services.stops != nullptr) {
    if (auto may = services.stops->check({principal.tenant, principal.desk, "", ""}); !may) {
      record_refusal(request, principal, may.error());
      return may.error();
    }
  }
  if (counts == Counts::yes && settings.http.keys_required) {
    if (auto admitted = services.identity.admit(principal); !admitted) {
      record_refusal(request, principal, admitted.error());
      return admitted.error();
    }
  }
  return principal;
}

void Api::record_refusal(const http::Request& request, const Principal& principal, const Error& error, const std::string& why) {
  {
    std::lock_guard lock(refusals_mutex_);
    const auto second = system_clock().unix_ms() / 1000;
    if (second != refusals_second_) {
      refusals_second_ = second;
      refusals_in_second_ = 0;
    }
    if (++refusals_in_second_ > refusals_per_second) {
      ++refusals_unrecorded_;
      return;
    }
  }
  const auto noted = note(request, principal, "refused", request.route, request.method + " from " + request.peer + (why.empty() ? "" : ": " + why), outcome_of(error));
  if (!noted) ++refusals_unrecorded_;
}

Result<AuditTicket> Api::open_record(const http::Request& request, const Principal& principal, std::string action,
                                     std::string resource, std::string subject) {
  auto ticket = services.audit.open(opening(request, principal, std::move(action), std::move(resource), std::move(subject)));
  if (!ticket)
    return Error(ErrorCode::unavailable, "the request could not be recorded, so nothing was run: " + ticket.error().message);
  return ticket;
}

Result<AuditTicket> Api::close_record(const AuditTicket& opened, AuditClose close) {
  close.time_ms = system_clock().unix_ms();
  auto ticket = services.audit.close(opened, close);
  if (!ticket)
    return Error(ErrorCode::unavailable, "the result could not be recorded, so it is withheld: " + ticket.error().message);
  return ticket;
}

Result<AuditTicket> Api::note(const http::Request& request, const Principal& principal, std::string action, std::string resource,
                              std::string subject, std::string outcome) {
  AuditClose close;
  close.time_ms = system_clock().unix_ms();
  close.outcome = std::move(outcome);
  auto ticket = services.audit.note(opening(request, principal, std::move(action), std::move(resource), std::move(subject)), close);
  if (!ticket)
    return Error(ErrorCode::unavailable, "the request could not be recorded, so nothing was done: " + ticket.error().message);
  return ticket;
}

http::Response Api::fail(const http::Request& request, Error error) const {
  if (error.code == ErrorCode::cancelled && server != nullptr && server->draining())
    error = Error(ErrorCode::unavailable, "the server is shutting down; send the request again in a moment");
  return http::error_response(error, request.id);
}

http::Response Api::fail_recorded(const http::Request& request, const Principal& principal, Error error) {
  switch (error.code) {
    case ErrorCode::permission_denied:
    case ErrorCode::policy_denied:
    case ErrorCode::not_found:
    case ErrorCode::conflict: record_refusal(request, principal, error); break;
    default: break;
  }
  return fail(request, std::move(error));
}

void add(Routes& routes, Api& api, std::string method, std::string pattern, access::Action needs, Counts counts, Action action,
         std::size_t body_bytes) {
  http::Handler handler = [&api, needs, counts, action = std::move(action)](http::Request& request) -> http::Step {
    const auto principal = api.admit(request, needs, counts);
    if (!principal) return api.fail(request, principal.error());
    return action(api, request, *principal);
  };
  routes.push_back({std::move(method), std::move(pattern), std::move(handler), body_bytes});
}

void add(Routes& routes, Api& api, std::string method, std::string pattern, Access access, Counts counts, Action action,
         std::size_t body_bytes) {
  const auto needs = access == Access::admin ? access::Action::key_manage : access == Access::auditor ? access::Action::audit_read : access::Action::me;
  add(routes, api, std::move(method), std::move(pattern), needs, counts, std::move(action), body_bytes);
}

http::Response json_response(int status, const Json& value, std::int64_t audit_index) {
  auto response = http::Response::json(status, dump(value));
  if (audit_index >= 0) response.header("x-heng-audit-index", fmt::format("{}", audit_index));
  return response;
}

std::string outcome_of(const Error& error) { return "error:" + std::string(to_string(error.code)); }

}  // namespace heng::api
