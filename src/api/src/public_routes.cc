#include <fmt/format.h>

#include <memory>
#include <mutex>

#include "chat_shape.h"
#include "context.h"
#include "heng/base/text.h"

namespace heng::api {
namespace {

// PDF.js compiles WebAssembly and runs in a worker; nothing is ever loaded from elsewhere
constexpr const char* console_policy =
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'";
constexpr std::chrono::milliseconds readiness_kept{1000};

struct Readiness {
  bool ready = true;
  Json body;
};

void check(Readiness& readiness, const char* name, const Result<void>& result) {
  readiness.body["checks"][name] = result ? std::string("ok") : result.error().message;
  if (!result) readiness.ready = false;
}

/// One loaded chat model is enough: others, and the embedding model, may load at their first request.
Result<void> models_loaded(const Api& api) {
  std::string waiting;
  for (const auto& model : api.services.inference.models()) {
    if (model.kind != ModelInfo::Kind::chat) continue;
    if (model.loaded) return {};
    waiting += (waiting.empty() ? "" : ", ") + model.name;
  }
  if (waiting.empty()) return Error(ErrorCode::unavailable, "there is no chat model");
  return Error(ErrorCode::unavailable, "not loaded yet: " + waiting);
}

Result<void> store_answers(const Api& api) {
  Principal nobody;
  nobody.tenant = TenantId("default");
  HENG_TRY(api.services.knowledge.list(nobody));
  return {};
}

Result<void> ledger_answers(const Api& api) {
  if (api.services.audit.size() < 0) return Error(ErrorCode::unavailable, "the ledger is not open");
  const auto checkpoint = api.services.audit_reader.checkpoint();
  // a new ledger has no checkpoint yet
  if (!checkpoint && checkpoint.error().code != ErrorCode::not_found) return checkpoint.error();
  return {};
}

Readiness readiness_of(const Api& api) {
  Readiness now;
  now.body["ready"] = true;
  now.body["checks"] = Json::object();
  check(now, "models", models_loaded(api));
  check(now, "store", store_answers(api));
  check(now, "ledger", ledger_answers(api));
  if (api.services.ready) check(now, "application", api.services.ready());
  if (api.server->draining()) check(now, "server", Error(ErrorCode::unavailable, "the server is shutting down"));
  now.body["ready"] = now.ready;
  now.body["warnings"] = api.services.warnings ? Json(api.services.warnings()) : Json::array();
  return now;
}

/// Asks the services at most once a second, however often a balancer asks.
class ReadinessCache {
 public:
  Readiness get(const Api& api) {
    std::lock_guard lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    if (!held_.body.is_object() || now - taken_ > readiness_kept || api.server->draining()) {
      held_ = readiness_of(api);
      taken_ = now;
    }
    return held_;
  }

 private:
  std::mutex mutex_;
  Readiness held_;
  SteadyTime taken_;
};

/// Only this machine can reach it.
bool is_loopback(const std::string& address) { return address.starts_with("127.") || address == "::1" || address == "localhost"; }

http::Response metrics(Api& api, const http::Request& request) {
  if (!is_loopback(api.settings.http.address))
    if (const auto allowed = api.admit(request, access::Action::metrics_read, Counts::no); !allowed) return api.fail(request, allowed.error());
  Gauges gauges;
  gauges.server = api.server->stats();
  gauges.models = api.services.inference.stats();
  gauges.ledger_records = api.services.audit.size();
  gauges.refusals_unrecorded = api.refusals_unrecorded();
  http::Response response;
  response.body = api.metrics.text(gauges);
  response.header("content-type", "text/plain; version=0.0.4; charset=utf-8");
  return response;
}

bool matches_etag(const http::Request& request, const std::string& etag) {
  const auto wanted = request.header("if-none-match");
  if (!wanted) return false;
  for (auto part : text::split(*wanted, ',')) {
    part = text::trim(part);
    if (part.starts_with("W/")) part.remove_prefix(2);
    if (part == "*" || part == etag) return true;
  }
  return false;
}

/// Whether the client takes gzip (RFC 9110 section 12.5.3); what it gives the weight 0 it does not take.
bool takes_gzip(const http::Request& request) {
  const auto header = request.header("accept-encoding");
  if (!header) return false;
  bool all = false;
  for (const auto part : text::split(*header, ',')) {
    const auto semicolon = part.find(';');
    const auto name = text::trim(part.substr(0, semicolon));
    const auto weight = semicolon == std::string_view::npos ? std::string_view() : text::trim(part.substr(semicolon + 1));
    const bool refused = text::starts_with_ci(weight, "q=") && weight.find_first_not_of("0.", 2) == std::string_view::npos;
    if (text::equals_ci(name, "gzip")) return !refused;
    if (name == "*") all = !refused;
  }
  return all;
}

http::Response asset(const Api& api, const http::Request& request) {
  const std::string path = request.path == "/" ? "/index.html" : request.path;
  auto found = api.services.assets->find(path);
  const auto last = path.substr(path.find_last_of('/') + 1);
  // addresses of the console's own pages have no extension and no file
  const bool is_page = last.find('.') == std::string::npos && !path.starts_with("/v1/") && path != "/v1";
  if (!found && is_page) found = api.services.assets->find("/index.html");
  if (!found) return api.fail(request, Error(ErrorCode::not_found, "there is no such address; /openapi.json lists what there is"));
  const bool packed = !found->gzip.empty() && takes_gzip(request);
  // two forms of one file are two things to a cache
  const std::string etag = packed ? found->etag.substr(0, found->etag.size() - 1) + "-gzip\"" : found->etag;
  http::Response response;
  if (matches_etag(request, etag)) {
    response.status = 304;
  } else {
    response.body = std::string(packed ? found->gzip : found->bytes);
    response.header("content-type", found->media_type);
    if (packed) response.header("content-encoding", "gzip");
  }
  if (!found->gzip.empty()) response.header("vary", "accept-encoding");
  response.header("etag", etag);
  response.header("cache-control", found->immutable ? "public, max-age=31536000, immutable" : "no-cache");
  response.header("content-security-policy", console_policy);
  return response;
}

void add_public(Routes& routes, const char* pattern, http::Handler handler) {
  routes.push_back({"GET", pattern, std::move(handler), 0});
}

}  // namespace

void add_public_routes(Routes& routes, Api& api) {
  add_public(routes, "/healthz", [](http::Request&) -> http::Step { return http::Response::json(200, R"({"status":"ok"})"); });
  // shared: std::function must be copyable
  const auto readiness = std::make_shared<ReadinessCache>();
  add_public(routes, "/readyz", [&api, readiness](http::Request&) -> http::Step {
    const auto now = readiness->get(api);
    return http::Response::json(now.ready ? 200 : 503, dump(now.body));
  });
  add_public(routes, "/metrics", [&api](http::Request& request) -> http::Step { return metrics(api, request); });
  add_public(routes, "/openapi.json", [&api](http::Request&) -> http::Step { return http::Response::json(200, api.openapi); });
  if (api.services.assets != nullptr)
    add_public(routes, "/{path...}", [&api](http::Request& request) -> http::Step { return asset(api, request); });
}

}  // namespace heng::api
