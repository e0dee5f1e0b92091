#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "heng/base/result.h"

namespace heng::oidc {

/// A sign-in that waits for its browser.
struct Pending {
  std::string nonce, verifier, browser;
  std::int64_t made_ms = 0;
};

/// Sign-ins by their state, each taken once. Threads: safe.
class PendingStarts {
 public:
  static constexpr std::int64_t life_ms = 10 * 60'000;
  explicit PendingStarts(std::size_t most) : most_(most) {}
  /// Where there are too many, the oldest goes.
  void put(const std::string& state, Pending pending);
  /// Nothing: never was, was taken, or is too old.
  std::optional<Pending> take(const std::string& state, std::int64_t now_ms);
  std::size_t size();

 private:
  const std::size_t most_;
  std::mutex mutex_;
  std::unordered_map<std::string, Pending> held_;
  std::deque<std::string> order_;
};

/// Failures of addresses in the minute that runs. Threads: safe.
class Failures {
 public:
  static constexpr int most_per_minute = 30;
  /// Errors: rate_limited (says when to come back).
  Result<void> check(const std::string& peer, std::int64_t now_ms);
  void add(const std::string& peer, std::int64_t now_ms);

 private:
  std::mutex mutex_;
  std::int64_t minute_ = 0;
  std::unordered_map<std::string, int> counts_;
};

}  // namespace heng::oidc
