#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <string>

#include "heng/http/server.h"

namespace heng::http {

/// One request under way: where a worker and the connection meet. Shared by both, because either may end first.
/// The worker calls write() and finish(); the connection calls take() and abandon(). Thread-safe.
class Exchange final : public Stream {
 public:
  Exchange(std::size_t buffer_most, std::function<void()> wake, std::atomic<std::int64_t>& body_memory)
      : buffer_most_(buffer_most), wake_(std::move(wake)), body_memory_(body_memory) {}
  ~Exchange() override { body_memory_ -= reserved; }

  bool write(std::string_view bytes) override {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [this] { return closed_ || pending_.size() < buffer_most_; });
    if (closed_) return false;
    started_ = true;
    const bool was_empty = pending_.empty();
    pending_ += bytes;
    lock.unlock();
    if (was_empty) wake_();
    return true;
  }

  bool started() const override {
    std::lock_guard lock(mutex_);
    return started_;
  }

  void finish(Response answer) {
    {
      std::lock_guard lock(mutex_);
      response_ = std::move(answer);
      done_ = true;
    }
    wake_();
  }

  /// The work waits in a queue or runs; its head may be sent early.
  void announce(Response head) {
    {
      std::lock_guard lock(mutex_);
      head_ = std::move(head);
      streams_ = true;
    }
    wake_();
  }

  struct Taken {
    std::string bytes;
    bool started = false, done = false, streams = false;
  };
  Taken take() {
    Taken taken;
    std::lock_guard lock(mutex_);
    taken.bytes.swap(pending_);
    taken.started = started_;
    taken.done = done_;
    taken.streams = streams_;
    room_.notify_all();
    return taken;
  }
  Response head() const {
    std::lock_guard lock(mutex_);
    return head_;
  }
  Response& response() { return response_; }

  void abandon() {
    {
      std::lock_guard lock(mutex_);
      closed_ = true;
    }
    room_.notify_all();
    stop.request_stop();
  }
  bool abandoned() const {
    std::lock_guard lock(mutex_);
    return closed_;
  }

  Request request;
  std::stop_source stop;
  std::int64_t reserved = 0;  ///< Of the server's memory for bodies.

 private:
  const std::size_t buffer_most_;
  const std::function<void()> wake_;
  std::atomic<std::int64_t>& body_memory_;
  mutable std::mutex mutex_;
  std::condition_variable room_;
  std::string pending_;
  Response head_, response_;
  bool started_ = false, done_ = false, closed_ = false, streams_ = false;
};

}  // namespace heng::http
