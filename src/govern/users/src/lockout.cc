#include "lockout.h"

#include <fmt/format.h>

#include <algorithm>

#include "heng/store/keys.h"

namespace heng::users {
namespace {

constexpr int free_failures = 5, peer_failures_per_minute = 30;
constexpr std::int64_t first_wait_ms = 30'000, longest_wait_ms = 3'600'000, forgotten_ms = 24 * 3'600'000LL;
constexpr std::size_t most_peers = 100'000;

Error wait(std::int64_t ms) {
  const std::int64_t seconds = (ms + 999) / 1000;
  Error error(ErrorCode::rate_limited, fmt::format("too many failed logins; try again in {} seconds", seconds));
  error.retry_after_ms = seconds * 1000;
  return error;
}

}  // namespace

std::int64_t lock_ms(int failures) {
  if (failures < free_failures) return 0;
  return std::min(longest_wait_ms, first_wait_ms << std::min(failures - free_failures, 20));
}

std::string Lockout::hash(const std::string& name) const { return store::hmac_sha256(key_, name); }

Result<void> Lockout::check(store::Database& db, const std::string& name, const std::string& peer, std::int64_t now_ms) {
  {
    const std::lock_guard lock(mutex_);
    const auto at = peers_.find(peer);
    if (at != peers_.end() && at->second.minute == now_ms / 60'000 && at->second.failures >= peer_failures_per_minute) return wait((now_ms / 60'000 + 1) * 60'000 - now_ms);
  }
  auto row = HENG_TRY(db.prepare("SELECT locked_until_ms FROM login_failure WHERE name_hash = ?"));
  row.bind_blob(1, hash(name));
  if (HENG_TRY(row.step()) && row.integer(0) > now_ms) return wait(row.integer(0) - now_ms);
  return {};
}

Result<void> Lockout::failed(store::Database& db, const std::string& name, const std::string& peer, std::int64_t now_ms) {
  {
    const std::lock_guard lock(mutex_);
    if (peers_.size() >= most_peers) peers_.clear();
    auto& entry = peers_[peer];
    if (entry.minute != now_ms / 60'000) entry = {now_ms / 60'000, 0};
    ++entry.failures;
  }
  const std::string key = hash(name);
  int failures = 1;
  {
    auto row = HENG_TRY(db.prepare("SELECT failures, last_ms FROM login_failure WHERE name_hash = ?"));
    row.bind_blob(1, key);
    if (HENG_TRY(row.step()) && now_ms - row.integer(1) < forgotten_ms) failures = static_cast<int>(std::min<std::int64_t>(row.integer(0), 1000)) + 1;
  }
  // names that nobody has tried for a day go, so that a flood of made-up names does not stay
  HENG_TRY(db.run("DELETE FROM login_failure WHERE last_ms < ?", now_ms - forgotten_ms));
  auto write = HENG_TRY(db.prepare("INSERT INTO login_failure (name_hash, failures, last_ms, locked_until_ms) VALUES (?1, ?2, ?3, ?4) "
                                   "ON CONFLICT (name_hash) DO UPDATE SET failures = ?2, last_ms = ?3, locked_until_ms = ?4"));
  write.bind_blob(1, key).bind(2, failures).bind(3, now_ms).bind(4, lock_ms(failures) == 0 ? std::int64_t{0} : now_ms + lock_ms(failures));
  return write.run();
}

Result<void> Lockout::succeeded(store::Database& db, const std::string& name) {
  auto row = HENG_TRY(db.prepare("DELETE FROM login_failure WHERE name_hash = ?"));
  row.bind_blob(1, hash(name));
  return row.run();
}

}  // namespace heng::users
