#pragma once

#include <mutex>

#include "heng/base/clock.h"

namespace heng::infer {

/// Stops calling a server that keeps failing: after `failures` in a row it is open for `open_ms`; then one call may try, and
/// its success closes it. Thread-safe.
class CircuitBreaker {
 public:
  CircuitBreaker(int failures, int open_ms) : limit_(failures), open_ms_(open_ms) {}
  /// Whether a call may be made now.
  bool allow(SteadyTime now);
  void succeeded();
  void failed(SteadyTime now);
  bool is_open(SteadyTime now) const;

 private:
  const int limit_, open_ms_;
  mutable std::mutex mutex_;
  int failures_ = 0;
  SteadyTime open_until_{};
};

}  // namespace heng::infer
