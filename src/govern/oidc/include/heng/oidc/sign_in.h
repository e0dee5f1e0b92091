#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "heng/base/clock.h"
#include "heng/base/ids.h"
#include "heng/contracts/sign_in.h"
#include "heng/contracts/users.h"

namespace heng::oidc {

/// What a claim gives. Applies where the claim is this value, or a list that holds it. "realm_access.roles" looks inside an object.
struct MapRule {
  std::string claim, value;
  std::vector<std::string> roles;
  std::string tenant, desk, purpose;              ///< Empty: says nothing of it.
  std::optional<DataClass> clearance;
};

struct Settings {
  std::string name = "single sign-on";            ///< Of the provider, for people.
  std::string issuer;                             ///< https; http only on this machine.
  std::string client_id, client_secret;           ///< No secret: a public client, kept by PKCE alone.
  std::string redirect;                           ///< Where the browser comes back: the console's address and "/sign-in".
  std::string ca_file;                            ///< Certificates that the provider's is checked against; empty: the system's.
  std::vector<std::string> scopes = {"openid", "profile"};
  std::vector<std::string> algorithms = {"RS256", "PS256", "ES256", "EdDSA"};
  int skew_s = 60;                                ///< By how much the two clocks may differ; at most 300.
  bool userinfo = false;                          ///< Ask the provider's userinfo too, where it keeps claims out of the token.
  bool logout_at_provider = false;                ///< Signing out ends the session at the provider too.
  std::string user_claim = "sub";                 ///< What the account is called. Must be nobody's to choose for himself.
  std::string tenant = "default";                 ///< Where no row says another.
  std::vector<MapRule> map;
};

/// How the room reaches the provider; tests stand in for it.
struct Fetched {
  int status = 0;
  std::string body;
};
struct Fetch {
  std::string method = "GET", url, body, content_type, authorization;
  std::size_t most_bytes = 256 * 1024;
};
using Fetcher = std::function<Result<Fetched>(const Fetch&)>;
/// Over HTTP with these certificates. Errors (of the calls): unavailable, too_large, invalid_argument (the URL).
Fetcher http_fetcher(std::string ca_file);

/// Signs people in. Lifetime: users, clock and random outlive it. Threads: safe; finish() blocks while it asks the provider.
class OidcSignIn final : public SignIn {
 public:
  /// Asks nobody yet. Errors: invalid_argument (names the setting).
  static Result<std::unique_ptr<OidcSignIn>> create(Settings settings, Users& users, Fetcher fetch, const Clock& clock = system_clock(), Random& random = system_random());
  ~OidcSignIn() override;

  std::string name() const override;
  Result<SignInStart> begin(const std::string& peer) override;
  Result<Session> finish(const SignInReturn& back) override;
  Result<std::string> logout_url() override;

 private:
  struct Impl;
  explicit OidcSignIn(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace heng::oidc
