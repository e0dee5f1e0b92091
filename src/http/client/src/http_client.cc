#include "heng/http_client/http_client.h"

#include <fmt/format.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <charconv>

#include "heng/base/text.h"

namespace heng::http_client {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

// how often a waiting call looks whether its caller has gone
constexpr auto tick = std::chrono::milliseconds(20);

/// Runs asynchronous operations one after another to their end, their time limit, the deadline or the caller's stop.
class Run {
 public:
  Run(asio::io_context& io, const HttpCall& call) : io_(io), call_(call) {}

  /// `begin(handler)` starts the operation; `abort` closes what it works on.
  template <class Begin, class Abort>
  Result<void> operator()(const char* what, int timeout_ms, Begin begin, Abort abort) {
    std::optional<boost::system::error_code> result;
    begin([&](boost::system::error_code error) { result = error; });
    const auto limit = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
    std::optional<Error> reason;
    io_.restart();
    while (!result) {
      io_.run_one_for(tick);
      if (result || reason) continue;
      const auto now = std::chrono::steady_clock::now();
      if (call_.stop.stop_requested()) reason = Error(ErrorCode::cancelled, "the request was cancelled");
      else if (call_.deadline && now >= *call_.deadline) reason = Error(ErrorCode::deadline_exceeded, "the remote server did not answer before the deadline");
      else if (now >= limit) reason = Error(ErrorCode::unavailable, fmt::format("the remote server was silent for {} ms ({})", timeout_ms, what));
      if (reason) abort();
      if (io_.stopped()) io_.restart();
    }
    if (reason) return *reason;
    if (*result) return Error(ErrorCode::unavailable, fmt::format("the connection to the remote server failed ({}: {})", what, result->message()));
    return {};
  }

 private:
  asio::io_context& io_;
  const HttpCall& call_;
};

/// What the header "Host" says (RFC 9110 section 7.2): the port only where it is not the scheme's own.
std::string host_of(const HttpTarget& target) {
  const std::string host = target.host.find(':') == std::string::npos ? target.host : "[" + target.host + "]";
  return target.port == (target.tls ? "443" : "80") ? host : host + ":" + target.port;
}

template <class Stream>
Result<HttpReply> exchange(Stream& stream, Run& run, const HttpTarget& target, const HttpCall& call, const std::function<void()>& abort) {
  http::request<http::string_body> request(http::string_to_verb(call.method), target.path + call.path, 11);
  request.set(http::field::host, host_of(target));
  request.set(http::field::content_type, call.content_type);
  request.set(http::field::accept, "application/json, text/event-stream");
  request.set(http::field::connection, "close");
  if (!call.bearer.empty()) request.set(http::field::authorization, "Bearer " + call.bearer);
  else if (!call.authorization.empty()) request.set(http::field::authorization, call.authorization);
  request.body() = call.body;
  request.prepare_payload();
  HENG_TRY(run("send", call.read_timeout_ms, [&](auto done) { http::async_write(stream, request, [done](auto error, auto) { done(error); }); }, abort));

  beast::flat_buffer buffer(64 << 10);
  http::response_parser<http::buffer_body> parser;
  parser.header_limit(64 << 10);
  parser.body_limit(call.response_limit_bytes);
  const Error larger(ErrorCode::too_large, fmt::format("the remote server's answer is larger than {} bytes", call.response_limit_bytes));
  bool announced_larger = false;
  HENG_TRY(run("wait for the answer", call.read_timeout_ms, [&](auto done) {
    http::async_read_header(stream, buffer, parser, [&, done](boost::system::error_code error, auto) {
      announced_larger = error == http::error::body_limit;
      done(announced_larger ? boost::system::error_code() : error);
    });
  }, abort));
  if (announced_larger) return larger;
  HttpReply reply;
  reply.status = parser.get().result_int();
  if (const auto after = parser.get()[http::field::retry_after]; !after.empty()) {
    int seconds = 0;
    if (std::from_chars(after.data(), after.data() + after.size(), seconds).ec == std::errc() && seconds > 0) reply.retry_after_ms = std::min(seconds, 60) * 1000;
  }
  const bool streaming = call.on_body && reply.status >= 200 && reply.status < 300;
  char piece[16 << 10];
  while (!parser.is_done()) {
    parser.get().body().data = piece;
    parser.get().body().size = sizeof piece;
    boost::system::error_code body_error;
    HENG_TRY(run("read the answer", call.read_timeout_ms, [&](auto done) {
      http::async_read_some(stream, buffer, parser, [&, done](boost::system::error_code error, auto) {
        body_error = error;
        done(error == http::error::need_buffer || error == http::error::body_limit ? boost::system::error_code() : error);
      });
    }, abort));
    if (body_error == http::error::body_limit) return larger;
    const std::string_view got(piece, sizeof piece - parser.get().body().size);
    if (!streaming) reply.body += got;
    else if (!got.empty() && !call.on_body(got)) break;
  }
  return reply;
}

}  // namespace

