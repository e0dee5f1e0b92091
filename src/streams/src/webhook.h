#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "heng/base/result.h"

namespace heng::streams {

struct WebhookTarget {
  bool tls = false;
  std::string host, port, path;
};

/// "https://host[:port][/path]", or http where the host is loopback; the host (or host:port) must be in `allowed`. Errors:
/// policy_denied (says the rule that refuses it), invalid_argument (not such a URL).
Result<WebhookTarget> check_webhook_url(const std::string& url, const std::vector<std::string>& allowed);

/// "t=UNIX,v1=HEX": HMAC-SHA256 (RFC 2104) of "UNIX.body", so that neither body nor time can be changed or replayed later.
std::string sign(std::string_view secret, std::int64_t unix_s, std::string_view body);

struct WebhookCall {
  WebhookTarget target;
  std::string body, signature, alert_id, ca_file;
  int timeout_ms = 10'000;
};

/// Sends one POST and returns the status; follows no redirect, reads at most 64 KiB of the answer. A loopback name must resolve
/// to loopback. Errors: unavailable (connection, TLS, timeout), policy_denied (http to an address that is not loopback), cancelled.
Result<int> post(const WebhookCall& call, std::stop_token stop);

}  // namespace heng::streams
