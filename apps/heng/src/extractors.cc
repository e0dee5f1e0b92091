#include "extractors.h"

#include <fmt/format.h>

#include <algorithm>

#include "heng/insight_entities/reader.h"
#include "heng/insight_events/model.h"

namespace heng::app {

namespace fs = std::filesystem;

fs::path event_model_path(const fs::path& tasks_folder, const std::string& task) { return tasks_folder / (task + ".events"); }

std::vector<TaskInfo> extraction_tasks(const fs::path& tasks_folder) {
  std::vector<TaskInfo> out;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(tasks_folder, none)) {
    if (entry.path().extension() != ".events") continue;
    auto card = insight_events::EventModel::card_of(entry.path());
    if (!card.ok()) continue;
    TaskInfo info;
    info.name = entry.path().stem().string();
    info.kind = TaskKind::events;
    info.description = "Events with triggers and roles.";
    info.labels = std::move(card->types);
    info.roles = std::move(card->roles);
    info.tiers = info.automatic = {Tier::encoder};
    info.metrics = std::move(card->metrics);
    info.data_sha256 = std::move(card->data_sha256);
    info.rows = card->rows;
    info.trained_ms = card->trained_ms;
    out.push_back(std::move(info));
  }
  TaskInfo entities;
  entities.name = entities_task;
  entities.kind = TaskKind::events;
  entities.description = "Companies, security codes, people, amounts, quantities, dates and rates, by rules and the directory.";
  entities.labels = {"company", "security", "person", "amount", "quantity", "date", "rate"};
  entities.tiers = entities.automatic = {Tier::linear};
  out.push_back(std::move(entities));
  std::sort(out.begin(), out.end(), [](const TaskInfo& a, const TaskInfo& b) { return a.name < b.name; });
  return out;
}

Result<std::vector<TaskInfo>> TaskList::tasks() const {
  auto out = HENG_TRY(labelling_.tasks());
  for (auto& info : extraction_tasks(folder_)) out.push_back(std::move(info));
  return out;
}

Result<TaskInfo> TaskList::task(const std::string& name) const {
  auto found = labelling_.task(name);
  if (found.ok()) return found;
  for (auto& info : extraction_tasks(folder_))
    if (info.name == name) return std::move(info);
  return found;
}

Extractors::Extractors(fs::path tasks_folder, fs::path companies, int threads, Labeller* labeller, const TaskCatalogue* tasks)
    : folder_(std::move(tasks_folder)), companies_(std::move(companies)), threads_(std::max(1, threads)), labeller_(labeller), tasks_(tasks) {}
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

bool Extractors::is_about_entities(const std::string& task) const {
  if (labeller_ == nullptr || tasks_ == nullptr) return false;
  const auto info = tasks_->task(task);
  return info.ok() && info->kind == TaskKind::label && info->input == TaskInput::entity;
}

/// The companies of each text, each name once, with the label that the task gives it there.
Result<ExtractionOutcomes> Extractors::label_entities(const ExtractRequest& request, std::stop_token stop) {
  const auto reader = HENG_TRY(entities());
  LabelRequest asked{.tenant = request.tenant, .task = request.task, .tier = request.tier, .abstain_below = request.minimum_confidence};
  ExtractionOutcomes out;
  std::vector<std::pair<std::size_t, std::size_t>> places;
  for (std::size_t i = 0; i < request.items.size(); ++i) {
    auto found = reader->read(request.items[i].text);
    if (!found.ok()) {
      out.emplace_back(std::move(found).error());
      continue;
    }
    ExtractionResult result;
    for (auto& entity : *found) {
      const bool known = std::any_of(result.entities.begin(), result.entities.end(), [&](const Entity& e) { return e.word == entity.word; });
      if (entity.type != "company" || known) continue;
      places.emplace_back(i, result.entities.size());
      asked.items.push_back({"", request.items[i].text, entity.word, ""});
      result.entities.push_back(std::move(entity));
    }
    out.emplace_back(std::move(result));
  }
  if (asked.items.empty()) return out;
  const auto labelled = HENG_TRY(labeller_->label(asked, stop));
  for (std::size_t i = 0; i < labelled.size(); ++i) {
    const auto [text, entity] = places[i];
    if (!labelled[i].ok()) {
      out[text] = labelled[i].error();
      continue;
    }
    if (!out[text].ok()) continue;
    out[text]->tier = labelled[i]->tier;
    out[text]->entities[entity].label = labelled[i]->label;
    out[text]->entities[entity].confidence = labelled[i]->confidence;
  }
  return out;
}

Result<ExtractionOutcomes> Extractors::extract(const ExtractRequest& request, std::stop_token stop) {
  if (request.task != entities_task && is_about_entities(request.task)) return label_entities(request, stop);
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
