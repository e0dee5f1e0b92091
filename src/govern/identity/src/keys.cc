#include "heng/identity/keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>
#include <unordered_map>

#include "api_key.h"
#include "heng/base/log.h"
#include "heng/store/pool.h"

namespace heng::identity {

namespace {

constexpr std::int64_t day_ms = 86'400'000;
constexpr std::size_t cached_keys = 10'000;
constexpr std::size_t name_limit = 200;
constexpr std::size_t role_limit = 64;

const std::vector<store::Migration> migrations = {{.version = 1, .name = "keys", .sql = R"(
  CREATE TABLE api_key(
    id TEXT PRIMARY KEY, secret_sha256 BLOB NOT NULL, tenant TEXT NOT NULL, user TEXT NOT NULL, name TEXT NOT NULL,
    roles TEXT NOT NULL, requests_per_minute INTEGER NOT NULL, tokens_per_day INTEGER NOT NULL,
    created_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL, last_used_ms INTEGER NOT NULL DEFAULT 0,
    revoked_ms INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;
  CREATE INDEX api_key_tenant ON api_key(tenant, created_ms);
  CREATE TABLE spent(
    key TEXT NOT NULL REFERENCES api_key(id), day INTEGER NOT NULL, tokens INTEGER NOT NULL,
    PRIMARY KEY(key, day)) STRICT, WITHOUT ROWID;
)"}};

constexpr const char* columns =
    "id, tenant, user, name, roles, requests_per_minute, tokens_per_day, created_ms, expires_ms, last_used_ms, revoked_ms, secret_sha256";

struct Row {
  KeyInfo info;
  Sha256 secret{};
};

Row read_row(const store::Statement& row) {
  Row out;
  out.info.id = KeyId(row.string(0));
  out.info.tenant = TenantId(row.string(1));
  out.info.user = UserId(row.string(2));
  out.info.name = row.string(3);
  const auto roles = nlohmann::json::parse(row.text(4), nullptr, false);
  if (roles.is_array()) {
    for (const auto& role : roles) out.info.roles.push_back(role.is_string() ? role.get<std::string>() : std::string());
  }
  out.info.quota = {static_cast<int>(row.integer(5)), row.integer(6)};
  out.info.created_ms = row.integer(7);
  out.info.expires_ms = row.integer(8);
  out.info.last_used_ms = row.integer(9);
  out.info.revoked = row.integer(10) != 0;
  const auto secret = row.blob(11);
  if (secret.size() == out.secret.size()) std::copy(secret.begin(), secret.end(), reinterpret_cast<char*>(out.secret.data()));
  return out;
}

// State of a key in this process.
struct Live {
  Row row;
  SteadyTime checked;               // when the row was read
  double bucket = 0;                // requests that may be made now
  SteadyTime filled;
  bool bucket_started = false;
  std::int64_t day = -1;            // of the tokens below
  std::int64_t tokens = 0;          // spent today, this process's unwritten ones included
  std::int64_t unwritten = 0;
  std::int64_t last_used_ms = 0;
  bool last_used_unwritten = false;
};

Error denied() { return Error(ErrorCode::unauthenticated, "a valid API key is needed: Authorization: Bearer heng_…"); }

}  // namespace

struct Keys::Impl {
  KeySettings settings;
  const Clock* clock = nullptr;
  Random* random = nullptr;
  std::unique_ptr<store::Pool> pool;
  std::mutex mutex;
  std::unordered_map<std::string, Live> live;
  std::condition_variable stop_signal;
  bool stopping = false;
  std::thread flusher;

  Result<Row> load(const std::string& id) {
    auto reader = HENG_TRY(pool->reader());
    auto row = HENG_TRY(reader->prepare(fmt::format("SELECT {} FROM api_key WHERE id = ?", columns)));
    row.bind(1, id);
    if (!HENG_TRY(row.step())) return denied();
    return read_row(row);
  }

  Result<std::int64_t> load_spent(const std::string& id, std::int64_t day) {
    auto reader = HENG_TRY(pool->reader());
    auto spent = reader->query_integer("SELECT tokens FROM spent WHERE key = ? AND day = ?", id, day);
    if (!spent.ok() && spent.error().code == ErrorCode::not_found) return std::int64_t{0};
    return spent;
  }

  // Keeps the cache bounded: keys without anything to remember go first.
  void make_room() {
    if (live.size() < cached_keys) return;
    std::erase_if(live, [](const auto& item) { return item.second.unwritten == 0 && !item.second.last_used_unwritten; });
  }

  Result<Row> current(const std::string& id) {
    {
      std::lock_guard lock(mutex);
      const auto found = live.find(id);
      if (found != live.end() && clock->steady() - found->second.checked < settings.recheck) return found->second.row;
    }
    auto row = load(id);
    std::lock_guard lock(mutex);
    if (!row.ok()) {
      if (row.error().code == ErrorCode::unauthenticated) live.erase(id);
      return row;
    }
    make_room();
    Live& entry = live[id];
    entry.row = *row;
    entry.checked = clock->steady();
    return row;
  }

  Result<void> flush() {
    struct Change {
      std::string id;
      std::int64_t day, tokens, last_used_ms;
    };
    std::vector<Change> changes;
    {
      std::lock_guard lock(mutex);
      for (auto& [id, entry] : live) {
        if (entry.unwritten == 0 && !entry.last_used_unwritten) continue;
        changes.push_back({id, entry.day, entry.unwritten, entry.last_used_ms});
        entry.unwritten = 0;
        entry.last_used_unwritten = false;
      }
    }
    if (changes.empty()) return {};
    const auto write = [&]() -> Result<void> {
      auto writer = HENG_TRY(pool->writer());
      auto transaction = HENG_TRY(store::Transaction::begin(*writer));
      for (const auto& change : changes) {
        HENG_TRY(writer->run("UPDATE api_key SET last_used_ms = max(last_used_ms, ?) WHERE id = ?", change.last_used_ms, change.id));
        if (change.tokens == 0) continue;
        HENG_TRY(writer->run("INSERT INTO spent(key, day, tokens) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET tokens = tokens + excluded.tokens",
                             change.id, change.day, change.tokens));
        HENG_TRY(writer->run("DELETE FROM spent WHERE key = ? AND day < ?", change.id, change.day - 400));
      }
      return transaction.commit();
    };
    auto written = write();
    if (!written.ok()) {
      // kept for the next time
      std::lock_guard lock(mutex);
      for (const auto& change : changes) {
        auto found = live.find(change.id);
        if (found != live.end() && found->second.day == change.day) found->second.unwritten += change.tokens;
      }
      return written;
    }
    return refresh_spent();
  }

  // What other processes spent on the same keys.
  Result<void> refresh_spent() {
    std::vector<std::pair<std::string, std::int64_t>> wanted;
    {
      std::lock_guard lock(mutex);
      for (const auto& [id, entry] : live) {
        if (entry.day >= 0 && entry.row.info.quota.tokens_per_day > 0) wanted.emplace_back(id, entry.day);
      }
    }
    for (const auto& [id, day] : wanted) {
      const auto spent = HENG_TRY(load_spent(id, day));
      std::lock_guard lock(mutex);
      auto found = live.find(id);
      if (found != live.end() && found->second.day == day) found->second.tokens = std::max(found->second.tokens, spent + found->second.unwritten);
    }
    return {};
  }

  void run() {
    std::unique_lock lock(mutex);
    while (!stop_signal.wait_for(lock, settings.flush, [&] { return stopping; })) {
      lock.unlock();
      if (auto written = flush(); !written.ok()) log::warn("key_usage_not_written", {{"message", written.error().message}});
      lock.lock();
    }
  }

  // Call with the lock held. Makes `entry` speak of today.
  bool on_day(const Live& entry) const { return entry.day == clock->unix_ms() / day_ms; }
};

Keys::Keys(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Keys::~Keys() {
  {
    std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
  }
  impl_->stop_signal.notify_all();
  if (impl_->flusher.joinable()) impl_->flusher.join();
  if (auto written = impl_->flush(); !written.ok()) log::warn("key_usage_not_written", {{"message", written.error().message}});
}

Result<std::unique_ptr<Keys>> Keys::create(const KeySettings& settings, const Clock& clock, Random& random) {
  auto impl = std::make_unique<Impl>();
  impl->settings = settings;
  impl->clock = &clock;
  impl->random = &random;
  impl->pool = HENG_TRY(store::Pool::open({.database = {.path = settings.database, .key = settings.database_key, .cache_kib = 1024}, .readers = 4}, migrations));
  Impl* raw = impl.get();
  impl->flusher = std::thread([raw] { raw->run(); });
  return std::unique_ptr<Keys>(new Keys(std::move(impl)));
}

Result<Principal> Keys::authenticate(const std::string& bearer) {
  const auto key = parse_api_key(bearer);
  if (!key) return denied();
  auto row = impl_->current(key->id);
  if (!row.ok() && row.error().code != ErrorCode::unauthenticated) return std::move(row).error();
  // an unknown id costs the same hashing and comparing as a known one
  const Sha256 stored = row.ok() ? row->secret : Sha256{};
  const bool fits = equal_in_constant_time(hash_secret(*key), stored);
  if (!row.ok() || !fits) return denied();
  const std::int64_t now = impl_->clock->unix_ms();
  if (row->info.revoked || (row->info.expires_ms != 0 && row->info.expires_ms <= now)) return denied();
  std::lock_guard lock(impl_->mutex);
  if (auto found = impl_->live.find(key->id); found != impl_->live.end()) {
    Live& entry = found->second;
    const std::int64_t known = std::max(entry.last_used_ms, row->info.last_used_ms);
    if (now - known >= impl_->settings.last_used_step.count()) {
      entry.last_used_ms = now;
      entry.last_used_unwritten = true;
    }
  }
  return Principal{.tenant = row->info.tenant, .user = row->info.user, .key = row->info.id, .roles = row->info.roles, .purpose = ""};
}

Result<void> Keys::admit(const Principal& who) {
  if (who.key.empty()) return {};  // not by an API key: the command line on this machine
  const Row row = HENG_TRY(impl_->current(who.key.value));
  const Quota& quota = row.info.quota;
  const std::int64_t now = impl_->clock->unix_ms();
  const std::int64_t day = now / day_ms;
  std::int64_t spent = -1;
  if (quota.tokens_per_day > 0) {
    bool known = false;
    {
      std::lock_guard lock(impl_->mutex);
      known = impl_->on_day(impl_->live[who.key.value]);
    }
    if (!known) spent = HENG_TRY(impl_->load_spent(who.key.value, day));
  }
  std::lock_guard lock(impl_->mutex);
  Live& entry = impl_->live[who.key.value];
  if (spent >= 0 && entry.day != day) {
    entry.day = day;
    entry.tokens = spent;
    entry.unwritten = 0;
  }
  if (quota.tokens_per_day > 0 && entry.tokens >= quota.tokens_per_day) {
    return Error(ErrorCode::rate_limited, fmt::format("the key's {} tokens for today are used up; come back in {} s (00:00 UTC)",
                                                      quota.tokens_per_day, ((day + 1) * day_ms - now + 999) / 1000));
  }
  if (quota.requests_per_minute <= 0) return {};
  const SteadyTime at = impl_->clock->steady();
  const double capacity = quota.requests_per_minute;
  if (!entry.bucket_started) {
    entry.bucket = capacity;
    entry.bucket_started = true;
  } else {
    entry.bucket = std::min(capacity, entry.bucket + std::chrono::duration<double>(at - entry.filled).count() * capacity / 60.0);
  }
  entry.filled = at;
  if (entry.bucket < 1.0) {
    const auto wait = static_cast<int>(std::ceil((1.0 - entry.bucket) * 60.0 / capacity));
    return Error(ErrorCode::rate_limited, fmt::format("the key may make {} requests a minute; come back in {} s", quota.requests_per_minute, std::max(1, wait)));
  }
  entry.bucket -= 1.0;
  return {};
}

void Keys::spend_tokens(const Principal& who, std::int64_t tokens) {
  if (who.key.empty() || tokens <= 0) return;
  const std::int64_t day = impl_->clock->unix_ms() / day_ms;
  std::int64_t spent = 0;
  {
    std::lock_guard lock(impl_->mutex);
    const auto found = impl_->live.find(who.key.value);
    if (found != impl_->live.end() && found->second.day == day) {
      found->second.tokens += tokens;
      found->second.unwritten += tokens;
      return;
    }
  }
  // a new day, or a key not seen yet: what was spent is on disk
  (void)flush();
  if (auto loaded = impl_->load_spent(who.key.value, day); loaded.ok()) spent = *loaded;
  std::lock_guard lock(impl_->mutex);
  Live& entry = impl_->live[who.key.value];
  if (entry.day != day) {
    entry.day = day;
    entry.tokens = spent;
    entry.unwritten = 0;
  }
  entry.tokens += tokens;
  entry.unwritten += tokens;
}

Result<std::pair<KeyInfo, std::string>> Keys::create_key(const NewKey& wanted) {
  const auto bad = [](const char* field, std::string message) { return Error(ErrorCode::invalid_argument, std::move(message), field); };
  if (wanted.tenant.empty() || wanted.tenant.value.size() > name_limit) return bad("tenant", "a key needs a tenant of 1 to 200 bytes");
  if (wanted.tenant.value.starts_with("heng:")) return bad("tenant", "tenant names beginning with \"heng:\" are reserved");
  if (wanted.user.value.size() > name_limit || wanted.name.size() > name_limit) return bad("name", "user and name have at most 200 bytes");
  if (wanted.roles.size() > role_limit) return bad("roles", "a key has at most 64 roles");
  for (const auto& role : wanted.roles) {
    if (role.empty() || role.size() > name_limit) return bad("roles", "a role has 1 to 200 bytes");
  }
  if (wanted.quota.requests_per_minute < 0 || wanted.quota.tokens_per_day < 0) return bad("quota", "a quota is 0 (no limit) or more");
  const std::int64_t now = impl_->clock->unix_ms();
  if (wanted.expires_ms != 0 && wanted.expires_ms <= now) return bad("expires", "the key would be expired already");
  const ApiKey key{random_hex(*impl_->random, 8), random_hex(*impl_->random, 32)};
  const Sha256 secret = hash_secret(key);
  const nlohmann::json roles = wanted.roles;
  KeyInfo info{.id = KeyId(key.id), .tenant = wanted.tenant, .user = wanted.user, .name = wanted.name, .roles = wanted.roles, .quota = wanted.quota,
               .created_ms = now, .expires_ms = wanted.expires_ms};
  auto writer = HENG_TRY(impl_->pool->writer());
  auto insert = HENG_TRY(writer->prepare("INSERT INTO api_key(id, secret_sha256, tenant, user, name, roles, requests_per_minute, tokens_per_day, created_ms, expires_ms)"
                                         " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  insert.bind(1, key.id).bind_blob(2, {reinterpret_cast<const char*>(secret.data()), secret.size()}).bind(3, wanted.tenant.value).bind(4, wanted.user.value);
  insert.bind(5, wanted.name).bind(6, roles.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)).bind(7, wanted.quota.requests_per_minute);
  insert.bind(8, wanted.quota.tokens_per_day).bind(9, now).bind(10, wanted.expires_ms);
  HENG_TRY(insert.run());
  return std::make_pair(std::move(info), print_api_key(key));
}

Result<std::vector<KeyInfo>> Keys::keys(const TenantId& tenant) {
  auto reader = HENG_TRY(impl_->pool->reader());
  auto row = HENG_TRY(reader->prepare(fmt::format("SELECT {} FROM api_key WHERE tenant = ? ORDER BY created_ms, id", columns)));
  row.bind(1, tenant.value);
  std::vector<KeyInfo> out;
  while (HENG_TRY(row.step())) out.push_back(read_row(row).info);
  return out;
}

Result<void> Keys::revoke_key(const TenantId& tenant, const KeyId& id) {
  {
    auto writer = HENG_TRY(impl_->pool->writer());
    HENG_TRY(writer->run("UPDATE api_key SET revoked_ms = CASE revoked_ms WHEN 0 THEN ? ELSE revoked_ms END WHERE id = ? AND tenant = ?",
                         impl_->clock->unix_ms(), id.value, tenant.value));
    if (writer->changes() == 0) return Error(ErrorCode::not_found, fmt::format("no key {}", id.value));
  }
  std::lock_guard lock(impl_->mutex);
  if (auto found = impl_->live.find(id.value); found != impl_->live.end()) found->second.row.info.revoked = true;
  return {};
}

Result<void> Keys::flush() { return impl_->flush(); }

}  // namespace heng::identity
