#include "extractors.h"

#include <fmt/format.h>

#include <algorithm>

#include "heng/insight_entities/reader.h"
#include "heng/insight_events/model.h"

namespace heng::app {

namespace fs = std::filesystem;

fs::path event_model_path(const fs::path& tasks_folder, const std::string& task) { return tasks_folder / (task + ".events"); }

Extractors::Extractors(fs::path tasks_folder, fs::path companies, int threads)
    : folder_(std::move(tasks_folder)), companies_(std::move(companies)), threads_(std::max(1, threads)) {}
Extractors::~Extractors() = default;

std::string Extractors::known_tasks() const {
  std::vector<std::string> names{entities_task};
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder_, none)) {
    if (entry.path().extension() == ".events") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  std::string out;
  for (const auto& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

Result<std::shared_ptr<const insight_events::EventModel>> Extractors::model(const std::string& task) {
  const bool is_name = !task.empty() && task.size() <= 64 &&
                       std::all_of(task.begin(), task.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
  const fs::path path = event_model_path(folder_, task);
  std::error_code failed;
  const auto written = is_name ? fs::last_write_time(path, failed) : fs::file_time_type{};
  if (!is_name || failed) {
    return Error(ErrorCode::not_found, fmt::format("there is no extraction task \"{}\"; there are: {}. `heng train --kind events` makes one", task.substr(0, 80), known_tasks()), "task");
  }
  const std::lock_guard lock(mutex_);
  Loaded& loaded = models_[task];
  if (!loaded.model || loaded.written != written) {
    loaded.model = HENG_TRY(insight_events::EventModel::load(path));
    loaded.written = written;
  }
  return loaded.model;
}

Result<std::shared_ptr<const insight_entities::EntityReader>> Extractors::entities() {
  const std::lock_guard lock(mutex_);
  if (!entities_) {
    auto directory = HENG_TRY(insight_entities::Directory::built_in());
    if (fs::exists(companies_)) HENG_TRY(directory.add_file(companies_));
    entities_ = std::make_shared<insight_entities::EntityReader>(std::move(directory));
  }
  return entities_;
}

Result<ExtractionOutcomes> Extractors::extract(const ExtractRequest& request, std::stop_token stop) {
  if (request.task != entities_task) {
    const auto trained = HENG_TRY(model(request.task));
    return trained->extract(request.items, request.minimum_confidence, threads_, stop);
  }
  const auto reader = HENG_TRY(entities());
  ExtractionOutcomes out;
  for (const auto& item : request.items) {
    if (stop.stop_requested()) return Error(ErrorCode::cancelled, "stopped");
    auto found = reader->read(item.text);
    if (found.ok()) out.emplace_back(ExtractionResult{.events = {}, .entities = std::move(*found), .tier = Tier::linear});
    else out.emplace_back(std::move(found).error());
  }
  return out;
}

}  // namespace heng::app
