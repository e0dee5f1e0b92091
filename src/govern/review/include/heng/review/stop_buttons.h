#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <vector>

#include "heng/base/clock.h"
#include "heng/contracts/audit.h"
#include "heng/contracts/stops.h"
#include "heng/store/pool.h"

namespace heng::review {

/// Stop buttons on the database "govern". `check` looks at a copy that is at most `refresh` old, so that what another
/// process stops counts soon; what this process stops counts at once.
///
/// Lifetime: pool, ledger, clock and randomness outlive it. Threads: safe.
class StopButtons final : public Stops {
 public:
  static Result<std::unique_ptr<StopButtons>> create(store::Pool& pool, Audit& audit, std::chrono::milliseconds refresh = std::chrono::milliseconds(250),
                                                     const Clock& clock = system_clock(), Random& random = system_random());

  Result<void> check(const StopQuestion&) const override;
  Result<StopInfo> stop(const Principal&, StopKind kind, const std::string& name, const std::string& reason) override;
  Result<StopInfo> resume(const Principal&, std::int64_t id, const std::string& reason) override;
  Result<std::vector<StopInfo>> list(const Principal&, bool lifted) override;

 private:
  StopButtons(store::Pool& pool, Audit& audit, std::chrono::milliseconds refresh, const Clock& clock, Random& random)
      : pool_(pool), audit_(audit), refresh_(refresh), clock_(clock), random_(random) {}
  Result<std::vector<StopInfo>> read(std::string_view where) const;
  Result<void> reload() const;   ///< With the mutex held.
  Result<void> note(const Principal& who, const char* action, const StopInfo& stop, const std::string& reason);

  store::Pool& pool_;
  Audit& audit_;
  const std::chrono::milliseconds refresh_;
  const Clock& clock_;
  Random& random_;
  mutable std::mutex mutex_;
  mutable std::vector<StopInfo> active_;
  mutable SteadyTime read_at_{};
  mutable bool readable_ = false;
};

}  // namespace heng::review
