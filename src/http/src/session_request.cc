// The parts of a session that do not wait: from a parsed header to a request, and from an answer to its head.

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "heng/base/text.h"
#include "parsing.h"
#include "session.h"

namespace heng::http {
namespace {

constexpr std::string_view preflight_headers = "authorization, content-type, x-request-id";

bool is_loopback_host(std::string_view host) {
  if (host.starts_with('[')) {
    host = host.substr(0, host.find(']') + 1);
  } else {
    host = host.substr(0, host.find(':'));
  }
  // digits and dots only: "127.evil.example" is a name like any other
  const bool is_number = host.find_first_not_of("0123456789.") == std::string_view::npos;
  return host == "[::1]" || (is_number && host.starts_with("127.")) || text::equals_ci(host, "localhost");
}

bool is_loopback_origin(std::string_view origin) {
  const auto scheme = origin.find("://");
  return scheme != std::string_view::npos && is_loopback_host(origin.substr(scheme + 3));
}

std::string http_date() {
  const std::time_t seconds = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char buffer[40];
  const auto size = std::strftime(buffer, sizeof buffer, "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return std::string(buffer, size);
}

void add(std::string& head, std::string_view name, std::string_view value) {
  head.append(name).append(": ");
  for (const char c : value) head += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  head += "\r\n";
}

bool has(const Response& response, std::string_view name) {
  return std::any_of(response.headers.begin(), response.headers.end(),
                     [&](const auto& header) { return text::equals_ci(header.first, name); });
}

Response refused(int status, ErrorCode code, std::string message, const RequestId& id) {
  auto response = error_response(Error(code, std::move(message)), id);
  response.status = status;
  return response;
}

}  // namespace

std::optional<Response> Session::check_head(Parsing& parsing, Current& current) {
  const auto& request = current.exchange->request;
  const auto bad = [&](int status, std::string message) {
    current.keep_alive = false;
    ++core_.malformed;
    return refused(status, status == 413 ? ErrorCode::too_large : ErrorCode::malformed_input, std::move(message), request.id);
  };
  if (parsing.version() != 11 && parsing.version() != 10) return bad(505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
  const auto host = request.header("host");
  if (!host && parsing.version() == 11) return bad(400, "the request has no Host header");
  // without keys, a web page elsewhere could reach this server through a name that it points at loopback
  if (!core_.settings.keys_required && host && !is_loopback_host(*host))
    return bad(421, "this server answers to localhost only");
  const auto origin = request.header("origin");
  if (!core_.settings.keys_required && origin && !is_loopback_origin(*origin))
    return bad(421, "this server answers to pages of localhost only");
  const auto coding = request.header("transfer-encoding");
  if (coding && !text::equals_ci(*coding, "chunked")) return bad(501, "the only transfer coding known here is 'chunked'");
  const auto packing = request.header("content-encoding");
  if (packing && !packing->empty() && !text::equals_ci(*packing, "identity"))
    return bad(415, "compressed bodies are not taken; send the body as it is");
  if (const auto expect = request.header("expect")) {
    if (!text::equals_ci(*expect, "100-continue")) return bad(417, "the only expectation known here is '100-continue'");
    current.expects_continue = parsing.version() == 11;
  }
  return std::nullopt;
}

std::optional<Response> Session::open_request(Parsing& parsing, Current& current) {
  auto& request = current.exchange->request;
  request.id = new_request_id(system_clock().unix_ms(), system_random());
  request.peer = peer_;
  request.method = parsing.method();
  request.headers = parsing.headers();
  current.head_only = request.method == "HEAD";
  current.keep_alive = parsing.keep_alive() && !core_.draining;
  current.chunked = parsing.version() == 11;
  if (auto refusal = check_head(parsing, current)) return refusal;

  const auto& origins = core_.settings.cors_origins;
  if (const auto origin = request.header("origin"); origin && !origins.empty())
    for (const auto& allowed : origins)
      if (allowed == "*" || allowed == *origin) current.origin = allowed;

  if (request.method == "OPTIONS" && parsing.target() == "*") return Response::empty(204);
  auto target = parse_target(parsing.target());
  if (!target) {
    ++core_.malformed;
    return error_response(target.error(), request.id);
  }
  request.path = std::move(target->path);
  request.query = std::move(target->query);
  if (auto answer = find_route(current, target->segments)) return answer;

  current.body_most = current.route->body_bytes > 0 ? current.route->body_bytes : core_.settings.limits.body_bytes;
  if (const auto length = parsing.content_length()) {
    if (*length > current.body_most) {
      current.keep_alive = false;
      return refused(413, ErrorCode::too_large,
                     fmt::format("the body has {} bytes, the limit here is {}", *length, current.body_most), request.id);
    }
    return reserve_body(current, *length);
  }
  return std::nullopt;
}

std::optional<Response> Session::find_route(Current& current, const std::vector<std::string>& segments) {
  auto& request = current.exchange->request;
  auto match = core_.router.match(request.method, segments);
  if (match.route != nullptr) {
    current.route = match.route;
    request.route = match.route->pattern;
    request.params = std::move(match.params);
    return std::nullopt;
  }
  if (match.allowed.empty())
    return refused(404, ErrorCode::not_found, "there is no such address; /openapi.json lists what there is", request.id);
  current.allowed = match.allowed;
  if (request.method == "OPTIONS") {
    auto response = Response::empty(204).header("allow", match.allowed);
    if (!current.origin.empty())
      response.header("access-control-allow-methods", match.allowed)
          .header("access-control-allow-headers", std::string(preflight_headers))
          .header("access-control-max-age", "600");
    return response;
  }
  return refused(405, ErrorCode::invalid_argument, "this address takes " + match.allowed, request.id)
      .header("allow", match.allowed);
}

std::optional<Response> Session::reserve_body(Current& current, std::size_t bytes) {
  auto& exchange = *current.exchange;
  const auto more = static_cast<std::int64_t>(bytes) - exchange.reserved;
  if (more <= 0) return std::nullopt;
  exchange.reserved += more;
  if (core_.body_memory.fetch_add(more) + more <= static_cast<std::int64_t>(core_.settings.limits.body_memory_bytes))
    return std::nullopt;
  current.keep_alive = false;
  ++core_.overloaded;
  return error_response(
      Error(ErrorCode::overloaded, "the memory for request bodies is in use; try again in a few seconds"), exchange.request.id);
}

std::string Session::head_of(const Current& current, const Response& response, bool stream) const {
  std::string head = fmt::format("HTTP/1.1 {} {}\r\n", response.status, reason_of(response.status));
  for (const auto& [name, value] : response.headers) add(head, name, value);
  add(head, "date", http_date());
  add(head, "x-request-id", current.exchange->request.id.value);
  add(head, "x-content-type-options", "nosniff");
  add(head, "x-frame-options", "DENY");
  add(head, "referrer-policy", "no-referrer");
  if (!has(response, "cache-control")) add(head, "cache-control", "no-store");
  if (!has(response, "content-security-policy")) add(head, "content-security-policy", "default-src 'none'; frame-ancestors 'none'");
  if (transport_->secure()) add(head, "strict-transport-security", "max-age=31536000");
  if (!core_.settings.cors_origins.empty()) add(head, "vary", "Origin");
  if (!current.origin.empty()) {
    add(head, "access-control-allow-origin", current.origin);
    add(head, "access-control-expose-headers", "x-request-id, x-heng-audit-index, retry-after");
  }
  if (stream && current.chunked) {
    add(head, "transfer-encoding", "chunked");
  } else if (!stream && response.status != 204 && response.status != 304) {
    add(head, "content-length", fmt::format("{}", response.body.size()));
  }
  const bool closes = !current.keep_alive || (stream && !current.chunked);
  add(head, "connection", closes ? "close" : "keep-alive");
  head += "\r\n";
  return head;
}

void Session::finished(const Current& current, int status, bool cancelled) {
  if (!core_.hooks.finished) return;
  const double ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - current.began).count();
  core_.hooks.finished(Finished{current.exchange->request, status, current.bytes_in, current.bytes_out, ms, cancelled});
}

}  // namespace heng::http
