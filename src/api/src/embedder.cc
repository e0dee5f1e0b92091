#include "embedder.h"

#include "heng/base/log.h"

namespace heng::api {

void Embedder::add(const KbName& kb) {
  std::lock_guard lock(mutex_);
  if (closed_) return;
  waiting_.insert(kb);
  if (!thread_.joinable()) thread_ = std::jthread([this](std::stop_token stop) { work(stop); });
  wake_.notify_one();
}

void Embedder::close() {
  std::jthread thread;
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
    thread.swap(thread_);
  }
  thread.request_stop();
  wake_.notify_all();
}

void Embedder::work(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  while (wake_.wait(lock, stop, [this] { return !waiting_.empty(); })) {
    const KbName kb = *waiting_.begin();
    waiting_.erase(waiting_.begin());
    lock.unlock();
    const auto done = knowledge_.embed_pending(kb, [](int, int) {}, stop);
    if (!done && done.error().code != ErrorCode::cancelled && done.error().code != ErrorCode::not_found)
      log::warn("embedding_failed", {{"code", std::string(to_string(done.error().code))}, {"reason", done.error().message}});
    lock.lock();
  }
}

}  // namespace heng::api
