#include "heng/identity/key_identity.h"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "heng/base/hash.h"
#include "heng/base/text.h"
#include "heng/store/keys.h"

namespace heng::identity {
namespace {

constexpr std::int64_t day_ms = 86'400'000;
constexpr std::size_t id_bytes = 6, secret_bytes = 32;
constexpr std::size_t most_name_bytes = 200, most_roles = 64;

/// The same words for every reason, so that a stranger learns nothing about which keys exist.
Error refused() { return Error(ErrorCode::unauthenticated, "the API key is missing or not valid; send it as \"Authorization: Bearer heng_…\""); }

bool is_word(std::string_view s) {
  return !s.empty() && s.size() <= 64 && std::all_of(s.begin(), s.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' || c == '@';
  });
}

struct Parsed {
  std::string id, secret;
};

Result<Parsed> parse(const std::string& bearer) {
  const std::string_view prefix = "heng_";
  const std::size_t expected = prefix.size() + 2 * id_bytes + 1 + 2 * secret_bytes;
  if (bearer.size() != expected || !bearer.starts_with(prefix) || bearer[prefix.size() + 2 * id_bytes] != '_') return refused();
  return Parsed{bearer.substr(prefix.size(), 2 * id_bytes), bearer.substr(prefix.size() + 2 * id_bytes + 1)};
}

KeyInfo read_info(const store::Statement& row) {
  KeyInfo info;
  info.id = KeyId(row.string(0));
  info.tenant = TenantId(row.string(1));
  info.user = UserId(row.string(2));
  info.name = row.string(3);
  for (const auto role : text::split(row.text(4), ','))
    if (!role.empty()) info.roles.emplace_back(role);
  info.quota = {static_cast<int>(row.integer(5)), row.integer(6)};
  info.created_ms = row.integer(7);
  info.expires_ms = row.integer(8);
  info.last_used_ms = row.integer(9);
  info.revoked = row.integer(10) != 0;
  info.desk = row.string(11);
  info.purpose = row.string(12);
  info.clearance = static_cast<DataClass>(std::clamp<std::int64_t>(row.integer(13), 0, 2));
  return info;
}

constexpr const char* columns = "id, tenant, user, name, roles, requests_per_minute, tokens_per_day, created_ms, expires_ms, last_used_ms, revoked, desk, purpose, clearance";

}  // namespace

