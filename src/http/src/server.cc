#include "heng/http/server.h"

#include <fmt/format.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <sys/resource.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <thread>

#include "heng/base/log.h"
#include "session.h"

namespace heng::http {
namespace {

using asio::ip::tcp;
using Acceptor = asio::basic_socket_acceptor<tcp, Executor>;
constexpr auto awaited = asio::as_tuple(asio::use_awaitable);

Result<std::shared_ptr<asio::ssl::context>> load_tls(const TlsFiles& files) {
  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
  context->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_sslv2 | asio::ssl::context::no_sslv3 |
                       asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1 | SSL_OP_NO_RENEGOTIATION);
  boost::system::error_code error;
  context->use_certificate_chain_file(files.certificate, error);
  if (error)
    return Error(ErrorCode::malformed_input,
                 fmt::format("the certificate {} cannot be read: {}", files.certificate, error.message()), "tls.certificate");
  context->use_private_key_file(files.key, asio::ssl::context::pem, error);
  if (error)
    return Error(ErrorCode::malformed_input, fmt::format("the key {} cannot be read: {}", files.key, error.message()), "tls.key");
  if (SSL_CTX_check_private_key(context->native_handle()) != 1)
    return Error(ErrorCode::malformed_input, fmt::format("the key {} does not belong to the certificate {}", files.key,
                                                         files.certificate), "tls.key");
  return context;
}

Result<tcp::endpoint> endpoint_of(const ServerSettings& settings) {
  boost::system::error_code error;
  const std::string text = settings.address == "localhost" ? "127.0.0.1" : settings.address;
  const auto address = asio::ip::make_address(text, error);
  if (error)
    return Error(ErrorCode::invalid_argument, fmt::format("'{}' is not an IP address to listen on", settings.address), "address");
  if (!address.is_loopback()) {
    if (settings.tls.certificate.empty())
      return Error(ErrorCode::invalid_argument,
                   fmt::format("listening on {} needs TLS: set a certificate and a key, or listen on 127.0.0.1", settings.address),
                   "address");
    if (!settings.keys_required)
      return Error(ErrorCode::invalid_argument, fmt::format("listening on {} needs API keys: they are switched off", settings.address),
                   "address");
  }
  return tcp::endpoint(address, settings.port);
}

/// Thousands of connections need as many descriptors; the default soft limit is often 1,024.
void raise_descriptor_limit(int connections) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const rlim_t wanted = std::min<rlim_t>(limit.rlim_max, static_cast<rlim_t>(connections) + 512);
  if (limit.rlim_cur >= wanted) return;
  limit.rlim_cur = wanted;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) log::warn("descriptor_limit_not_raised", {{"wanted", fmt::format("{}", wanted)}});
}

class ServerImpl final : public Server {
 public:
  ServerImpl(ServerSettings settings, std::vector<Route> routes, ServerHooks hooks)
      : core_(std::move(settings), std::move(routes), std::move(hooks)),
        strand_(asio::make_strand(context_)),
        acceptor_(strand_),
        pause_(strand_) {}

  ~ServerImpl() override {
    drain(std::chrono::milliseconds(0));
    context_.stop();
    for (auto& thread : threads_) thread.join();
  }

  Result<void> open() {
    const auto endpoint = HENG_TRY(endpoint_of(core_.settings));
    if (!core_.settings.tls.certificate.empty()) tls_ = HENG_TRY(load_tls(core_.settings.tls));
    raise_descriptor_limit(core_.settings.limits.connections);
    boost::system::error_code error;
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(4096, error);
    if (error)
      return Error(error == asio::error::address_in_use ? ErrorCode::conflict : ErrorCode::invalid_argument,
                   fmt::format("cannot listen on {}:{}: {}", core_.settings.address, core_.settings.port, error.message()), "port");
    bound_ = acceptor_.local_endpoint(error);
    return {};
  }

  void start() override {
    if (!threads_.empty()) return;
    asio::co_spawn(strand_, [this] { return accept_loop(); }, asio::detached);
    for (int i = 0; i < std::max(1, core_.settings.io_threads); ++i)
      threads_.emplace_back([this] {
        pthread_setname_np(pthread_self(), "http-io");
        context_.run();
      });
  }

  std::string address() const override {
    const auto ip = bound_.address();
    return fmt::format("{}://{}{}{}:{}", tls_ ? "https" : "http", ip.is_v6() ? "[" : "", ip.to_string(), ip.is_v6() ? "]" : "",
                       bound_.port());
  }
  std::uint16_t port() const override { return bound_.port(); }
  bool draining() const override { return core_.draining; }

  Result<void> reload_tls() override {
    if (core_.settings.tls.certificate.empty()) return {};
    auto fresh = HENG_TRY(load_tls(core_.settings.tls));
    std::lock_guard lock(tls_mutex_);
    tls_ = std::move(fresh);
    return {};
  }