Result<HttpTarget> parse_url(const std::string& url) {
  HttpTarget target;
  std::string_view rest(url);
  if (text::starts_with_ci(rest, "https://")) {
    target.tls = true;
    rest.remove_prefix(8);
  } else if (text::starts_with_ci(rest, "http://")) {
    rest.remove_prefix(7);
  } else {
    return Error(ErrorCode::invalid_argument, "the URL must begin with http:// or https://", "url");
  }
  const auto slash = rest.find('/');
  auto authority = rest.substr(0, slash);
  if (slash != std::string_view::npos) target.path = rest.substr(slash);
  while (!target.path.empty() && target.path.back() == '/') target.path.pop_back();
  std::string_view port;
  if (!authority.empty() && authority[0] == '[') {
    const auto end = authority.find(']');
    if (end == std::string_view::npos) return Error(ErrorCode::invalid_argument, "the URL's address has no closing bracket", "url");
    target.host = authority.substr(1, end - 1);
    if (end + 1 < authority.size() && authority[end + 1] == ':') port = authority.substr(end + 2);
  } else {
    const auto colon = authority.find(':');
    target.host = authority.substr(0, colon);
    if (colon != std::string_view::npos) port = authority.substr(colon + 1);
  }
  target.port = port.empty() ? (target.tls ? "443" : "80") : std::string(port);
  const bool digits = target.port.find_first_not_of("0123456789") == std::string::npos && target.port.size() <= 5;
  const bool odd = url.find_first_of(" \t\r\n?#@") != std::string::npos;
  if (target.host.empty() || !digits || odd) return Error(ErrorCode::invalid_argument, "the URL must be http[s]://host[:port][/path]", "url");
  return target;
}

struct HttpClient::Impl {
  HttpTarget target;
  asio::ssl::context tls{asio::ssl::context::tls_client};
};

HttpClient::HttpClient() : impl_(std::make_unique<Impl>()) {}
HttpClient::~HttpClient() = default;

Result<std::unique_ptr<HttpClient>> HttpClient::create(HttpTarget target, const std::string& ca_file) {
  std::unique_ptr<HttpClient> client(new HttpClient());
  client->impl_->target = std::move(target);
  auto& tls = client->impl_->tls;
  boost::system::error_code error;
  tls.set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1, error);
  tls.set_verify_mode(asio::ssl::verify_peer, error);
  if (ca_file.empty()) tls.set_default_verify_paths(error);
  else tls.load_verify_file(ca_file, error);
  if (error && !ca_file.empty()) return Error(ErrorCode::invalid_argument, fmt::format("{} holds no readable certificates", ca_file), "ca_file");
  return client;
}

Result<HttpReply> HttpClient::send(const HttpCall& call) {
  const auto& target = impl_->target;
  try {
    asio::io_context io;
    Run run(io, call);
    asio::ip::tcp::resolver resolver(io);
    asio::ip::tcp::resolver::results_type addresses;
    HENG_TRY(run("find the host", call.connect_timeout_ms, [&](auto done) {
      resolver.async_resolve(target.host, target.port, [&, done](auto error, auto found) { addresses = found; done(error); });
    }, [&] { resolver.cancel(); }));
    if (!target.tls) {
      asio::ip::tcp::socket socket(io);
      const std::function<void()> abort = [&] { boost::system::error_code ignored; socket.close(ignored); };
      HENG_TRY(run("connect", call.connect_timeout_ms, [&](auto done) { asio::async_connect(socket, addresses, [done](auto error, auto) { done(error); }); }, abort));
      return exchange(socket, run, target, call, abort);
    }
    asio::ssl::stream<asio::ip::tcp::socket> stream(io, impl_->tls);
    const std::function<void()> abort = [&] { boost::system::error_code ignored; stream.next_layer().close(ignored); };
    HENG_TRY(run("connect", call.connect_timeout_ms, [&](auto done) { asio::async_connect(stream.next_layer(), addresses, [done](auto error, auto) { done(error); }); }, abort));
    SSL_set_tlsext_host_name(stream.native_handle(), target.host.c_str());
    stream.set_verify_callback(asio::ssl::host_name_verification(target.host));
    HENG_TRY(run("TLS", call.connect_timeout_ms, [&](auto done) { stream.async_handshake(asio::ssl::stream_base::client, done); }, abort));
    return exchange(stream, run, target, call, abort);
  } catch (const std::exception& failure) {
    return Error(ErrorCode::unavailable, fmt::format("the remote server cannot be reached: {}", failure.what()));
  }
}

}  // namespace heng::http_client
