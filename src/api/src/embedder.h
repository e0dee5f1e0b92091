#pragma once

#include <condition_variable>
#include <mutex>
#include <set>
#include <stop_token>
#include <thread>

#include "heng/contracts/knowledge.h"

namespace heng::api {

/// Computes the vectors of ingested documents in the background, one knowledge base after the other, so that an upload is
/// answered when its words can be found. Lifetime: the destructor stops at a batch's edge and joins; what is missing then is
/// computed after the next upload or by `heng ingest`. Thread-safe.
class Embedder {
 public:
  explicit Embedder(Knowledge& knowledge) : knowledge_(knowledge) {}
  ~Embedder() { close(); }
  void add(const KbName& kb);
  void close();

 private:
  void work(std::stop_token stop);

  Knowledge& knowledge_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::set<KbName> waiting_;
  std::jthread thread_;
  bool closed_ = false;
};

}  // namespace heng::api