  void drain(std::chrono::milliseconds deadline) override {
    std::lock_guard drain_lock(drain_mutex_);
    if (drained_) return;
    drained_ = true;
    core_.draining = true;
    asio::post(strand_, [this] {
      boost::system::error_code ignored;
      acceptor_.close(ignored);
      pause_.cancel();
    });
    each_session([](Session& session) { session.wake(); });
    if (threads_.empty()) return;
    wait_idle(deadline);
    each_session([](Session& session) { session.stop_work(); });
    wait_idle(std::chrono::milliseconds(3000));
    each_session([](Session& session) { session.force_close(); });
    core_.work.close();
    core_.quick.close();
    wait_idle(std::chrono::milliseconds(200));
  }

  ServerStats stats() const override {
    ServerStats stats;
    {
      std::lock_guard lock(core_.sessions_mutex);
      stats.connections = static_cast<int>(core_.sessions.size());
    }
    stats.streams = core_.streams;
    stats.quick_queued = core_.quick.queued();
    stats.work_queued = core_.work.queued();
    stats.work_running = core_.work.running();
    stats.accepted = core_.accepted;
    stats.refused_connections = core_.refused;
    stats.timeouts = core_.timeouts;
    stats.cancelled = core_.cancelled;
    stats.overloaded = core_.overloaded;
    stats.malformed = core_.malformed;
    stats.body_memory_bytes = core_.body_memory;
    return stats;
  }

 private:
  asio::awaitable<void> accept_loop() {
    while (!core_.draining) {
      auto strand = asio::make_strand(context_);
      auto [error, socket] = co_await acceptor_.async_accept(strand, awaited);
      if (core_.draining) co_return;
      if (!error) {
        admit(std::move(socket), std::move(strand));
        continue;
      }
      // no descriptors left, or the client gave up meanwhile
      pause_.expires_after(std::chrono::milliseconds(50));
      auto [pause_error] = co_await pause_.async_wait(awaited);
      (void)pause_error;
    }
  }

  void admit(Socket socket, Executor strand) {
    boost::system::error_code error;
    const auto peer = socket.remote_endpoint(error);
    if (error) return;
    auto address = peer.address().to_string();
    const auto& limits = core_.settings.limits;
    std::shared_ptr<asio::ssl::context> tls;
    {
      std::lock_guard lock(tls_mutex_);
      tls = tls_;
    }
    {
      std::lock_guard lock(core_.sessions_mutex);
      const auto known = core_.per_address.find(address);
      const int from_address = known == core_.per_address.end() ? 0 : known->second;
      if (static_cast<int>(core_.sessions.size()) >= limits.connections ||
          (limits.connections_per_address > 0 && from_address >= limits.connections_per_address)) {
        ++core_.refused;
        if (!tls) turn_away(socket);
        return;
      }
      ++core_.per_address[address];
    }
    ++core_.accepted;
    auto transport = tls ? make_tls_transport(std::move(socket), std::move(tls)) : make_plain_transport(std::move(socket));
    auto session = std::make_shared<Session>(core_, std::move(transport), std::move(strand), std::move(address));
    {
      std::lock_guard lock(core_.sessions_mutex);
      core_.sessions.emplace(session.get(), session);
    }
    session->start();
  }

  static void turn_away(Socket& socket) {
    const std::string body = error_body(Error(ErrorCode::overloaded, "too many connections; try again in a few seconds"), {});
    const std::string bytes = fmt::format(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nretry-after: 2\r\nconnection: close\r\n"
        "content-length: {}\r\n\r\n{}", body.size(), body);
    boost::system::error_code ignored;
    socket.non_blocking(true, ignored);
    socket.write_some(asio::buffer(bytes), ignored);
    socket.shutdown(Socket::shutdown_send, ignored);
  }

  template <class Action>
  void each_session(Action action) {
    std::vector<std::shared_ptr<Session>> alive;
    {
      std::lock_guard lock(core_.sessions_mutex);
      for (auto& [raw, weak] : core_.sessions)
        if (auto session = weak.lock()) alive.push_back(std::move(session));
    }
    for (auto& session : alive) action(*session);
  }

  void wait_idle(std::chrono::milliseconds time) {
    const auto end = std::chrono::steady_clock::now() + time;
    while (core_.active > 0 && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }

  Core core_;
  asio::io_context context_;
  Executor strand_;
  Acceptor acceptor_;
  asio::steady_timer pause_;
  tcp::endpoint bound_;
  std::mutex tls_mutex_, drain_mutex_;
  std::shared_ptr<asio::ssl::context> tls_;  // shared with the connections that began under it
  std::vector<std::thread> threads_;
  bool drained_ = false;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::create(ServerSettings settings, std::vector<Route> routes, ServerHooks hooks) {
  auto server = std::make_unique<ServerImpl>(std::move(settings), std::move(routes), std::move(hooks));
  HENG_TRY(server->open());
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace heng::http
