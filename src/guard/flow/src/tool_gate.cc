#include "heng/guard_flow/tool_gate.h"

namespace heng::guard_flow {
namespace {

constexpr std::size_t most_counters = 1'000'000;
constexpr std::int64_t day_ms = 86'400'000;

}  // namespace

Result<ToolVerdict> PolicyToolGate::decide(const Principal& principal, ToolUse use) {
  const std::lock_guard lock(mutex_);
  if (!policy_) return {ErrorCode::internal, "there is no tool policy"};
  if (const auto today = clock_.unix_ms() / day_ms; today != day_) {
    day_ = today;
    calls_.clear();
  }
  std::string key = principal.tenant.value;
  ((key += '\0') += principal.user.value) += '\0';
  key += use.tool;
  const auto counted = calls_.find(key);
  use.in_day = counted == calls_.end() ? 0 : counted->second;
  auto verdict = policy_->decide(principal, use);
  if (verdict.decision == ToolDecision::deny) return verdict;
  if (counted != calls_.end()) {
    ++counted->second;
  } else {
    if (calls_.size() >= most_counters) return {ErrorCode::overloaded, "too many callers used tools today to count them apart"};
    calls_.emplace(std::move(key), 1);
  }
  return verdict;
}

}  // namespace heng::guard_flow
