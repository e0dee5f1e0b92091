#include "heng/http/message.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "heng/base/text.h"

namespace heng::http {
namespace {

std::optional<std::string_view> find(const Pairs& pairs, std::string_view name) {
  for (const auto& [key, value] : pairs)
    if (key == name) return value;
  return std::nullopt;
}

}  // namespace

std::optional<std::string_view> Request::header(std::string_view name) const { return find(headers, name); }
std::optional<std::string_view> Request::query_value(std::string_view name) const { return find(query, name); }
std::string_view Request::param(std::string_view name) const { return find(params, name).value_or(""); }

Response Response::json(int status, std::string body) {
  Response response{status, {}, std::move(body)};
  response.headers.emplace_back("content-type", "application/json");
  return response;
}

Response Response::text(int status, std::string body) {
  Response response{status, {}, std::move(body)};
  response.headers.emplace_back("content-type", "text/plain; charset=utf-8");
  return response;
}

Response Response::empty(int status) { return Response{status, {}, {}}; }

Response& Response::header(std::string name, std::string value) & {
  headers.emplace_back(std::move(name), std::move(value));
  return *this;
}

Response&& Response::header(std::string name, std::string value) && {
  headers.emplace_back(std::move(name), std::move(value));
  return std::move(*this);
}

int status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_argument: return 400;
    case ErrorCode::malformed_input: return 400;
    case ErrorCode::too_large: return 413;
    case ErrorCode::not_found: return 404;
    case ErrorCode::already_exists: return 409;
    case ErrorCode::conflict: return 409;
    case ErrorCode::unauthenticated: return 401;
    case ErrorCode::permission_denied: return 403;
    case ErrorCode::policy_denied: return 403;
    case ErrorCode::rate_limited: return 429;
    case ErrorCode::overloaded: return 503;
    case ErrorCode::deadline_exceeded: return 504;
    case ErrorCode::cancelled: return client_closed_request;
    case ErrorCode::unavailable: return 503;
    case ErrorCode::storage_full: return 507;
    case ErrorCode::corrupt: return 500;
    case ErrorCode::unsupported: return 400;
    case ErrorCode::internal: return 500;
  }
  return 500;
}

std::string_view error_type(ErrorCode code) {
  const int status = status_of(code);
  if (status == 401) return "authentication_error";
  if (status == 403) return "permission_error";
  if (status == 404) return "not_found_error";
  if (status == 429) return "rate_limit_error";
  return status >= 500 ? "server_error" : "invalid_request_error";
}

std::string error_body(const Error& error, const RequestId& id) {
  nlohmann::ordered_json object{{"code", to_string(error.code)},
                                {"message", error.message},
                                {"param", nullptr},
                                {"type", error_type(error.code)}};
  if (!error.param.empty()) object["param"] = error.param;
  if (!id.empty()) object["request_id"] = id.value;
  return nlohmann::ordered_json{{"error", std::move(object)}}.dump(
      -1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

Response error_response(const Error& error, const RequestId& id) {
  auto response = Response::json(status_of(error.code), error_body(error, id));
  if (response.status == 401) response.header("www-authenticate", "Bearer realm=\"heng\"");
  if (response.status == 429 || response.status == 503) {
    const auto fallback_ms = error.code == ErrorCode::rate_limited ? 10'000 : 2'000;
    const auto wait_ms = error.retry_after_ms > 0 ? error.retry_after_ms : fallback_ms;
    response.header("retry-after", fmt::format("{}", (wait_ms + 999) / 1000));
  }
  return response;
}

const char* reason_of(int status) {
  switch (status) {
    case 100: return "Continue";
    case 200: return "OK";
    case 201: return "Created";
    case 204: return "No Content";
    case 206: return "Partial Content";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 411: return "Length Required";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 416: return "Range Not Satisfiable";
    case 417: return "Expectation Failed";
    case 421: return "Misdirected Request";
    case 422: return "Unprocessable Content";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 499: return "Client Closed Request";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    case 507: return "Insufficient Storage";
    default: return status < 400 ? "OK" : "Error";
  }
}

}  // namespace heng::http
