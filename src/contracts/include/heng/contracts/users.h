#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "heng/base/ids.h"
#include "heng/base/result.h"
#include "heng/contracts/principal.h"

namespace heng {

/// A person with a password, as far as it may be shown.
struct UserInfo {
  TenantId tenant;
  UserId user;
  std::string name;                       ///< Shown to people.
  std::vector<std::string> roles;
  std::string desk;
  DataClass clearance = DataClass::c1;
  std::string purpose;                    ///< Why this person uses data; recorded with each request.
  bool disabled = false;
  bool totp = false;                      ///< A second factor is needed.
  std::int64_t created_ms = 0, last_login_ms = 0;
  std::string issuer;                     ///< The identity provider that vouches for the person; empty: a password does.
};

struct NewUser {
  TenantId tenant{"default"};
  UserId user;
  std::string name, desk, purpose;
  std::vector<std::string> roles;
  DataClass clearance = DataClass::c1;
  std::string password;
};

struct Credentials {
  TenantId tenant{"default"};
  UserId user;
  std::string password;
  std::string code;                       ///< Six digits, where a second factor is set.
  std::string peer;                       ///< Address the attempt comes from.
};

/// A person whom an identity provider vouches for, with what its claims give her here.
struct ExternalLogin {
  std::string issuer, subject;            ///< Together they name the person for ever (OpenID Connect Core 1.0, section 5.7).
  TenantId tenant{"default"};
  UserId user;
  std::string name, desk, purpose;
  std::vector<std::string> roles;
  DataClass clearance = DataClass::c1;
};

struct Session {
  std::string token;                      ///< "hengs_…"; stored as a hash only.
  Principal principal;
  std::int64_t expires_ms = 0;
};

/// The port to people's accounts. Thread-safe. Changes and logins are the caller's to record.
class Users {
 public:
  virtual ~Users() = default;
  /// Errors: invalid_argument (name, role or password too weak: says how), already_exists.
  virtual Result<UserInfo> create_user(const NewUser&) = 0;
  virtual Result<std::vector<UserInfo>> users(const TenantId&) = 0;
  /// Ends the person's sessions too. Errors: not_found.
  virtual Result<void> set_disabled(const TenantId&, const UserId&, bool disabled) = 0;
  /// Ends the person's sessions and lifts a lock. Errors: not_found, invalid_argument.
  virtual Result<void> set_password(const TenantId&, const UserId&, const std::string& password) = 0;
  /// A new second factor, not in force before a code of it was shown to confirm_totp: "otpauth://totp/…".
  virtual Result<std::string> begin_totp(const TenantId&, const UserId&) = 0;
  /// Errors: not_found, unauthenticated (wrong code).
  virtual Result<void> confirm_totp(const TenantId&, const UserId&, const std::string& code) = 0;
  virtual Result<void> remove_totp(const TenantId&, const UserId&) = 0;

  /// Errors: unauthenticated (the same words for whatever is wrong), rate_limited (says when to come back), overloaded.
  virtual Result<Session> login(const Credentials&) = 0;
  /// Makes the account, or brings roles, desk, name, purpose and clearance of it up to date, and opens a session. Errors: invalid_argument,
  /// conflict (the name is another person's or a password's), permission_denied (disabled).
  virtual Result<Session> login_external(const ExternalLogin&) = 0;
  /// Errors: unauthenticated (unknown, idle too long, too old, user disabled).
  virtual Result<Principal> session(const std::string& token) = 0;
  virtual Result<void> logout(const std::string& token) = 0;
};

}  // namespace heng
