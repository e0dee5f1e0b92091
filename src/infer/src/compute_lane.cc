#include "heng/infer/compute_lane.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace heng::infer {
namespace {

// while interactive work is going on, batch work runs at most one step in this time
constexpr auto batch_interval = std::chrono::milliseconds(500);

struct Work {
  const std::function<void()>* call;
  bool done = false;
};

}  // namespace

struct ComputeLane::Impl {
  std::mutex mutex;
  std::condition_variable arrived, finished;
  std::deque<Work*> interactive, batch;
  int holds = 0;
  SteadyTime last_batch{};
  bool stopping = false;
  std::thread thread;

  bool batch_may_run() const {
    return !batch.empty() && (holds == 0 || std::chrono::steady_clock::now() - last_batch >= batch_interval);
  }

  void loop() {
    std::unique_lock lock(mutex);
    for (;;) {
      // a starved batch step goes first once per interval, else a busy chat would stop it for good
      Work* work = nullptr;
      bool from_batch = false;
      const bool starved = holds > 0 && batch_may_run();
      if (!interactive.empty() && !starved) {
        work = interactive.front();
        interactive.pop_front();
      } else if (batch_may_run()) {
        work = batch.front();
        batch.pop_front();
        from_batch = true;
      }
      if (work) {
        lock.unlock();
        (*work->call)();
        lock.lock();
        if (from_batch) last_batch = std::chrono::steady_clock::now();
        work->done = true;
        finished.notify_all();
        continue;
      }
      if (stopping) return;
      if (batch.empty()) arrived.wait(lock);
      else arrived.wait_until(lock, last_batch + batch_interval);
    }
  }
};

std::shared_ptr<ComputeLane> ComputeLane::create() { return std::shared_ptr<ComputeLane>(new ComputeLane()); }

ComputeLane::ComputeLane() : impl_(std::make_unique<Impl>()) {
  impl_->thread = std::thread([impl = impl_.get()] { impl->loop(); });
}

ComputeLane::~ComputeLane() {
  {
    std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
    impl_->arrived.notify_all();
  }
  impl_->thread.join();
}

void ComputeLane::run(Priority priority, const std::function<void()>& call) {
  Work work{&call};
  std::unique_lock lock(impl_->mutex);
  (priority == Priority::interactive ? impl_->interactive : impl_->batch).push_back(&work);
  impl_->arrived.notify_one();
  impl_->finished.wait(lock, [&] { return work.done; });
}

ComputeLane::InteractiveHold::InteractiveHold(ComputeLane& lane) : lane_(lane) {
  std::lock_guard lock(lane_.impl_->mutex);
  if (lane_.impl_->holds++ == 0) lane_.impl_->last_batch = std::chrono::steady_clock::now();
}

ComputeLane::InteractiveHold::~InteractiveHold() {
  std::lock_guard lock(lane_.impl_->mutex);
  --lane_.impl_->holds;
  lane_.impl_->arrived.notify_one();
}

}  // namespace heng::infer
