#include <fmt/format.h>

#include "context.h"
#include "heng/base/clock.h"
#include "json_parts.h"

namespace heng::api {
namespace {

Result<Users*> users_of(const Api& api) {
  if (api.services.users == nullptr) return Error(ErrorCode::unsupported, "this server has no user accounts");
  return api.services.users;
}

Json user_value(const UserInfo& user) {
  return {{"tenant", user.tenant.value}, {"user", user.user.value}, {"name", user.name}, {"roles", user.roles}, {"desk", user.desk},
          {"clearance", class_name(user.clearance)}, {"purpose", user.purpose}, {"disabled", user.disabled}, {"totp", user.totp}, {"issuer", user.issuer.empty() ? Json(nullptr) : Json(user.issuer)},
          {"created", time_value(user.created_ms)}, {"last_login", time_value(user.last_login_ms)}};
}

std::string peer_address(const std::string& peer) { return peer.substr(0, peer.rfind(':')); }

/// A login is on record whether it succeeds or not; the record never holds the password.
http::Response login(Api& api, const http::Request& request) {
  const auto read = [&]() -> Result<Credentials> {
    const auto json = HENG_TRY(parse_object(request.body));
    const Fields fields(json);
    Credentials out;
    out.tenant = TenantId(HENG_TRY(fields.text("tenant", 64)).value_or("default"));
    out.user = UserId(HENG_TRY(fields.required_text("user", 64)));
    out.password = HENG_TRY(fields.required_text("password", 512));
    out.code = HENG_TRY(fields.text("code", 16)).value_or("");
    out.peer = peer_address(request.peer);
    return out;
  }();
  if (!read) return api.fail(request, read.error());
  const auto users = users_of(api);
  if (!users) return api.fail(request, users.error());
  auto session = (*users)->login(*read);
  if (!session) {
    Principal nobody;
    api.refuse(request, nobody, session.error());
    return api.fail(request, session.error());
  }
  const auto noted = api.note(request, session->principal, "login", "/v1/login", "from " + request.peer, "ok");
  if (!noted) {
    (void)(*users)->logout(session->token);
    return api.fail(request, noted.error());
  }
  return session_response(*session);
}

http::Step logout(Api& api, http::Request& request, const Principal& principal) {
  const auto users = users_of(api);
  if (!users) return api.fail(request, users.error());
  const auto token = bearer_of(request);
  if (!token || !token->starts_with("hengs_")) return api.fail(request, Error(ErrorCode::conflict, "this is a key, not a session; keys are revoked by an administrator"));
  if (auto ended = (*users)->logout(*token); !ended) return api.fail(request, ended.error());
  if (auto noted = api.note(request, principal, "logout", "/v1/logout", "", "ok"); !noted) return api.fail(request, noted.error());
  return http::Response::empty(204);
}

http::Step list_users(Api& api, http::Request& request, const Principal& principal) {
  const auto users = users_of(api);
  if (!users) return api.fail(request, users.error());
  const auto found = (*users)->users(principal.tenant);
  if (!found) return api.fail(request, found.error());
  Json out{{"users", Json::array()}};
  for (const auto& user : *found) out["users"].push_back(user_value(user));
  return json_response(200, out);
}

http::Step create_user(Api& api, http::Request& request, const Principal& principal) {
  const auto wanted = [&]() -> Result<NewUser> {
    const auto json = HENG_TRY(parse_object(request.body));
    const Fields fields(json);
    NewUser out;
    out.tenant = principal.tenant;
    out.user = UserId(HENG_TRY(fields.required_text("user", 64)));
    out.name = HENG_TRY(fields.text("name", 50)).value_or("");
    out.desk = HENG_TRY(fields.text("desk", 64)).value_or("");
    out.purpose = HENG_TRY(fields.text("purpose", 64)).value_or("");
    out.password = HENG_TRY(fields.required_text("password", 256));
    out.roles = HENG_TRY(read_roles(fields));
    out.clearance = HENG_TRY(read_clearance(fields));
    return out;
  }();
  if (!wanted) return api.fail(request, wanted.error());
  const auto users = users_of(api);
  if (!users) return api.fail(request, users.error());
  const auto ticket = api.open_record(request, principal, "user.create", wanted->user.value, dump({{"roles", wanted->roles}, {"desk", wanted->desk}, {"clearance", class_name(wanted->clearance)}}));
  if (!ticket) return api.fail(request, ticket.error());
  const auto made = (*users)->create_user(*wanted);
  AuditClose close;
  close.outcome = made ? "ok" : outcome_of(made.error());
  const auto closed = api.close_record(*ticket, std::move(close));
  if (!made) return api.fail(request, made.error());
  if (!closed) {
    (void)(*users)->set_disabled(principal.tenant, wanted->user, true);
    return api.fail(request, closed.error());
  }
  return json_response(201, user_value(*made), ticket->index);
}

http::Step disable_user(Api& api, http::Request& request, const Principal& principal) {
  const auto users = users_of(api);
  if (!users) return api.fail(request, users.error());
  const UserId user{std::string(request.param("user"))};
  if (user == principal.user) return api.fail(request, Error(ErrorCode::conflict, "nobody disables the own account; another administrator must"));
  const auto ticket = api.open_record(request, principal, "user.disable", user.value, "");
  if (!ticket) return api.fail(request, ticket.error());
  const auto done = (*users)->set_disabled(principal.tenant, user, true);
  AuditClose close;
  close.outcome = done ? "ok" : outcome_of(done.error());
  const auto closed = api.close_record(*ticket, std::move(close));
  if (!done) return api.fail(request, done.error());
  if (!closed) return api.fail(request, closed.error());
  return http::Response::empty(204).header("x-heng-audit-index", fmt::format("{}", ticket->index));
}

}  // namespace

const char* class_name(DataClass data_class) { return data_class == DataClass::c3 ? "C3" : data_class == DataClass::c2 ? "C2" : "C1"; }

Result<DataClass> parse_class(std::string_view name) {
  if (name == "C1") return DataClass::c1;
  if (name == "C2") return DataClass::c2;
  if (name == "C3") return DataClass::c3;
  return Error(ErrorCode::invalid_argument, "'clearance' must be C1, C2 or C3", "clearance");
}

Result<DataClass> read_clearance(const Fields& fields) {
  const auto text = HENG_TRY(fields.text("clearance", 2));
  return text ? parse_class(*text) : Result<DataClass>(DataClass::c1);
}

Result<std::vector<std::string>> read_roles(const Fields& fields) {
  constexpr std::size_t most_roles = 64;
  std::vector<std::string> out;
  const auto* roles = HENG_TRY(fields.array("roles"));
  if (roles == nullptr) return out;
  if (roles->size() > most_roles) return Error(ErrorCode::invalid_argument, fmt::format("'roles' has more than {} entries", most_roles), "roles");
  for (const auto& role : *roles) {
    if (!role.is_string() || !is_role_name(role.get_ref<const std::string&>()))
      return Error(ErrorCode::invalid_argument, "'roles' must be names of letters, digits, '-' and '_'", "roles");
    out.push_back(role.get<std::string>());
  }
  return out;
}

std::string to_json(const UserInfo& user) { return dump(user_value(user)); }

void add_user_routes(Routes& routes, Api& api) {
  // a password is hashed for a tenth of a second: not on the quick pool
  routes.push_back({"POST", "/v1/login",
                    [&api](http::Request& request) -> http::Step {
                      http::Work work;
                      work.run = [&api, &request](http::Stream&, std::stop_token) { return login(api, request); };
                      return work;
                    },
                    16 * 1024});
  add(routes, api, "POST", "/v1/logout", access::Action::me, Counts::no, logout);
  add(routes, api, "GET", "/v1/users", access::Action::user_manage, Counts::no, list_users);
  add(routes, api, "POST", "/v1/users", access::Action::user_manage, Counts::no, create_user);
  add(routes, api, "DELETE", "/v1/users/{user}", access::Action::user_manage, Counts::no, disable_user);
}

}  // namespace heng::api
