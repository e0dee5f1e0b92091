#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "heng/base/result.h"
#include "json_text.h"
#include "key_set.h"

namespace heng::oidc {

inline constexpr std::size_t most_token_bytes = 16 * 1024;

/// What the token must say.
struct Expected {
  std::string issuer, client_id, nonce;
  std::string access_token;               ///< Against `at_hash`; empty: the provider gave none.
  std::vector<Algorithm> algorithms;
  std::int64_t now_ms = 0;
  int skew_s = 60;
  int most_age_s = 600;                   ///< Since `iat`: it was made for this sign-in.
};

/// Checks with a key of this id (empty: the token names none). Errors: unauthenticated (no such key, or none that fits), unavailable.
/// True: the signature is of such a key.
using Verifier = std::function<Result<bool>(const std::string& id, Algorithm algorithm, std::string_view signed_bytes, std::string_view signature)>;

/// The claims of an ID token that holds (OpenID Connect Core 1.0, section 3.1.3.7; RFC 7519; RFC 8725). Errors: unauthenticated (says which
/// check fails, never what the token holds), and those of `verifier`.
Result<Json> read_id_token(std::string_view token, const Expected& expected, const Verifier& verifier);

}  // namespace heng::oidc
