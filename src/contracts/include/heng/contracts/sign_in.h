#pragma once

#include <string>

#include "heng/base/result.h"
#include "heng/contracts/users.h"

namespace heng {

/// Where a browser goes to sign in, and the secret that stays in it: whoever comes back must show it.
struct SignInStart {
  std::string url, browser;
};

/// What a browser brings back from the identity provider.
struct SignInReturn {
  std::string code, state;
  std::string issuer;                     ///< "iss" of the answer (RFC 9207); empty: it had none.
  std::string error;                      ///< What the provider says instead of a code, e.g. "access_denied".
  std::string browser;                    ///< As SignInStart gave it.
  std::string peer;                       ///< Address the attempt comes from.
};

/// The port to signing in at an identity provider. Thread-safe. Sessions and refusals are the caller's to record.
class SignIn {
 public:
  virtual ~SignIn() = default;
  /// Shown on the button.
  virtual std::string name() const = 0;
  /// May ask the provider. Errors: unavailable, rate_limited, overloaded.
  virtual Result<SignInStart> begin(const std::string& peer) = 0;
  /// Asks the provider. Each start serves once. Errors: unauthenticated (says what is wrong), permission_denied (nobody gave this person
  /// anything here), conflict (the name is taken), unavailable, rate_limited, overloaded.
  virtual Result<Session> finish(const SignInReturn& back) = 0;
  /// Where the browser ends its session at the provider too; empty: nowhere. Errors: unavailable.
  virtual Result<std::string> logout_url() = 0;
};

}  // namespace heng
