#include "attempts.h"

#include <fmt/format.h>

namespace heng::oidc {
namespace {

constexpr std::size_t most_peers = 100'000;

}  // namespace

void PendingStarts::put(const std::string& state, Pending pending) {
  const std::lock_guard lock(mutex_);
  const std::int64_t now_ms = pending.made_ms;
  while (!order_.empty()) {
    const auto oldest = held_.find(order_.front());
    const bool gone = oldest == held_.end() || now_ms - oldest->second.made_ms >= life_ms;
    if (!gone && held_.size() < most_) break;
    if (oldest != held_.end()) held_.erase(oldest);
    order_.pop_front();
  }
  held_[state] = std::move(pending);
  order_.push_back(state);
}

std::optional<Pending> PendingStarts::take(const std::string& state, std::int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  const auto at = held_.find(state);
  if (at == held_.end()) return std::nullopt;
  Pending out = std::move(at->second);
  held_.erase(at);
  if (now_ms - out.made_ms >= life_ms) return std::nullopt;
  return out;
}

std::size_t PendingStarts::size() {
  const std::lock_guard lock(mutex_);
  return held_.size();
}

Result<void> Failures::check(const std::string& peer, std::int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  const auto at = counts_.find(peer);
  if (minute_ != now_ms / 60'000 || at == counts_.end() || at->second < most_per_minute) return {};
  const std::int64_t seconds = ((minute_ + 1) * 60'000 - now_ms + 999) / 1000;
  Error error(ErrorCode::rate_limited, fmt::format("too many failed sign-ins; try again in {} seconds", seconds));
  error.retry_after_ms = static_cast<long>(seconds * 1000);
  return error;
}

void Failures::add(const std::string& peer, std::int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  if (minute_ != now_ms / 60'000 || counts_.size() >= most_peers) {
    minute_ = now_ms / 60'000;
    counts_.clear();
  }
  ++counts_[peer];
}

}  // namespace heng::oidc
