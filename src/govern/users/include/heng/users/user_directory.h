#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "heng/base/clock.h"
#include "heng/contracts/users.h"
#include "heng/store/database.h"
#include "heng/store/pool.h"
#include "heng/store/secret.h"

namespace heng::users {

struct DirectorySettings {
  std::chrono::minutes idle{30};
  std::chrono::minutes absolute{12 * 60};
  int hashes_at_once = 2;                     ///< 64 MiB each; more logins are `overloaded`.
  std::string issuer = "Heng";                ///< Shown by authenticator programs.
};

/// The tables of people: versions 2 and 5 of the database "govern".
const std::vector<store::Migration>& migrations();

/// Accounts on the database "govern". Lifetime: the pool and clock outlive it. Threads: safe. Processes: several may share the
/// database.
class UserDirectory final : public Users {
 public:
  /// `secret` keys the hashes of names that failed to log in.
  static Result<std::unique_ptr<UserDirectory>> create(DirectorySettings settings, store::Pool& pool, const store::SecretKey& secret,
                                                       const Clock& clock = system_clock(), Random& random = system_random());
  ~UserDirectory() override;

  Result<UserInfo> create_user(const NewUser&) override;
  Result<std::vector<UserInfo>> users(const TenantId&) override;
  Result<void> set_disabled(const TenantId&, const UserId&, bool disabled) override;
  Result<void> set_password(const TenantId&, const UserId&, const std::string& password) override;
  Result<std::string> begin_totp(const TenantId&, const UserId&) override;
  Result<void> confirm_totp(const TenantId&, const UserId&, const std::string& code) override;
  Result<void> remove_totp(const TenantId&, const UserId&) override;
  Result<Session> login(const Credentials&) override;
  Result<Session> login_external(const ExternalLogin&) override;
  Result<Principal> session(const std::string& token) override;
  Result<void> logout(const std::string& token) override;

 private:
  struct Impl;
  explicit UserDirectory(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace heng::users
