#include "heng/infer/compute_lane.h"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <thread>

namespace heng::infer {
namespace {

using namespace std::chrono_literals;

TEST(ComputeLane, RunsOneWorkAtATimeInteractiveFirst) {
  auto lane = ComputeLane::create();
  std::mutex mutex;
  std::vector<std::string> order;
  std::atomic<int> inside = 0, queued = 0;
  const auto work = [&](Priority priority, const std::string& name) {
    return std::jthread([&, priority, name] {
      ++queued;
      lane->run(priority, [&] {
        EXPECT_EQ(++inside, 1);
        std::lock_guard lock(mutex);
        order.push_back(name);
        --inside;
      });
    });
  };
  std::vector<std::jthread> threads;
  std::atomic<bool> go = false;
  std::jthread blocker([&] { lane->run(Priority::interactive, [&] { while (!go) std::this_thread::sleep_for(1ms); }); });
  std::this_thread::sleep_for(20ms);
  for (int i = 0; i < 3; ++i) threads.push_back(work(Priority::batch, "batch"));
  while (queued < 3) std::this_thread::sleep_for(1ms);
  std::this_thread::sleep_for(20ms);
  for (int i = 0; i < 3; ++i) threads.push_back(work(Priority::interactive, "interactive"));
  while (queued < 6) std::this_thread::sleep_for(1ms);
  std::this_thread::sleep_for(20ms);
  go = true;
  threads.clear();
  ASSERT_EQ(order.size(), 6u);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(order[i], "interactive");
}

TEST(ComputeLane, BatchStepsBackWhileInteractiveWorkGoesOn) {
  auto lane = ComputeLane::create();
  auto hold = std::make_unique<ComputeLane::InteractiveHold>(*lane);
  std::atomic<int> steps = 0;
  std::atomic<bool> stop = false;
  std::jthread batch([&] { while (!stop) lane->run(Priority::batch, [&] { ++steps; }); });
  std::this_thread::sleep_for(1300ms);
  EXPECT_GE(steps, 1);   // not starved
  EXPECT_LE(steps, 4);   // but rare
  hold.reset();
  std::this_thread::sleep_for(100ms);
  EXPECT_GT(steps, 20);  // free again
  stop = true;
}

TEST(ThreadGovernor, UsesOneThreadWhileCoresAreCrowded) {
  ThreadGovernor governor;
  SteadyTime now{1000s};
  EXPECT_EQ(governor.threads(2, now), 2);
  governor.report(2, 90, 100, now);
  EXPECT_EQ(governor.threads(2, now), 2);
  governor.report(2, 40, 100, now);
  EXPECT_EQ(governor.threads(2, now + 1ms), 1);
  EXPECT_EQ(governor.threads(2, now + 600ms), 2);  // tries again
  now += 600ms;
  governor.report(2, 40, 100, now);
  EXPECT_EQ(governor.threads(2, now + 900ms), 1);  // waits longer
  governor.report(1, 10, 100, now);                // one thread says nothing about two
  EXPECT_EQ(governor.threads(2, now + 1100ms), 2);
  governor.report(2, 1, 2, now + 1100ms);          // too short to tell
  EXPECT_EQ(governor.threads(2, now + 1100ms), 2);
  EXPECT_EQ(governor.threads(1, now), 1);
}

}  // namespace
}  // namespace heng::infer
