#include "heng/base/clock.h"

#include <cstdio>
#include <ctime>

namespace heng {
namespace {

class MachineClock final : public Clock {
 public:
  std::int64_t unix_ms() const override {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  }
  SteadyTime steady() const override { return std::chrono::steady_clock::now(); }
};

}  // namespace

const Clock& system_clock() {
  static const MachineClock clock;
  return clock;
}

std::string iso8601(std::int64_t unix_ms) {
  std::int64_t millisecond = unix_ms % 1000;
  std::time_t second = static_cast<std::time_t>(unix_ms / 1000);
  if (millisecond < 0) {
    millisecond += 1000;
    --second;
  }
  std::tm utc{};
  gmtime_r(&second, &utc);
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
                utc.tm_hour, utc.tm_min, utc.tm_sec, static_cast<int>(millisecond));
  return text;
}

double elapsed_ms(SteadyTime start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace heng
