#pragma once

#include <atomic>

#include "heng/base/clock.h"

namespace heng::infer {

/// How many threads a computation should use. Threads that meet at a barrier hundreds of times per token are as slow as the
/// one that waits for a core: with one other busy process two threads fall far behind a single one. So when the computing
/// thread did not get its core for a good part of a step, the next steps use one thread; all are tried again after a while,
/// later each time it fails. report() is called by one thread; threads() by any.
class ThreadGovernor {
 public:
  int threads(int wanted, SteadyTime now) const { return wanted > 1 && now < single_until_.load(std::memory_order_relaxed) ? 1 : wanted; }
  /// What a step with `threads` threads took: time on a core of the thread that led it, and time on the clock.
  void report(int threads, double core_ms, double clock_ms, SteadyTime now);

 private:
  std::atomic<SteadyTime> single_until_{SteadyTime{}};
  int pause_ms_ = 0;
};

}  // namespace heng::infer
