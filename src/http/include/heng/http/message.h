#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "heng/base/error.h"
#include "heng/base/ids.h"

namespace heng::http {

using Pairs = std::vector<std::pair<std::string, std::string>>;

/// A request as the server hands it over. Path and query are percent-decoded, valid UTF-8 and free of control characters.
struct Request {
  RequestId id;
  std::string method;
  std::string path;                        ///< Decoded, without the query.
  Pairs query;                             ///< Decoded, in order.
  Pairs headers;                           ///< Names in lower case, in order.
  Pairs params;                            ///< What the route's {names} matched.
  std::string route;                       ///< The pattern that matched: "/v1/kb/{kb}".
  std::string body;
  std::string peer;                        ///< Address of the client without the port.

  std::optional<std::string_view> header(std::string_view lower_case_name) const;
  std::optional<std::string_view> query_value(std::string_view name) const;
  std::string_view param(std::string_view name) const;  ///< Empty where the route has no such name.
};

/// A complete answer. `content-length`, `date`, `connection` and the security headers are added by the server.
struct Response {
  int status = 200;
  Pairs headers;
  std::string body;

  static Response json(int status, std::string body);
  static Response text(int status, std::string body);
  static Response empty(int status);
  Response& header(std::string name, std::string value) &;
  Response&& header(std::string name, std::string value) &&;
};

/// The status of each error code: the only place where one is made of the other.
int status_of(ErrorCode code);
/// The status of an error whose stream never began because the client left (nginx's convention).
inline constexpr int client_closed_request = 499;
/// OpenAI's class of an error: "invalid_request_error", "authentication_error", "rate_limit_error" …
std::string_view error_type(ErrorCode code);
/// {"error":{"code","message","param","type","request_id"}}.
std::string error_body(const Error& error, const RequestId& id);
/// The error as a response, with WWW-Authenticate on 401 and Retry-After on 429 and 503.
Response error_response(const Error& error, const RequestId& id);
const char* reason_of(int status);

}  // namespace heng::http
