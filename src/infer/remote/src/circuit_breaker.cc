#include "circuit_breaker.h"

namespace heng::infer {

bool CircuitBreaker::allow(SteadyTime now) {
  std::lock_guard lock(mutex_);
  if (failures_ < limit_) return true;
  if (now < open_until_) return false;
  open_until_ = now + std::chrono::milliseconds(open_ms_);  // one trial call; others wait for its outcome
  return true;
}

void CircuitBreaker::succeeded() {
  std::lock_guard lock(mutex_);
  failures_ = 0;
}

void CircuitBreaker::failed(SteadyTime now) {
  std::lock_guard lock(mutex_);
  if (++failures_ >= limit_) open_until_ = now + std::chrono::milliseconds(open_ms_);
}

bool CircuitBreaker::is_open(SteadyTime now) const {
  std::lock_guard lock(mutex_);
  return failures_ >= limit_ && now < open_until_;
}

}  // namespace heng::infer
