#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

#include "heng/base/result.h"
#include "heng/contracts/stops.h"

namespace heng::pipeline {

/// Asks the stop buttons while a request waits for a model, so that a stop also ends one that is still reading its prompt, or
/// waits for its turn: where nothing is written, nobody else asks. Its token is stopped by the caller's stop or by a button.
///
/// Lifetime: of the request, outlived by `stops` (null: only the caller stops). Threads: one of its own, where there are buttons.
class HaltWatch {
 public:
  HaltWatch(const Stops* stops, StopQuestion question, std::stop_token caller, std::chrono::milliseconds every = std::chrono::milliseconds(100));
  ~HaltWatch();
  HaltWatch(const HaltWatch&) = delete;
  HaltWatch& operator=(const HaltWatch&) = delete;

  std::stop_token token() const { return source_.get_token(); }
  /// What the button says, once one was found pressed.
  std::optional<Error> halted() const;

 private:
  void run(const Stops& stops, const StopQuestion& question, std::chrono::milliseconds every, std::stop_token done);

  std::stop_source source_;
  mutable std::mutex mutex_;
  std::condition_variable_any wake_;
  std::optional<Error> halted_;
  struct Forward {
    std::stop_source source;
    void operator()() { source.request_stop(); }
  };
  std::stop_callback<Forward> forward_;
  std::jthread thread_;   // last: it uses the rest
};

}  // namespace heng::pipeline
