#include "halt_watch.h"

#include <utility>

namespace heng::pipeline {

HaltWatch::HaltWatch(const Stops* stops, StopQuestion question, std::stop_token caller, std::chrono::milliseconds every) : forward_(std::move(caller), Forward{source_}) {
  if (stops == nullptr) return;
  thread_ = std::jthread([this, stops, question = std::move(question), every](std::stop_token done) { run(*stops, question, every, std::move(done)); });
}

HaltWatch::~HaltWatch() {
  thread_.request_stop();
  wake_.notify_all();
}

std::optional<Error> HaltWatch::halted() const {
  const std::lock_guard lock(mutex_);
  return halted_;
}

void HaltWatch::run(const Stops& stops, const StopQuestion& question, std::chrono::milliseconds every, std::stop_token done) {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, done, every, [&] { return done.stop_requested(); }) && !done.stop_requested()) {
    lock.unlock();
    auto may = stops.check(question);
    lock.lock();
    if (may.ok()) continue;
    halted_ = may.error();
    lock.unlock();
    source_.request_stop();
    return;
  }
}

}  // namespace heng::pipeline