const std::vector<store::Migration>& migrations() {
  static const std::vector<store::Migration> list = {{.version = 1, .name = "api keys", .sql = R"(
    CREATE TABLE api_key (
      id TEXT PRIMARY KEY, tenant TEXT NOT NULL, user TEXT NOT NULL, name TEXT NOT NULL, roles TEXT NOT NULL, hash BLOB NOT NULL,
      requests_per_minute INTEGER NOT NULL, tokens_per_day INTEGER NOT NULL, created_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL,
      last_used_ms INTEGER NOT NULL DEFAULT 0, revoked INTEGER NOT NULL DEFAULT 0,
      spent_day INTEGER NOT NULL DEFAULT 0, spent_tokens INTEGER NOT NULL DEFAULT 0) STRICT;
    CREATE INDEX api_key_tenant ON api_key(tenant);)"},
                                                     {.version = 3, .name = "desks and clearances of keys", .sql = R"(
    ALTER TABLE api_key ADD COLUMN desk TEXT NOT NULL DEFAULT '';
    ALTER TABLE api_key ADD COLUMN purpose TEXT NOT NULL DEFAULT '';
    ALTER TABLE api_key ADD COLUMN clearance INTEGER NOT NULL DEFAULT 0;)"}};
  return list;
}

struct KeyIdentity::Impl {
  Impl(const IdentitySettings& s, store::Pool& p, const store::SecretKey& pepper, const Clock& c, Random& r)
      : settings(s), pool(p), hash_key(pepper), clock(c), random(r) {}
  IdentitySettings settings;
  store::Pool& pool;
  store::SecretKey hash_key;
  const Clock& clock;
  Random& random;

  struct Known {
    KeyInfo info;
    std::string hash;
    std::int64_t read_ms = 0;          // when the row was read
    double request_tokens = 0;         // of the bucket
    std::int64_t bucket_ms = 0;
    std::int64_t day = 0, spent_before = 0, spent_here = 0;  // the row's count, and ours since
    std::int64_t used_ms = 0;          // last use that is not on disk; 0: none
    bool dirty() const { return used_ms != 0 || spent_here != 0; }
  };
  std::mutex mutex;
  std::unordered_map<std::string, Known> known;
  std::condition_variable wake;
  bool stopping = false;
  std::thread writer_thread;

  std::string hash(const std::string& secret) const { return store::hmac_sha256(hash_key.bytes(), secret); }

  Result<Known> read(const std::string& id) {
    auto reader = HENG_TRY(pool.reader());
    auto row = HENG_TRY(reader->prepare(fmt::format("SELECT {}, hash, spent_day, spent_tokens FROM api_key WHERE id = ?", columns)));
    row.bind(1, id);
    if (!HENG_TRY(row.step())) return refused();
    Known out;
    out.info = read_info(row);
    out.hash = std::string(row.blob(14));
    out.day = row.integer(15);
    out.spent_before = row.integer(16);
    out.read_ms = clock.unix_ms();
    out.bucket_ms = out.read_ms;
    out.request_tokens = out.info.quota.requests_per_minute;
    return out;
  }

  /// The key, read again when the copy is older than the revocation delay. Called with the mutex held.
  Result<Known*> find(const std::string& id) {
    auto at = known.find(id);
    const std::int64_t now = clock.unix_ms();
    if (at != known.end() && now - at->second.read_ms < settings.revocation_delay.count()) return &at->second;
    auto fresh = read(id);
    if (!fresh.ok()) {
      if (at != known.end() && fresh.error().code == ErrorCode::unauthenticated) known.erase(at);
      return std::move(fresh).error();
    }
    if (at == known.end()) {
      // what is not written yet stays until it is; the thread comes soon
      if (known.size() >= settings.cached_keys) std::erase_if(known, [](const auto& entry) { return !entry.second.dirty(); });
      at = known.emplace(id, std::move(*fresh)).first;
    } else {
      at->second.info = fresh->info;
      at->second.hash = fresh->hash;
      at->second.read_ms = fresh->read_ms;
      at->second.day = fresh->day;
      at->second.spent_before = fresh->spent_before;
    }
    return &at->second;
  }

  static std::int64_t day_of(std::int64_t ms) { return ms / day_ms; }

  struct Usage {
    std::string id;
    std::int64_t used_ms = 0, spent = 0;
  };

  /// Adds what was spent here to the rows, all in one transaction; a new day starts from nothing. The mutex is not held while
  /// the disk works. What could not be written is tried again.
  void write_usage() {
    std::vector<Usage> usage;
    {
      const std::lock_guard lock(mutex);
      for (auto& [id, key] : known) {
        if (!key.dirty()) continue;
        usage.push_back({id, key.used_ms, key.spent_here});
        key.used_ms = 0;
      }
    }
    if (usage.empty()) return;
    const std::int64_t today = day_of(clock.unix_ms());
    const bool written = store_usage(usage, today).ok();
    const std::lock_guard lock(mutex);
    for (const auto& entry : usage) {
      const auto at = known.find(entry.id);
      if (at == known.end()) continue;
      Known& key = at->second;
      if (!written) {
        key.used_ms = std::max(key.used_ms, entry.used_ms);
        continue;
      }
      // a copy that was read again meanwhile may count these tokens twice until it is read once more: never too few
      key.spent_before = (key.day == today ? key.spent_before : 0) + entry.spent;
      key.day = today;
      key.spent_here -= entry.spent;
    }
  }

  Result<void> store_usage(const std::vector<Usage>& usage, std::int64_t today) {
    auto writer = HENG_TRY(pool.writer());
    auto transaction = HENG_TRY(store::Transaction::begin(*writer));
    for (const auto& entry : usage)
      HENG_TRY(writer->run("UPDATE api_key SET last_used_ms = MAX(last_used_ms, ?1), spent_tokens = CASE WHEN spent_day = ?2 THEN spent_tokens ELSE 0 END + ?3, "
                           "spent_day = ?2 WHERE id = ?4", entry.used_ms, today, entry.spent, entry.id));
    return transaction.commit();
  }

  void run() {
    std::unique_lock lock(mutex);
    while (!stopping) {
      wake.wait_for(lock, settings.usage_write_interval, [&] { return stopping; });
      lock.unlock();
      write_usage();
      lock.lock();
    }
  }

  ~Impl() {
    {
      const std::lock_guard lock(mutex);
      stopping = true;
    }
    wake.notify_all();
    if (writer_thread.joinable()) writer_thread.join();
    write_usage();
  }
};

KeyIdentity::KeyIdentity(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

KeyIdentity::~KeyIdentity() = default;

Result<std::unique_ptr<KeyIdentity>> KeyIdentity::create(IdentitySettings settings, store::Pool& pool, const store::SecretKey& master, const Clock& clock, Random& random) {
  (void)master;
  // The pepper lives in the database, not in the master key, so that rotating the master key keeps every API key valid.
  auto writer = HENG_TRY(pool.writer());
  HENG_TRY(writer->execute("CREATE TABLE IF NOT EXISTS identity_pepper (id INTEGER PRIMARY KEY CHECK (id = 1), pepper BLOB NOT NULL) STRICT"));
  const store::SecretKey candidate = store::SecretKey::random();
  auto insert = HENG_TRY(writer->prepare("INSERT OR IGNORE INTO identity_pepper (id, pepper) VALUES (1, ?)"));
  insert.bind_blob(1, candidate.bytes());
  HENG_TRY(insert.run());
  auto row = HENG_TRY(writer->prepare("SELECT pepper FROM identity_pepper WHERE id = 1"));
  if (!HENG_TRY(row.step())) return Error(ErrorCode::corrupt, "the key database has lost its pepper");
  auto pepper = HENG_TRY(store::SecretKey::from_bytes(row.blob(0)));
  auto impl = std::unique_ptr<Impl>(new Impl(settings, pool, pepper, clock, random));
  Impl* raw = impl.get();
  impl->writer_thread = std::thread([raw] { raw->run(); });
  return std::unique_ptr<KeyIdentity>(new KeyIdentity(std::move(impl)));
}

Result<Principal> KeyIdentity::authenticate(const std::string& bearer) {
  const auto parsed = HENG_TRY(parse(bearer));
  const std::string hash = impl_->hash(parsed.secret);
  const std::lock_guard lock(impl_->mutex);
  Impl::Known* key = HENG_TRY(impl_->find(parsed.id));
  const std::int64_t now = impl_->clock.unix_ms();
  const bool same = key->hash.size() == hash.size() && sodium_memcmp(key->hash.data(), hash.data(), hash.size()) == 0;
  if (!same || key->info.revoked || (key->info.expires_ms != 0 && key->info.expires_ms <= now)) return refused();
  key->used_ms = now;
  Principal out{key->info.tenant, key->info.user, key->info.id, key->info.roles, key->info.purpose};
  out.desk = key->info.desk;
  out.clearance = key->info.clearance;
  return out;
}

Result<void> KeyIdentity::admit(const Principal& principal) {
  const std::lock_guard lock(impl_->mutex);
  Impl::Known* key = HENG_TRY(impl_->find(principal.key.value));
  const std::int64_t now = impl_->clock.unix_ms();
  const Quota& quota = key->info.quota;
  if (quota.tokens_per_day > 0) {
    const std::int64_t before = key->day == Impl::day_of(now) ? key->spent_before : 0;
    if (before + key->spent_here >= quota.tokens_per_day) {
      const std::int64_t wait_s = ((Impl::day_of(now) + 1) * day_ms - now + 999) / 1000;
      Error error(ErrorCode::rate_limited, fmt::format("the key's {} tokens of today are used up; try again in {} seconds (at 00:00 UTC)", quota.tokens_per_day, wait_s));
      error.retry_after_ms = wait_s * 1000;
      return error;
    }
  }
  if (quota.requests_per_minute <= 0) return {};
  const double rate = quota.requests_per_minute / 60'000.0;
  key->request_tokens = std::min<double>(quota.requests_per_minute, key->request_tokens + rate * static_cast<double>(std::max<std::int64_t>(0, now - key->bucket_ms)));
  key->bucket_ms = now;
  if (key->request_tokens < 1) {
    const int wait_s = static_cast<int>((1 - key->request_tokens) / rate / 1000) + 1;
    Error error(ErrorCode::rate_limited, fmt::format("the key may make {} requests a minute; try again in {} seconds", quota.requests_per_minute, wait_s));
    error.retry_after_ms = wait_s * 1000L;
    return error;
  }
  key->request_tokens -= 1;
  return {};
}

void KeyIdentity::spend_tokens(const Principal& principal, std::int64_t tokens) {
  if (tokens <= 0) return;
  const std::lock_guard lock(impl_->mutex);
  auto key = impl_->find(principal.key.value);
  if (!key.ok()) return;
  (*key)->spent_here += tokens;
}

Result<std::pair<KeyInfo, std::string>> KeyIdentity::create_key(const NewKey& wanted) {
  if (!is_word(wanted.tenant.value)) return Error(ErrorCode::invalid_argument, "a tenant is 1 to 64 letters, digits, _ - . @", "tenant");
  if (!is_word(wanted.user.value)) return Error(ErrorCode::invalid_argument, "a user is 1 to 64 letters, digits, _ - . @", "user");
  if (wanted.name.size() > most_name_bytes || !text::is_valid_utf8(wanted.name))
    return Error(ErrorCode::invalid_argument, "a key's name is at most 200 bytes of text", "name");
  if (wanted.roles.size() > most_roles) return Error(ErrorCode::invalid_argument, "a key has at most 64 roles", "roles");
  for (const auto& role : wanted.roles)
    if (!is_word(role)) return Error(ErrorCode::invalid_argument, "a role is 1 to 64 letters, digits, _ - . @", "roles");
  for (const auto* field : {&wanted.desk, &wanted.purpose})
    if (!field->empty() && !is_word(*field)) return Error(ErrorCode::invalid_argument, "desk and purpose are 1 to 64 letters, digits, _ - . @", "desk");
  if (wanted.quota.requests_per_minute < 0 || wanted.quota.tokens_per_day < 0 || wanted.expires_ms < 0)
    return Error(ErrorCode::invalid_argument, "limits are not negative; 0 means none", "quota");
  KeyInfo info;
  info.id = KeyId(random_hex(impl_->random, id_bytes));
  info.tenant = wanted.tenant;
  info.user = wanted.user;
  info.name = wanted.name;
  info.roles = wanted.roles;
  info.quota = wanted.quota;
  info.created_ms = impl_->clock.unix_ms();
  info.expires_ms = wanted.expires_ms;
  info.desk = wanted.desk;
  info.purpose = wanted.purpose;
  info.clearance = wanted.clearance;
  const std::string secret = random_hex(impl_->random, secret_bytes);
  auto writer = HENG_TRY(impl_->pool.writer());
  auto insert = HENG_TRY(writer->prepare("INSERT INTO api_key (id, tenant, user, name, roles, hash, requests_per_minute, tokens_per_day, created_ms, expires_ms, desk, purpose, clearance) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)"));
  insert.bind(1, info.id.value).bind(2, info.tenant.value).bind(3, info.user.value).bind(4, info.name).bind(5, text::join(info.roles, ","))
      .bind_blob(6, impl_->hash(secret)).bind(7, info.quota.requests_per_minute).bind(8, info.quota.tokens_per_day).bind(9, info.created_ms).bind(10, info.expires_ms)
      .bind(11, info.desk).bind(12, info.purpose).bind(13, static_cast<int>(info.clearance));
  HENG_TRY(insert.run());
  return std::pair{info, fmt::format("heng_{}_{}", info.id.value, secret)};
}

Result<std::vector<KeyInfo>> KeyIdentity::keys(const TenantId& tenant) {
  auto reader = HENG_TRY(impl_->pool.reader());
  auto row = HENG_TRY(reader->prepare(fmt::format("SELECT {} FROM api_key WHERE tenant = ? ORDER BY created_ms, id", columns)));
  row.bind(1, tenant.value);
  std::vector<KeyInfo> out;
  while (HENG_TRY(row.step())) out.push_back(read_info(row));
  return out;
}

Result<void> KeyIdentity::revoke_key(const TenantId& tenant, const KeyId& id) {
  {
    auto writer = HENG_TRY(impl_->pool.writer());
    HENG_TRY(writer->run("UPDATE api_key SET revoked = 1 WHERE tenant = ? AND id = ?", tenant.value, id.value));
    if (writer->changes() == 0) return Error(ErrorCode::not_found, fmt::format("there is no key \"{}\" here", id.value), "id");
  }
  const std::lock_guard lock(impl_->mutex);
  impl_->known.erase(id.value);
  return {};
}

}  // namespace heng::identity
