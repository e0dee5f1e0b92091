// /v1/oidc…: signing in at the institution's identity provider. Starts and refusals need no key; each refusal is on record with its reason.
#include <fmt/format.h>

#include "context.h"
#include "json_parts.h"

namespace heng::api {
namespace {

Result<SignIn*> sign_in_of(const Api& api) {
  if (api.services.sign_in == nullptr || api.services.users == nullptr) return Error(ErrorCode::not_found, "this server knows no identity provider; heng.toml has no [oidc]");
  return api.services.sign_in;
}

http::Response refused(Api& api, const http::Request& request, const Error& error) {
  api.refuse(request, {}, error, error.message);
  return api.fail(request, error);
}

http::Response describe(Api& api) {
  const bool known = api.services.sign_in != nullptr && api.services.users != nullptr;
  return json_response(200, {{"enabled", known}, {"name", known ? Json(api.services.sign_in->name()) : Json(nullptr)}});
}

http::Response start(Api& api, const http::Request& request) {
  const auto sign_in = sign_in_of(api);
  if (!sign_in) return api.fail(request, sign_in.error());
  const auto begun = (*sign_in)->begin(request.peer);
  if (!begun) return refused(api, request, begun.error());
  return http::Response::json(200, dump({{"url", begun->url}, {"browser", begun->browser}})).header("cache-control", "no-store");
}

Result<SignInReturn> read_return(const http::Request& request) {
  const auto json = HENG_TRY(parse_object(request.body));
  const Fields fields(json);
  SignInReturn out;
  out.state = HENG_TRY(fields.required_text("state", 256));
  out.browser = HENG_TRY(fields.required_text("browser", 256));
  out.code = HENG_TRY(fields.text("code", 2048)).value_or("");
  out.issuer = HENG_TRY(fields.text("iss", 2048)).value_or("");
  out.error = HENG_TRY(fields.text("error", 256)).value_or("");
  out.peer = request.peer;
  return out;
}

http::Response finish(Api& api, const http::Request& request) {
  const auto back = read_return(request);
  if (!back) return api.fail(request, back.error());
  const auto sign_in = sign_in_of(api);
  if (!sign_in) return api.fail(request, sign_in.error());
  const auto session = (*sign_in)->finish(*back);
  if (!session) return refused(api, request, session.error());
  const auto noted = api.note(request, session->principal, "login", "/v1/oidc/finish", "from " + request.peer, "ok");
  if (!noted) {
    (void)api.services.users->logout(session->token);
    return api.fail(request, noted.error());
  }
  return session_response(*session);
}

http::Response logout_url(Api& api, const http::Request& request) {
  const auto sign_in = sign_in_of(api);
  if (!sign_in) return api.fail(request, sign_in.error());
  const auto url = (*sign_in)->logout_url();
  if (!url) return api.fail(request, url.error());
  return json_response(200, {{"url", url->empty() ? Json(nullptr) : Json(*url)}});
}

/// These wait for the provider: not on the quick pool.
void add_waiting(Routes& routes, Api& api, const char* method, const char* pattern, http::Response (*run)(Api&, const http::Request&)) {
  routes.push_back({method, pattern,
                    [&api, run](http::Request& request) -> http::Step {
                      http::Work work;
                      work.run = [&api, &request, run](http::Stream&, std::stop_token) { return run(api, request); };
                      return work;
                    },
                    16 * 1024});
}

}  // namespace

http::Response session_response(const Session& session) {
  const auto& who = session.principal;
  return http::Response::json(200, dump({{"token", session.token}, {"expires", time_value(session.expires_ms)}, {"tenant", who.tenant.value}, {"user", who.user.value}, {"roles", who.roles}}))
      .header("cache-control", "no-store");
}

void add_sign_in_routes(Routes& routes, Api& api) {
  routes.push_back({"GET", "/v1/oidc", [&api](http::Request&) -> http::Step { return describe(api); }, 0});
  add_waiting(routes, api, "POST", "/v1/oidc/start", start);
  add_waiting(routes, api, "POST", "/v1/oidc/finish", finish);
  add_waiting(routes, api, "GET", "/v1/oidc/logout", logout_url);
}

}  // namespace heng::api
