#pragma once

#include <chrono>
#include <filesystem>
#include <memory>

#include "heng/base/clock.h"
#include "heng/base/ids.h"
#include "heng/contracts/identity.h"
#include "heng/store/secret.h"

namespace heng::identity {

struct KeySettings {
  std::filesystem::path database;
  store::SecretKey database_key;
  std::chrono::milliseconds recheck{500};        ///< A key is looked up again after this: how soon a revocation by another process is seen.
  std::chrono::milliseconds flush{500};          ///< How often spent tokens and last uses are written; a kill loses at most this.
  std::chrono::milliseconds last_used_step{60'000};
};

/// API keys in an encrypted SQLite file: "heng_<id>_<secret>", the secret 256 random bits kept as SHA-256 only.
///
/// Requests per minute are a token bucket in memory (full at start); tokens per day (UTC) are kept on disk and shared
/// between processes.
/// Lifetime: the clock and the randomness must outlive it; what was spent is written at its end. Threads: safe.
/// Processes: several may use one file.
class Keys : public Identity {
 public:
  /// Errors: those of store::Pool::open.
  static Result<std::unique_ptr<Keys>> create(const KeySettings& settings, const Clock& clock = system_clock(), Random& random = system_random());
  ~Keys() override;

  Result<Principal> authenticate(const std::string& bearer) override;
  Result<void> admit(const Principal&) override;
  void spend_tokens(const Principal&, std::int64_t tokens) override;
  Result<std::pair<KeyInfo, std::string>> create_key(const NewKey&) override;
  Result<std::vector<KeyInfo>> keys(const TenantId&) override;
  Result<void> revoke_key(const TenantId&, const KeyId&) override;

  /// Writes spent tokens and last uses now.
  Result<void> flush();

 private:
  struct Impl;
  explicit Keys(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace heng::identity
