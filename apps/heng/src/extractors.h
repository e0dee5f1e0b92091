#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "heng/contracts/insight.h"

namespace heng::insight_entities {
class EntityReader;
}
namespace heng::insight_events {
class EventModel;
}

namespace heng::app {

/// The task that needs no training: companies, codes, people, amounts, dates, rates.
inline constexpr const char* entities_task = "entities";

/// Where the trained event extractor of a task is: <data>/tasks/NAME.events.
std::filesystem::path event_model_path(const std::filesystem::path& tasks_folder, const std::string& task);

/// The extraction tasks of a folder: the trained event models, and "entities". Files that cannot be read are left out.
std::vector<TaskInfo> extraction_tasks(const std::filesystem::path& tasks_folder);

/// The labelling tasks of a folder and its extraction tasks. Lifetime: the labelling ones outlive it. Thread-safe.
class TaskList final : public TaskCatalogue {
 public:
  TaskList(const TaskCatalogue& labelling, std::filesystem::path tasks_folder) : labelling_(labelling), folder_(std::move(tasks_folder)) {}
  Result<std::vector<TaskInfo>> tasks() const override;
  Result<TaskInfo> task(const std::string& name) const override;

 private:
  const TaskCatalogue& labelling_;
  const std::filesystem::path folder_;
};

/// Extraction by task: "entities" by rules and the directory; a labelling task about entities: the companies so found, each with the
/// task's label for it in this text; all others by their trained event model, loaded when first asked for and again when its file has
/// changed. Thread-safe.
class Extractors final : public Extractor {
 public:
  /// `companies`: the institution's own directory (CSV); it need not exist. `labeller` and `tasks` may be null: then no task about
  /// entities is answered.
  Extractors(std::filesystem::path tasks_folder, std::filesystem::path companies, int threads, Labeller* labeller = nullptr, const TaskCatalogue* tasks = nullptr);
  ~Extractors() override;
  Result<ExtractionOutcomes> extract(const ExtractRequest& request, std::stop_token stop) override;
  /// Whether the task gives entities, not events.
  bool finds_entities(const std::string& task) const { return task == entities_task || is_about_entities(task); }

 private:
  struct Loaded {
    std::shared_ptr<const insight_events::EventModel> model;
    std::filesystem::file_time_type written;
  };
  bool is_about_entities(const std::string& task) const;
  Result<ExtractionOutcomes> label_entities(const ExtractRequest& request, std::stop_token stop);
  Result<std::shared_ptr<const insight_events::EventModel>> model(const std::string& task);
  Result<std::shared_ptr<const insight_entities::EntityReader>> entities();
  std::string known_tasks() const;

  const std::filesystem::path folder_, companies_;
  const int threads_;
  Labeller* const labeller_;
  const TaskCatalogue* const tasks_;
  std::mutex mutex_;
  std::map<std::string, Loaded> models_;
  std::shared_ptr<const insight_entities::EntityReader> entities_;
};

}  // namespace heng::app
