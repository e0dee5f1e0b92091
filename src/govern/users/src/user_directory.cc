#include "heng/users/user_directory.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>

#include "heng/base/hash.h"
#include "heng/base/text.h"
#include "heng/users/totp.h"
#include "lockout.h"
#include "password.h"

namespace heng::users {
namespace {

constexpr std::string_view token_prefix = "hengs_";
constexpr std::size_t token_bytes = 32, most_roles = 64, most_name_bytes = 200, most_password_bytes = 4096;
constexpr std::int64_t seen_interval_ms = 60'000;   // last_seen reaches the disk at most this often

Error refused() { return Error(ErrorCode::unauthenticated, "the name, the password or the code is wrong"); }
Error no_session() { return Error(ErrorCode::unauthenticated, "the session has ended or never was; log in again"); }
Error no_user(const UserId& user) { return Error(ErrorCode::not_found, fmt::format("there is no user \"{}\" here", user.value.substr(0, 64)), "user"); }

bool is_word(std::string_view s) {
  return !s.empty() && s.size() <= 64 && std::all_of(s.begin(), s.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' || c == '@';
  });
}

std::string hash_of(std::string_view token) {
  const Sha256 digest = sha256(token);
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

struct Account {
  UserInfo info;
  std::string password_hash, totp_secret, subject;
  std::int64_t totp_last = 0;
};

constexpr const char* columns =
    "tenant, user, name, roles, desk, clearance, purpose, disabled, totp_active, created_ms, last_login_ms, password_hash, totp_secret, totp_last, issuer, subject";

Account read_row(const store::Statement& row) {
  Account out;
  out.info.tenant = TenantId(row.string(0));
  out.info.user = UserId(row.string(1));
  out.info.name = row.string(2);
  for (const auto role : text::split(row.text(3), ','))
    if (!role.empty()) out.info.roles.emplace_back(role);
  out.info.desk = row.string(4);
  out.info.clearance = static_cast<DataClass>(std::clamp<std::int64_t>(row.integer(5), 0, 2));
  out.info.purpose = row.string(6);
  out.info.disabled = row.integer(7) != 0;
  out.info.totp = row.integer(8) != 0;
  out.info.created_ms = row.integer(9);
  out.info.last_login_ms = row.integer(10);
  out.password_hash = row.string(11);
  out.totp_secret = std::string(row.blob(12));
  out.totp_last = row.integer(13);
  out.info.issuer = row.string(14);
  out.subject = row.string(15);
  return out;
}

Result<std::optional<Account>> find(store::Database& db, const TenantId& tenant, const UserId& user) {
  auto row = HENG_TRY(db.prepare(fmt::format("SELECT {} FROM user_account WHERE tenant = ? AND user = ?", columns)));
  row.bind(1, tenant.value).bind(2, user.value);
  if (!HENG_TRY(row.step())) return std::optional<Account>{};
  return std::optional<Account>(read_row(row));
}

Principal principal_of(const UserInfo& info) {
  Principal out;
  out.tenant = info.tenant;
  out.user = info.user;
  out.key = KeyId("session:" + info.user.value);
  out.roles = info.roles;
  out.purpose = info.purpose;
  out.desk = info.desk;
  out.clearance = info.clearance;
  return out;
}

template <class Person>
Result<void> check_person(const Person& wanted) {
  if (!is_word(wanted.tenant.value)) return Error(ErrorCode::invalid_argument, "a tenant is 1 to 64 letters, digits, _ - . @", "tenant");
  if (!is_word(wanted.user.value)) return Error(ErrorCode::invalid_argument, "a user is 1 to 64 letters, digits, _ - . @", "user");
  for (const auto* field : {&wanted.name, &wanted.desk, &wanted.purpose})
    if (field->size() > most_name_bytes || !text::is_valid_utf8(*field)) return Error(ErrorCode::invalid_argument, "name, desk and purpose are text of at most 200 bytes", "name");
  if (wanted.roles.size() > most_roles) return Error(ErrorCode::invalid_argument, "a user has at most 64 roles", "roles");
  for (const auto& role : wanted.roles)
    if (!is_word(role)) return Error(ErrorCode::invalid_argument, "a role is 1 to 64 letters, digits, _ - . @", "roles");
  return {};
}

Result<void> check_new(const NewUser& wanted) {
  HENG_TRY(check_person(wanted));
  return check_password(wanted.password, wanted.user.value);
}

/// One of few places in which a password may be hashed at a time.
class Place {
 public:
  Place(std::atomic<int>& taken, int most) : taken_(taken), held_(taken.fetch_add(1) < most) {}
  ~Place() { taken_.fetch_sub(1); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  bool held() const { return held_; }

 private:
  std::atomic<int>& taken_;
  bool held_;
};

}  // namespace

const std::vector<store::Migration>& migrations() {
  static const std::vector<store::Migration> list = {{.version = 2, .name = "users and sessions", .sql = R"(
    CREATE TABLE user_account (
      tenant TEXT NOT NULL, user TEXT NOT NULL, name TEXT NOT NULL, roles TEXT NOT NULL, desk TEXT NOT NULL, clearance INTEGER NOT NULL, purpose TEXT NOT NULL,
      password_hash TEXT NOT NULL, totp_secret BLOB NOT NULL DEFAULT x'', totp_active INTEGER NOT NULL DEFAULT 0, totp_last INTEGER NOT NULL DEFAULT 0,
      disabled INTEGER NOT NULL DEFAULT 0, created_ms INTEGER NOT NULL, last_login_ms INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (tenant, user)) STRICT;
    CREATE TABLE user_session (
      token_hash BLOB PRIMARY KEY, tenant TEXT NOT NULL, user TEXT NOT NULL, created_ms INTEGER NOT NULL, seen_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL,
      FOREIGN KEY (tenant, user) REFERENCES user_account(tenant, user) ON DELETE CASCADE) STRICT;
    CREATE INDEX user_session_user ON user_session(tenant, user);
    CREATE TABLE login_failure (name_hash BLOB PRIMARY KEY, failures INTEGER NOT NULL, last_ms INTEGER NOT NULL, locked_until_ms INTEGER NOT NULL) STRICT;)"},
                                                     {.version = 5, .name = "people of an identity provider", .sql = R"(
    ALTER TABLE user_account ADD COLUMN issuer TEXT NOT NULL DEFAULT '';
    ALTER TABLE user_account ADD COLUMN subject TEXT NOT NULL DEFAULT '';
    CREATE INDEX user_account_subject ON user_account(issuer, subject) WHERE issuer <> '';)"}};
  return list;
}

struct UserDirectory::Impl {
  DirectorySettings settings;
  store::Pool& pool;
  const Clock& clock;
  Random& random;
  Lockout lockout;
  std::string nobody_hash;   // verified where the name does not exist, so that the answer takes as long
  std::atomic<int> hashing{0};

  Result<void> change(const TenantId& tenant, const UserId& user, std::string_view sql, bool end_sessions) {
    auto writer = HENG_TRY(pool.writer());
    auto transaction = HENG_TRY(store::Transaction::begin(*writer));
    HENG_TRY(writer->run(sql, tenant.value, user.value));
    if (writer->changes() == 0) return no_user(user);
    if (end_sessions) HENG_TRY(writer->run("DELETE FROM user_session WHERE tenant = ? AND user = ?", tenant.value, user.value));
    return transaction.commit();
  }

  /// Inside a transaction: the row of the person as the claims say it.
  Result<void> write_external(store::Database& db, const ExternalLogin& person, bool is_new, std::int64_t now) {
    const std::string roles = text::join(person.roles, ",");
    if (is_new)
      return db.run("INSERT INTO user_account (tenant, user, name, roles, desk, clearance, purpose, password_hash, created_ms, issuer, subject) VALUES (?,?,?,?,?,?,?,'',?,?,?)", person.tenant.value,
                    person.user.value, person.name, roles, person.desk, static_cast<int>(person.clearance), person.purpose, now, person.issuer, person.subject);
    HENG_TRY(db.run("UPDATE user_account SET name = ?3, roles = ?4, desk = ?5, clearance = ?6, purpose = ?7 WHERE tenant = ?1 AND user = ?2", person.tenant.value, person.user.value, person.name, roles,
                    person.desk, static_cast<int>(person.clearance), person.purpose));
    return {};
  }

  Result<Session> make_session(const Account& account, std::int64_t now) {
    Session out;
    out.token = std::string(token_prefix) + random_hex(random, token_bytes);
    out.principal = principal_of(account.info);
    out.expires_ms = now + std::chrono::milliseconds(settings.absolute).count();
    auto writer = HENG_TRY(pool.writer());
    auto transaction = HENG_TRY(store::Transaction::begin(*writer));
    HENG_TRY(writer->run("DELETE FROM user_session WHERE expires_ms <= ?1 OR seen_ms <= ?2", now, now - std::chrono::milliseconds(settings.idle).count()));
    auto insert = HENG_TRY(writer->prepare("INSERT INTO user_session (token_hash, tenant, user, created_ms, seen_ms, expires_ms) VALUES (?,?,?,?,?,?)"));
    insert.bind_blob(1, hash_of(out.token)).bind(2, account.info.tenant.value).bind(3, account.info.user.value).bind(4, now).bind(5, now).bind(6, out.expires_ms);
    HENG_TRY(insert.run());
    HENG_TRY(writer->run("UPDATE user_account SET last_login_ms = ? WHERE tenant = ? AND user = ?", now, account.info.tenant.value, account.info.user.value));
    HENG_TRY(transaction.commit());
    return out;
  }

  /// Uses the code up in one statement, so that two logins at once cannot both have it.
  Result<bool> take_code(const Account& account, const std::string& code, std::int64_t now) {
    const auto step = totp_match(account.totp_secret, code, now, account.totp_last);
    if (!step) return false;
    auto writer = HENG_TRY(pool.writer());
    HENG_TRY(writer->run("UPDATE user_account SET totp_last = ?1 WHERE tenant = ?2 AND user = ?3 AND totp_last < ?1", *step, account.info.tenant.value, account.info.user.value));
    return writer->changes() == 1;
  }
};

UserDirectory::UserDirectory(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
UserDirectory::~UserDirectory() = default;

Result<std::unique_ptr<UserDirectory>> UserDirectory::create(DirectorySettings settings, store::Pool& pool, const store::SecretKey& secret, const Clock& clock, Random& random) {
  // made once and only when needed would show in the time of the first login
  auto nobody = HENG_TRY(hash_password(random_hex(random, 16)));
  return std::unique_ptr<UserDirectory>(
      new UserDirectory(std::unique_ptr<Impl>(new Impl{std::move(settings), pool, clock, random, Lockout(std::string(secret.bytes())), std::move(nobody)})));
}

Result<UserInfo> UserDirectory::create_user(const NewUser& wanted) {
  HENG_TRY(check_new(wanted));
  const std::string hash = HENG_TRY(hash_password(wanted.password));
  const std::int64_t now = impl_->clock.unix_ms();
  auto writer = HENG_TRY(impl_->pool.writer());
  auto made = writer->run("INSERT INTO user_account (tenant, user, name, roles, desk, clearance, purpose, password_hash, created_ms) VALUES (?,?,?,?,?,?,?,?,?)", wanted.tenant.value,
                          wanted.user.value, wanted.name, text::join(wanted.roles, ","), wanted.desk, static_cast<int>(wanted.clearance), wanted.purpose, hash, now);
  if (!made.ok() && made.error().code == ErrorCode::already_exists) return Error(ErrorCode::already_exists, fmt::format("there is a user \"{}\" already", wanted.user.value), "user");
  HENG_TRY(std::move(made));
  return HENG_TRY(find(*writer, wanted.tenant, wanted.user))->info;
}

Result<std::vector<UserInfo>> UserDirectory::users(const TenantId& tenant) {
  auto reader = HENG_TRY(impl_->pool.reader());
  auto row = HENG_TRY(reader->prepare(fmt::format("SELECT {} FROM user_account WHERE tenant = ? ORDER BY user", columns)));
  row.bind(1, tenant.value);
  std::vector<UserInfo> out;
  while (HENG_TRY(row.step())) out.push_back(read_row(row).info);
  return out;
}

Result<void> UserDirectory::set_disabled(const TenantId& tenant, const UserId& user, bool disabled) {
  return impl_->change(tenant, user, disabled ? "UPDATE user_account SET disabled = 1 WHERE tenant = ? AND user = ?" : "UPDATE user_account SET disabled = 0 WHERE tenant = ? AND user = ?", disabled);
}

Result<void> UserDirectory::set_password(const TenantId& tenant, const UserId& user, const std::string& password) {
  HENG_TRY(check_password(password, user.value));
  const std::string hash = HENG_TRY(hash_password(password));
  auto writer = HENG_TRY(impl_->pool.writer());
  auto transaction = HENG_TRY(store::Transaction::begin(*writer));
  const auto account = HENG_TRY(find(*writer, tenant, user));
  if (!account) return no_user(user);
  if (!account->info.issuer.empty()) return Error(ErrorCode::conflict, "this person signs in at an identity provider and has no password here", "user");
  HENG_TRY(writer->run("UPDATE user_account SET password_hash = ?3 WHERE tenant = ?1 AND user = ?2", tenant.value, user.value, hash));
  HENG_TRY(writer->run("DELETE FROM user_session WHERE tenant = ? AND user = ?", tenant.value, user.value));
  HENG_TRY(impl_->lockout.succeeded(*writer, tenant.value + "/" + user.value));
  return transaction.commit();
}

Result<std::string> UserDirectory::begin_totp(const TenantId& tenant, const UserId& user) {
  std::string secret(20, '\0');
  impl_->random.fill(secret.data(), secret.size());
  auto writer = HENG_TRY(impl_->pool.writer());
  auto change = HENG_TRY(writer->prepare("UPDATE user_account SET totp_secret = ?3, totp_active = 0, totp_last = 0 WHERE tenant = ?1 AND user = ?2"));
  change.bind(1, tenant.value).bind(2, user.value).bind_blob(3, secret);
  HENG_TRY(change.run());
  if (writer->changes() == 0) return no_user(user);
  return fmt::format("otpauth://totp/{0}:{1}?secret={2}&issuer={0}&algorithm=SHA1&digits=6&period=30", impl_->settings.issuer, user.value, base32(secret));
}

Result<void> UserDirectory::confirm_totp(const TenantId& tenant, const UserId& user, const std::string& code) {
  std::optional<Account> account;
  {
    auto reader = HENG_TRY(impl_->pool.reader());
    account = HENG_TRY(find(*reader, tenant, user));
  }
  if (!account) return no_user(user);
  if (account->totp_secret.empty() || !HENG_TRY(impl_->take_code(*account, code, impl_->clock.unix_ms())))
    return Error(ErrorCode::unauthenticated, "the code is wrong or was used already; take a new one", "code");
  return impl_->change(tenant, user, "UPDATE user_account SET totp_active = 1 WHERE tenant = ? AND user = ?", true);
}

Result<void> UserDirectory::remove_totp(const TenantId& tenant, const UserId& user) {
  return impl_->change(tenant, user, "UPDATE user_account SET totp_secret = x'', totp_active = 0, totp_last = 0 WHERE tenant = ? AND user = ?", true);
}

Result<Session> UserDirectory::login(const Credentials& credentials) {
  const std::int64_t now = impl_->clock.unix_ms();
  if (!is_word(credentials.tenant.value) || !is_word(credentials.user.value) || credentials.password.size() > most_password_bytes || credentials.code.size() > 16) return refused();
  const std::string name = credentials.tenant.value + "/" + credentials.user.value;
  std::optional<Account> account;
  {
    auto reader = HENG_TRY(impl_->pool.reader());
    HENG_TRY(impl_->lockout.check(*reader, name, credentials.peer, now));
    account = HENG_TRY(find(*reader, credentials.tenant, credentials.user));
  }
  bool right = false;
  {
    const Place place(impl_->hashing, impl_->settings.hashes_at_once);
    if (!place.held()) return Error(ErrorCode::overloaded, "too many people log in at this moment; try again in a second");
    // nobody's password fits where an identity provider vouches; the work is done all the same
    const bool has_password = account && account->info.issuer.empty();
    right = verify_password(has_password ? account->password_hash : impl_->nobody_hash, credentials.password) && has_password && !account->info.disabled;
  }
  if (right && account->info.totp) right = HENG_TRY(impl_->take_code(*account, credentials.code, now));
  if (!right) {
    auto writer = HENG_TRY(impl_->pool.writer());
    HENG_TRY(impl_->lockout.failed(*writer, name, credentials.peer, now));
    return refused();
  }
  {
    auto writer = HENG_TRY(impl_->pool.writer());
    HENG_TRY(impl_->lockout.succeeded(*writer, name));
  }
  if (needs_rehash(account->password_hash)) {
    const std::string stronger = HENG_TRY(hash_password(credentials.password));
    auto writer = HENG_TRY(impl_->pool.writer());
    HENG_TRY(writer->run("UPDATE user_account SET password_hash = ? WHERE tenant = ? AND user = ?", stronger, account->info.tenant.value, account->info.user.value));
  }
  return impl_->make_session(*account, now);
}

Result<Session> UserDirectory::login_external(const ExternalLogin& person) {
  HENG_TRY(check_person(person));
  if (person.issuer.empty() || person.subject.empty() || person.subject.size() > 255) return Error(ErrorCode::invalid_argument, "a person of an identity provider needs issuer and subject", "subject");
  const std::int64_t now = impl_->clock.unix_ms();
  std::optional<Account> account;
  {
    auto writer = HENG_TRY(impl_->pool.writer());
    auto transaction = HENG_TRY(store::Transaction::begin(*writer));
    account = HENG_TRY(find(*writer, person.tenant, person.user));
    // the name alone proves nothing: a local account, or another person's, is not taken over
    if (account && (account->info.issuer != person.issuer || account->subject != person.subject))
      return Error(ErrorCode::conflict, fmt::format("there is another account \"{}\" here; an administrator must give one of the two another name", person.user.value), "user");
    if (account && account->info.disabled) return Error(ErrorCode::permission_denied, "the account is disabled; ask an administrator", "user");
    HENG_TRY(impl_->write_external(*writer, person, !account, now));
    // whoever has moved to another tenant or name leaves nothing open behind
    HENG_TRY(writer->run("DELETE FROM user_session WHERE (tenant, user) IN (SELECT tenant, user FROM user_account WHERE issuer = ?1 AND subject = ?2 AND NOT (tenant = ?3 AND user = ?4))", person.issuer,
                         person.subject, person.tenant.value, person.user.value));
    account = HENG_TRY(find(*writer, person.tenant, person.user));
    HENG_TRY(transaction.commit());
  }
  return impl_->make_session(*account, now);
}

Result<Principal> UserDirectory::session(const std::string& token) {
  if (token.size() != token_prefix.size() + 2 * token_bytes || !token.starts_with(token_prefix)) return no_session();
  const std::int64_t now = impl_->clock.unix_ms();
  const std::string hash = hash_of(token);
  std::optional<Account> account;
  std::int64_t seen = 0;
  {
    auto reader = HENG_TRY(impl_->pool.reader());
    std::string tenant, user;
    {
      auto row = HENG_TRY(reader->prepare("SELECT tenant, user, seen_ms, expires_ms FROM user_session WHERE token_hash = ?"));
      row.bind_blob(1, hash);
      if (!HENG_TRY(row.step())) return no_session();
      seen = row.integer(2);
      if (row.integer(3) <= now || now - seen >= std::chrono::milliseconds(impl_->settings.idle).count()) return no_session();
      tenant = row.string(0);
      user = row.string(1);
    }
    account = HENG_TRY(find(*reader, TenantId(tenant), UserId(user)));
  }
  if (!account || account->info.disabled) return no_session();
  if (now - seen >= seen_interval_ms) {
    auto writer = HENG_TRY(impl_->pool.writer());
    auto touch = HENG_TRY(writer->prepare("UPDATE user_session SET seen_ms = MAX(seen_ms, ?1) WHERE token_hash = ?2"));
    touch.bind(1, now).bind_blob(2, hash);
    HENG_TRY(touch.run());
  }
  return principal_of(account->info);
}

Result<void> UserDirectory::logout(const std::string& token) {
  auto writer = HENG_TRY(impl_->pool.writer());
  auto row = HENG_TRY(writer->prepare("DELETE FROM user_session WHERE token_hash = ?"));
  row.bind_blob(1, hash_of(token));
  HENG_TRY(row.run());
  return writer->changes() == 0 ? Result<void>(no_session()) : Result<void>();
}

}  // namespace heng::users
