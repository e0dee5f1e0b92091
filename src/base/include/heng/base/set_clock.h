#pragma once

#include <chrono>
#include <cstdint>

#include "heng/base/clock.h"

namespace heng {

/// A clock that stands where it is set: for tests. Both its times move with `now`.
class SetClock final : public Clock {
 public:
  std::int64_t now = 1'780'000'000'000;  ///< Milliseconds since 1970.
  std::int64_t unix_ms() const override { return now; }
  SteadyTime steady() const override { return SteadyTime(std::chrono::milliseconds(now)); }
};

}  // namespace heng
