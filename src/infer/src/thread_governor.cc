#include "heng/infer/thread_governor.h"

#include <algorithm>

namespace heng::infer {
namespace {

constexpr double shortest_step_ms = 4;      // below, the clocks say too little
constexpr double crowded_share = 0.75;
constexpr int first_pause_ms = 500, longest_pause_ms = 8000;

}  // namespace

void ThreadGovernor::report(int threads, double core_ms, double clock_ms, SteadyTime now) {
  if (threads < 2 || clock_ms < shortest_step_ms) return;
  if (core_ms >= crowded_share * clock_ms) {
    pause_ms_ = 0;
    return;
  }
  pause_ms_ = std::clamp(pause_ms_ * 2, first_pause_ms, longest_pause_ms);
  single_until_ = now + std::chrono::milliseconds(pause_ms_);
}

}  // namespace heng::infer
