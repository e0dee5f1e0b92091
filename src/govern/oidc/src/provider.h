#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "heng/base/clock.h"
#include "heng/oidc/sign_in.h"
#include "id_token.h"
#include "key_set.h"

namespace heng::oidc {

/// What discovery says (OpenID Connect Discovery 1.0, section 3), as far as it is used.
struct Metadata {
  std::string authorization_endpoint, token_endpoint, jwks_uri, userinfo_endpoint, end_session_endpoint;
  bool answers_name_issuer = false;       ///< RFC 9207: an answer without `iss` is none of this provider's.
  bool secret_in_body = false;            ///< client_secret_post, where client_secret_basic is not offered.
};

/// Reads a discovery document. Errors: unavailable (says what is wrong with it).
Result<Metadata> read_metadata(std::string_view json, const std::string& issuer);
/// Whether the address may be the provider's: https, or http on this machine where the issuer is so too.
bool is_safe_url(std::string_view url, std::string_view issuer);

struct Tokens {
  std::string id_token, access_token;
};

/// The provider as it was last seen. Threads: safe; a call waits while another fetches.
class Provider {
 public:
  static constexpr std::int64_t fresh_ms = 60 * 60'000, refetch_ms = 60'000, failed_ms = 10'000;

  Provider(const Settings& settings, Fetcher fetch, const Clock& clock) : settings_(settings), fetch_(std::move(fetch)), clock_(clock) {}

  /// Errors: unavailable. After a failure nobody is asked for ten seconds.
  Result<std::shared_ptr<const Metadata>> metadata();
  /// As id_token.h wants it: with the keys held, fetched again where the id is unknown.
  Result<bool> verify(const std::string& id, Algorithm algorithm, std::string_view signed_bytes, std::string_view signature);
  /// Errors: unauthenticated (the code is refused), unavailable.
  Result<Tokens> exchange(const std::string& code, const std::string& verifier);
  /// Claims of the person whose access token it is. Errors: unauthenticated (another's `sub`), unavailable.
  Result<Json> userinfo(const std::string& access_token, const std::string& subject);

 private:
  Result<std::shared_ptr<const KeySet>> keys(const std::string& id);
  Result<std::string> get(const std::string& url, const char* what, const std::string& authorization = {});

  const Settings& settings_;
  const Fetcher fetch_;
  const Clock& clock_;
  std::mutex mutex_;
  std::shared_ptr<const Metadata> metadata_;  // shared: used outside of the lock while another is put in its place
  std::shared_ptr<const KeySet> keys_;
  std::int64_t metadata_ms_ = 0, keys_ms_ = 0, keys_asked_ms_ = 0;
  std::optional<Error> metadata_failure_;
  std::int64_t metadata_failed_ms_ = 0;
};

}  // namespace heng::oidc
