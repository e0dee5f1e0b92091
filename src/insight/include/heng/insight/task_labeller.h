#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "heng/contracts/inference.h"
#include "heng/contracts/insight.h"

namespace heng::insight {

struct TaskLabellerSettings {
  std::filesystem::path folder;       ///< Of the task files NAME.task.
  int threads = 0;                    ///< For the linear stage of large batches; 0: one per core.
};

/// Labels texts with the trained tasks of one folder. Task files are read at first use and again when they change.
/// Thread-safe. `inference` (may be null: linear stages only) must outlive it.
class TaskLabeller final : public Labeller, public TaskCatalogue {
 public:
  TaskLabeller(TaskLabellerSettings settings, Inference* inference);
  ~TaskLabeller() override;
  Result<LabelOutcomes> label(const LabelRequest& request, std::stop_token stop) override;
  Result<std::vector<TaskInfo>> tasks() const override;
  Result<TaskInfo> task(const std::string& name) const override;
  std::filesystem::path path(const std::string& name) const { return settings_.folder / (name + ".task"); }

 private:
  struct Loaded;
  Result<std::shared_ptr<const Loaded>> load(const std::string& name) const;

  TaskLabellerSettings settings_;
  Inference* inference_;
  mutable std::mutex mutex_;
  mutable std::map<std::string, std::shared_ptr<const Loaded>> loaded_;
};

}  // namespace heng::insight
