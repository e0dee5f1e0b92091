#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>

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

/// Extraction by task: "entities" by rules and the directory, all others by their trained event model, loaded when first
/// asked for and again when its file has changed. Thread-safe.
class Extractors final : public Extractor {
 public:
  /// `companies`: the institution's own directory (CSV); it need not exist.
  Extractors(std::filesystem::path tasks_folder, std::filesystem::path companies, int threads);
  ~Extractors() override;
  Result<ExtractionOutcomes> extract(const ExtractRequest& request, std::stop_token stop) override;

 private:
  struct Loaded {
    std::shared_ptr<const insight_events::EventModel> model;
    std::filesystem::file_time_type written;
  };
  Result<std::shared_ptr<const insight_events::EventModel>> model(const std::string& task);
  Result<std::shared_ptr<const insight_entities::EntityReader>> entities();
  std::string known_tasks() const;

  const std::filesystem::path folder_, companies_;
  const int threads_;
  std::mutex mutex_;
  std::map<std::string, Loaded> models_;
  std::shared_ptr<const insight_entities::EntityReader> entities_;
};

}  // namespace heng::app
