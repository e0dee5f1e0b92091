#include "webhook.h"

#include <fmt/format.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <algorithm>
#include <optional>

#include "heng/base/hash.h"
#include "heng/base/text.h"
#include "heng/store/keys.h"

namespace heng::streams {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;

bool is_loopback_name(std::string_view host) {
  error_code failed;
  const auto address = asio::ip::make_address(std::string(host), failed);
  if (!failed) return address.is_loopback();
  return text::equals_ci(host, "localhost");
}

/// Runs one asynchronous operation to its end; between ticks the caller's stop is looked at.
template <class Begin, class Abort>
Result<void> run(asio::io_context& io, const char* what, int timeout_ms, std::stop_token stop, Begin begin, Abort abort) {
  std::optional<error_code> result;
  begin([&](error_code error) { result = error; });
  const auto limit = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  bool late = false;
  io.restart();
  while (!result) {
    io.run_one_for(std::chrono::milliseconds(20));
    if (io.stopped()) io.restart();
    if (result || late) continue;
    late = stop.stop_requested() || std::chrono::steady_clock::now() >= limit;
    if (late) abort();
  }
  if (late) return Error(stop.stop_requested() ? ErrorCode::cancelled : ErrorCode::unavailable, fmt::format("no answer within {} ms ({})", timeout_ms, what));
  if (*result) return Error(ErrorCode::unavailable, fmt::format("{}: {}", what, result->message()));
  return {};
}

template <class Stream, class Abort>
Result<int> exchange(asio::io_context& io, Stream& stream, const WebhookCall& call, std::stop_token stop, Abort abort) {
  http::request<http::string_body> request(http::verb::post, call.target.path.empty() ? "/" : call.target.path, 11);
  const bool usual = call.target.port == (call.target.tls ? "443" : "80");
  request.set(http::field::host, usual ? call.target.host : call.target.host + ":" + call.target.port);
  request.set(http::field::user_agent, "heng");
  request.set(http::field::content_type, "application/json");
  request.set(http::field::connection, "close");
  request.set("X-Heng-Signature", call.signature);
  request.set("X-Heng-Alert", call.alert_id);
  request.body() = call.body;
  request.prepare_payload();
  HENG_TRY(run(io, "send", call.timeout_ms, stop, [&](auto done) { http::async_write(stream, request, [done](auto error, auto) { done(error); }); }, abort));
  beast::flat_buffer buffer(64 << 10);
  http::response_parser<http::string_body> parser;
  parser.body_limit(64 << 10);
  HENG_TRY(run(io, "wait for the answer", call.timeout_ms, stop, [&](auto done) { http::async_read_header(stream, buffer, parser, [done](auto error, auto) { done(error); }); }, abort));
  return static_cast<int>(parser.get().result_int());
}

}  // namespace

Result<WebhookTarget> check_webhook_url(const std::string& url, const std::vector<std::string>& allowed) {
  WebhookTarget out;
  std::string_view rest(url);
  if (text::starts_with_ci(rest, "https://")) {
    out.tls = true;
    rest.remove_prefix(8);
  } else if (text::starts_with_ci(rest, "http://")) {
    rest.remove_prefix(7);
  } else {
    return Error(ErrorCode::invalid_argument, "url must begin with https:// (or http:// to this machine)", "url");
  }
  const auto slash = rest.find('/');
  const auto authority = rest.substr(0, slash);
  out.path = slash == std::string_view::npos ? "/" : std::string(rest.substr(slash));
  std::string_view port;
  const bool bracketed = !authority.empty() && authority[0] == '[' && authority.find(']') != std::string_view::npos;
  const auto colon = bracketed ? authority.find(':', authority.find(']')) : authority.find(':');
  out.host = bracketed ? std::string(authority.substr(1, authority.find(']') - 1)) : std::string(authority.substr(0, colon));
  if (colon != std::string_view::npos) port = authority.substr(colon + 1);
  out.port = colon == std::string_view::npos ? (out.tls ? "443" : "80") : std::string(port);
  const bool digits = !out.port.empty() && out.port.size() <= 5 && out.port.find_first_not_of("0123456789") == std::string::npos;
  if (out.host.empty() || !digits || url.find_first_of(" \t\r\n#@\\") != std::string::npos) return Error(ErrorCode::invalid_argument, "url must be https://host[:port][/path]", "url");
  if (!out.tls && !is_loopback_name(out.host)) return Error(ErrorCode::policy_denied, fmt::format("url goes to {} over http; only https may leave this machine", out.host), "url");
  const bool listed = std::any_of(allowed.begin(), allowed.end(), [&](const std::string& entry) {
    return text::equals_ci(entry, out.host) || text::equals_ci(entry, out.host + ":" + out.port);
  });
  if (!listed) return Error(ErrorCode::policy_denied, fmt::format("url goes to {}:{}, which [webhooks] allow does not list", out.host, out.port), "url");
  return out;
}

std::string sign(std::string_view secret, std::int64_t unix_s, std::string_view body) {
  const std::string mac = store::hmac_sha256(secret, fmt::format("{}.{}", unix_s, body));
  return fmt::format("t={},v1={}", unix_s, to_hex(mac.data(), mac.size()));
}

Result<int> post(const WebhookCall& call, std::stop_token stop) {
  try {
    asio::io_context io;
    asio::ip::tcp::resolver resolver(io);
    asio::ip::tcp::resolver::results_type found;
    HENG_TRY(run(io, "find the host", call.timeout_ms, stop, [&](auto done) {
      resolver.async_resolve(call.target.host, call.target.port, [&, done](auto error, auto addresses) { found = addresses; done(error); });
    }, [&] { resolver.cancel(); }));
    if (!call.target.tls)
      for (const auto& address : found)
        if (!address.endpoint().address().is_loopback()) return Error(ErrorCode::policy_denied, fmt::format("{} is not this machine; use https", call.target.host));
    if (!call.target.tls) {
      asio::ip::tcp::socket socket(io);
      const auto abort = [&] { error_code ignored; socket.close(ignored); };
      HENG_TRY(run(io, "connect", call.timeout_ms, stop, [&](auto done) { asio::async_connect(socket, found, [done](auto error, auto) { done(error); }); }, abort));
      return exchange(io, socket, call, stop, abort);
    }
    asio::ssl::context tls(asio::ssl::context::tls_client);
    error_code failed;
    tls.set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1, failed);
    tls.set_verify_mode(asio::ssl::verify_peer, failed);
    if (call.ca_file.empty()) tls.set_default_verify_paths(failed);
    else tls.load_verify_file(call.ca_file, failed);
    if (failed && !call.ca_file.empty()) return Error(ErrorCode::unavailable, fmt::format("{} holds no readable certificates", call.ca_file));
    asio::ssl::stream<asio::ip::tcp::socket> stream(io, tls);
    const auto abort = [&] { error_code ignored; stream.next_layer().close(ignored); };
    HENG_TRY(run(io, "connect", call.timeout_ms, stop, [&](auto done) { asio::async_connect(stream.next_layer(), found, [done](auto error, auto) { done(error); }); }, abort));
    SSL_set_tlsext_host_name(stream.native_handle(), call.target.host.c_str());
    stream.set_verify_callback(asio::ssl::host_name_verification(call.target.host));
    HENG_TRY(run(io, "TLS", call.timeout_ms, stop, [&](auto done) { stream.async_handshake(asio::ssl::stream_base::client, done); }, abort));
    return exchange(io, stream, call, stop, abort);
  } catch (const std::exception& failure) {
    return Error(ErrorCode::unavailable, failure.what());
  }
}

}  // namespace heng::streams
