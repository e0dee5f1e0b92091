#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

#include "heng/base/result.h"
#include "heng/store/database.h"

namespace heng::users {

/// How long a name waits after so many failures in a row, in milliseconds: none for the first four, then 30 s doubling to an hour.
std::int64_t lock_ms(int failures);

/// Failures of names (kept in the database under a keyed hash, whether the name exists or not) and of addresses (in memory).
/// Threads: safe.
class Lockout {
 public:
  explicit Lockout(std::string key) : key_(std::move(key)) {}

  /// Errors: rate_limited (says when to come back).
  Result<void> check(store::Database& db, const std::string& name, const std::string& peer, std::int64_t now_ms);
  Result<void> failed(store::Database& db, const std::string& name, const std::string& peer, std::int64_t now_ms);
  Result<void> succeeded(store::Database& db, const std::string& name);

 private:
  std::string hash(const std::string& name) const;
  struct Peer {
    std::int64_t minute = 0;
    int failures = 0;
  };
  const std::string key_;
  std::mutex mutex_;
  std::unordered_map<std::string, Peer> peers_;
};

}  // namespace heng::users
