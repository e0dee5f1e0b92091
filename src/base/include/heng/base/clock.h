#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace heng {

using SteadyTime = std::chrono::steady_clock::time_point;

/// Time, passed in so that tests can set it.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual std::int64_t unix_ms() const = 0;  ///< Milliseconds since 1970-01-01T00:00:00Z.
  virtual SteadyTime steady() const = 0;     ///< For measuring durations and deadlines.
};

/// The machine's clock. Thread-safe.
const Clock& system_clock();

/// "2026-11-24T06:34:41.123Z".
std::string iso8601(std::int64_t unix_ms);

/// Milliseconds from `start` to now on the steady clock.
double elapsed_ms(SteadyTime start);

}  // namespace heng
