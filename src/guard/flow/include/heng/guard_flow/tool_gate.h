#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "heng/base/clock.h"
#include "heng/contracts/tools.h"
#include "heng/guard_egress/tools.h"

namespace heng::guard_flow {

/// The tool policy in force as the gate in front of every call, with the counters of the day (UTC) for each caller and tool. The counters
/// live with the process: after a restart the day begins anew.
///
/// Lifetime: made once at start-up; the policy can be replaced while it is used. Threads: safe.
class PolicyToolGate final : public ToolGate {
 public:
  PolicyToolGate(std::shared_ptr<const guard_egress::ToolPolicy> policy, const Clock& clock) : policy_(std::move(policy)), clock_(clock) {}
  void replace(std::shared_ptr<const guard_egress::ToolPolicy> policy) {
    const std::lock_guard lock(mutex_);
    policy_ = std::move(policy);
  }
  /// Errors: overloaded (more callers in a day than are kept apart: 1,000,000).
  Result<ToolVerdict> decide(const Principal& principal, ToolUse use) override;

 private:
  std::mutex mutex_;
  std::shared_ptr<const guard_egress::ToolPolicy> policy_;   // shared with the decisions that run
  const Clock& clock_;
  std::int64_t day_ = 0;
  std::map<std::string, std::int64_t> calls_;
};

}  // namespace heng::guard_flow
