#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "heng/base/clock.h"
#include "heng/base/result.h"

namespace heng::http_client {

struct HttpTarget {
  bool tls = false;
  std::string host, port, path;  ///< Path without a slash at its end.
};

/// "https://host[:port][/path]". Errors: invalid_argument.
Result<HttpTarget> parse_url(const std::string& url);

struct HttpCall {
  std::string method = "POST", path, body, bearer;
  std::string content_type = "application/json";
  std::string authorization;                       ///< The whole header, where it is not a bearer's.
  int connect_timeout_ms = 5'000, read_timeout_ms = 60'000;
  std::size_t response_limit_bytes = 64 << 20;
  std::optional<SteadyTime> deadline;
  std::stop_token stop;
  /// Called with each piece of a successful body; return false to hang up. Without it the body is collected.
  std::function<bool(std::string_view)> on_body;
};

struct HttpReply {
  int status = 0;
  std::string body;              ///< Of errors, and of everything when there is no on_body.
  int retry_after_ms = 0;
};

/// One request per connection, with limits on everything. Thread-safe.
class HttpClient {
 public:
  /// Errors: invalid_argument (ca_file).
  static Result<std::unique_ptr<HttpClient>> create(HttpTarget target, const std::string& ca_file);
  ~HttpClient();
  /// Errors: unavailable (connect, TLS, broken connection), deadline_exceeded, cancelled, too_large.
  Result<HttpReply> send(const HttpCall& call);

 private:
  HttpClient();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace heng::http_client
