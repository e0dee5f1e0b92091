#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace heng::http {

/// Threads over a bounded queue, started when needed. Lifetime: close() (or the destructor) finishes what is queued and
/// joins. Thread-safe.
class Pool {
 public:
  Pool(std::string name, int threads, int queue) : name_(std::move(name)), threads_most_(threads), queue_most_(queue) {}
  ~Pool() { close(); }

  struct Task {
    std::function<void()> run;
    std::function<bool()> is_dead;  ///< Nobody waits for it any more: it gives way when the queue is full.
  };
  /// False: the queue is full or the pool closed; nothing was taken.
  bool submit(Task task);
  void close();
  int queued() const;
  int running() const;

 private:
  void work();

  const std::string name_;
  const int threads_most_, queue_most_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Task> queue_;
  std::vector<std::thread> threads_;
  int idle_ = 0, running_ = 0;
  bool closed_ = false;
};

}  // namespace heng::http
