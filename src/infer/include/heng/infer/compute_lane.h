#pragma once

#include <functional>
#include <memory>

#include "heng/contracts/inference.h"
#include "heng/infer/thread_governor.h"

namespace heng::infer {

/// The one thread on which tensor computations run, shared by all models of a process. Engines hand it one step at a
/// time, so two models never fight over the cores: with OpenMP two busy teams spin at each other's barriers, which costs
/// more than ten times their speed.
///
/// Order: interactive before batch, first come first served within each. While somebody holds an `InteractiveHold`,
/// batch work gets a bounded share of the time only.
/// Thread-safe. Lives as long as the last engine that uses it.
class ComputeLane {
 public:
  static std::shared_ptr<ComputeLane> create();
  ~ComputeLane();
  ComputeLane(const ComputeLane&) = delete;
  ComputeLane& operator=(const ComputeLane&) = delete;

  /// Runs `work` on the lane's thread and returns when it is done. `work` must not throw or call run().
  void run(Priority priority, const std::function<void()>& work);

  /// Asked and told by the work itself about its threads.
  ThreadGovernor& governor() { return governor_; }

  /// While it lives, batch work steps back: interactive work is in progress even if none is queued this instant.
  class InteractiveHold {
   public:
    explicit InteractiveHold(ComputeLane& lane);
    ~InteractiveHold();
    InteractiveHold(const InteractiveHold&) = delete;
    InteractiveHold& operator=(const InteractiveHold&) = delete;

   private:
    ComputeLane& lane_;
  };

 private:
  ComputeLane();
  ThreadGovernor governor_;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace heng::infer
