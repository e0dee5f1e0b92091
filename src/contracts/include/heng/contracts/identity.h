#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "heng/base/ids.h"
#include "heng/base/result.h"
#include "heng/contracts/principal.h"

namespace heng {

struct Quota {
  int requests_per_minute = 0;        ///< 0: no limit.
  std::int64_t tokens_per_day = 0;    ///< 0: no limit.
};

struct KeyInfo {
  KeyId id;                           ///< Public part; the secret is stored as a hash only.
  TenantId tenant;
  UserId user;
  std::string name;
  std::vector<std::string> roles;
  Quota quota;
  std::int64_t created_ms = 0, expires_ms = 0, last_used_ms = 0;  ///< expires 0: never.
  bool revoked = false;
  std::string desk, purpose;          ///< Of whoever uses it.
  DataClass clearance = DataClass::c1;
};

struct NewKey {
  TenantId tenant{"default"};
  UserId user;
  std::string name;
  std::vector<std::string> roles;
  Quota quota;
  std::int64_t expires_ms = 0;
  std::string desk, purpose;
  DataClass clearance = DataClass::c1;
};

/// The port to API keys and quotas. Thread-safe.
class Identity {
 public:
  virtual ~Identity() = default;
  /// Errors: unauthenticated (missing, unknown, revoked, expired – the same message for all).
  virtual Result<Principal> authenticate(const std::string& bearer) = 0;
  /// Takes one request from the key's quota. Errors: rate_limited (message says when to come back).
  virtual Result<void> admit(const Principal&) = 0;
  virtual void spend_tokens(const Principal&, std::int64_t tokens) = 0;
  /// Returns the secret, shown once: "heng_<id>_<secret>".
  virtual Result<std::pair<KeyInfo, std::string>> create_key(const NewKey&) = 0;
  virtual Result<std::vector<KeyInfo>> keys(const TenantId&) = 0;
  virtual Result<void> revoke_key(const TenantId&, const KeyId&) = 0;
};

}  // namespace heng
