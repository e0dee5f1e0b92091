#include "heng/api/server.h"

#include <fmt/format.h>

#include "batch_executor.h"
#include "context.h"
#include "heng/base/log.h"

namespace heng::api {
namespace {

/// One line per request: what, how it ended, how long; never what was in it.
void log_access(Api& api, const http::Finished& finished) {
  const auto& request = finished.request;
  api.metrics.request(request.route, request.method, finished.status, finished.ms);
  const bool is_probe = request.route == "/healthz" || request.route == "/readyz" || request.route == "/metrics";
  log::write(is_probe ? log::Level::debug : log::Level::info, "http_request",
             {{"request_id", request.id.value},
              {"method", request.method},
              {"route", request.route},
              {"status", fmt::format("{}", finished.status)},
              {"ms", fmt::format("{:.1f}", finished.ms)},
              {"bytes_in", fmt::format("{}", finished.bytes_in)},
              {"bytes_out", fmt::format("{}", finished.bytes_out)},
              {"peer", request.peer},
              {"cancelled", finished.cancelled ? "true" : "false"}});
}

class ApiServerImpl final : public ApiServer {
 public:
  ApiServerImpl(const ApiSettings& settings, const Services& services) : api_(settings, services) {}
  ~ApiServerImpl() override { drain(std::chrono::milliseconds(0)); }

  Result<void> open() {
    api_.openapi = openapi_document(api_.settings);
    Routes routes;
    add_model_routes(routes, api_);
    add_chat_routes(routes, api_);
    add_kb_routes(routes, api_);
    add_document_routes(routes, api_);
    add_ask_routes(routes, api_);
    add_label_routes(routes, api_);
    add_admin_routes(routes, api_);
    add_review_routes(routes, api_);
    add_stop_routes(routes, api_);
    add_stream_routes(routes, api_);
    add_explain_routes(routes, api_);
    add_guard_routes(routes, api_);
    add_user_routes(routes, api_);
    add_sign_in_routes(routes, api_);
    add_policy_routes(routes, api_);
    add_monitor_routes(routes, api_);
    add_public_routes(routes, api_);
    add_extract_routes(routes, api_);
    add_vault_routes(routes, api_);
    add_batch_routes(routes, api_);
    http::ServerHooks hooks;
    hooks.before_body = [this](const http::Request& request) -> std::optional<http::Response> {
      const auto principal = api_.authenticate(request);
      if (principal) return std::nullopt;
      return api_.fail(request, principal.error());
    };
    hooks.finished = [this](const http::Finished& finished) { log_access(api_, finished); };
    server_ = HENG_TRY(http::Server::create(api_.settings.http, std::move(routes), std::move(hooks)));
    api_.server = server_.get();
    return {};
  }

  void start() override {
    if (api_.services.batches != nullptr)
      if (auto served = api_.services.batches->serve(executor_); !served.ok()) log::error("batches_not_served", {{"reason", served.error().message}});
    server_->start();
  }
  std::string address() const override { return server_->address(); }
  std::uint16_t port() const override { return server_->port(); }
  Result<void> reload_tls() override { return server_->reload_tls(); }

  void drain(std::chrono::milliseconds deadline) override {
    if (api_.services.batches != nullptr) api_.services.batches->close();
    if (server_) server_->drain(deadline);
    api_.embedder.close();
  }

 private:
  Api api_;
  LineExecutor executor_{api_};
  std::unique_ptr<http::Server> server_;  // last: its threads use the rest
};

}  // namespace

Result<std::unique_ptr<ApiServer>> ApiServer::create(const ApiSettings& settings, const Services& services) {
  auto server = std::make_unique<ApiServerImpl>(settings, services);
  HENG_TRY(server->open());
  return std::unique_ptr<ApiServer>(std::move(server));
}

}  // namespace heng::api
