#include "pool.h"

#include <pthread.h>

#include <algorithm>
#include <exception>
#include <system_error>

#include "heng/base/log.h"

namespace heng::http {

bool Pool::submit(Task task) {
  std::lock_guard lock(mutex_);
  if (closed_) return false;
  if (static_cast<int>(queue_.size()) >= queue_most_) {
    std::erase_if(queue_, [](const Task& queued) { return queued.is_dead && queued.is_dead(); });
    if (static_cast<int>(queue_.size()) >= queue_most_) return false;
  }
  if (idle_ <= static_cast<int>(queue_.size()) && static_cast<int>(threads_.size()) < threads_most_) {
    try {
      threads_.emplace_back([this] { work(); });
    } catch (const std::system_error& error) {
      log::warn("http_thread_failed", {{"pool", name_}, {"reason", error.what()}});
      if (threads_.empty()) return false;
    }
  }
  queue_.push_back(std::move(task));
  wake_.notify_one();
  return true;
}

void Pool::work() {
  pthread_setname_np(pthread_self(), name_.substr(0, 15).c_str());
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    wake_.wait(lock, [this] { return closed_ || !queue_.empty(); });
    --idle_;
    if (queue_.empty()) return;
    auto task = std::move(queue_.front());
    queue_.pop_front();
    ++running_;
    lock.unlock();
    task.run();
    task = {};
    lock.lock();
    --running_;
  }
}

void Pool::close() {
  std::vector<std::thread> threads;
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
    threads.swap(threads_);
  }
  wake_.notify_all();
  for (auto& thread : threads) thread.join();
}

int Pool::queued() const {
  std::lock_guard lock(mutex_);
  return static_cast<int>(queue_.size());
}

int Pool::running() const {
  std::lock_guard lock(mutex_);
  return running_;
}

}  // namespace heng::http
