#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "heng/base/clock.h"
#include "heng/contracts/identity.h"
#include "heng/store/database.h"
#include "heng/store/pool.h"
#include "heng/store/secret.h"

namespace heng::identity {

struct IdentitySettings {
  std::chrono::milliseconds revocation_delay{1000};   ///< A key revoked by another process is refused after this at the latest.
  std::chrono::milliseconds usage_write_interval{5000};  ///< last_used and spent tokens reach the disk this often, in one transaction.
  std::size_t cached_keys = 10'000;
};

/// The rooms' tables, versions 1 and 3.
const std::vector<store::Migration>& migrations();

/// API keys "heng_<id>_<secret>" and their quotas. The secret has 256 random bits, so a fast keyed hash (HMAC-SHA256) is
/// enough: there is no dictionary to try, and a slow hash would only let strangers burn our processor. Compared in
/// constant time.
///
/// What is used and spent is written by a thread of its own, all keys in one transaction: no request waits for the disk. A
/// revocation is written by the caller before revoke_key() returns.
///
/// Lifetime: the pool and clock outlive it. Threads: safe. Processes: several may share the database.
class KeyIdentity final : public Identity {
 public:
  static Result<std::unique_ptr<KeyIdentity>> create(IdentitySettings settings, store::Pool& pool, const store::SecretKey& master,
                                                     const Clock& clock = system_clock(), Random& random = system_random());
  ~KeyIdentity() override;   ///< Writes what was spent.

  Result<Principal> authenticate(const std::string& bearer) override;
  Result<void> admit(const Principal& principal) override;
  void spend_tokens(const Principal& principal, std::int64_t tokens) override;
  Result<std::pair<KeyInfo, std::string>> create_key(const NewKey& wanted) override;
  Result<std::vector<KeyInfo>> keys(const TenantId& tenant) override;
  Result<void> revoke_key(const TenantId& tenant, const KeyId& id) override;

 private:
  struct Impl;
  explicit KeyIdentity(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace heng::identity
