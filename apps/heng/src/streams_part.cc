#include "streams_part.h"

#include <fmt/format.h>

#include <optional>

#include "heng/api/json.h"
#include "heng/store/keys.h"
#include "heng/streams/migrations.h"

namespace heng::app {
namespace {

/// Whether a task labels or extracts; what neither knows is said with what there is.
Result<TaskKind> resolve_task(const StreamReaders& readers, const std::string& task) {
  std::optional<Error> unknown;
  if (readers.tasks != nullptr) {
    auto info = readers.tasks->task(task);
    if (info.ok() && info->input == TaskInput::pair) return Error(ErrorCode::unsupported, fmt::format("task \"{}\" is about two entities at a time; a stream cannot ask it", task), "task");
    if (info.ok()) return info->input == TaskInput::entity ? TaskKind::events : info->kind;   // the extractor finds the entities
    unknown = info.error();
  }
  if (readers.extractor != nullptr) {
    auto tried = readers.extractor->extract({.tenant = {}, .task = task, .items = {}}, {});
    if (tried.ok()) return TaskKind::events;
    if (!unknown || tried.error().code != ErrorCode::not_found) unknown = tried.error();
  }
  return unknown ? *unknown : Error(ErrorCode::not_found, fmt::format("there is no task \"{}\": nothing that reads texts is here", task), "task");
}

}  // namespace

Result<std::unique_ptr<StreamsPart>> StreamsPart::create(const Config& config, const StreamReaders& readers, Audit* audit, bool deliver) {
  std::unique_ptr<StreamsPart> made(new StreamsPart());
  const auto master = HENG_TRY(store::load_master_key({.file = config.master_key}));
  std::error_code failed;
  std::filesystem::create_directories(config.data, failed);
  made->pool_ = HENG_TRY(store::Pool::open({.database = {.path = config.database("streams"), .key = store::derive_key(master, "database/streams")}, .readers = 8}, streams::migrations()));
  made->setup_ = std::make_unique<streams::SetupFile>(streams_file(config));
  streams::EngineSettings settings;
  settings.resolve = [readers](const std::string& task) { return resolve_task(readers, task); };
  settings.alert_json = [](const Alert& alert) { return api::to_json(alert); };
  if (readers.extractor != nullptr && resolve_task(readers, "entities").ok()) settings.entities_task = "entities";
  settings.tier = readers.tier;
  settings.provider = config.provider;
  settings.deliver = deliver;
  made->engine_ = HENG_TRY(streams::StreamEngine::create(std::move(settings), *made->pool_, *made->setup_, readers.labeller, readers.extractor, audit));
  return made;
}

std::vector<store::BackupPart> streams_backup(const Config& config, const store::SecretKey& master) {
  std::error_code none;
  if (!std::filesystem::exists(config.database("streams"), none)) return {};
  return {store::database_part("streams.db", config.database("streams"), store::derive_key(master, "database/streams"))};
}

}  // namespace heng::app
