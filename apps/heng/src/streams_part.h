#pragma once

#include <filesystem>
#include <memory>

#include "config.h"
#include "heng/contracts/audit.h"
#include "heng/contracts/insight.h"
#include "heng/store/backup.h"
#include "heng/streams/engine.h"

namespace heng::app {

/// DIR/streams.toml: streams, watched names, alert rules, deliveries.
inline std::filesystem::path streams_file(const Config& config) { return config.folder / "streams.toml"; }

/// What reads the messages of streams; what is null is not there.
struct StreamReaders {
  Labeller* labeller = nullptr;
  const TaskCatalogue* tasks = nullptr;
  Extractor* extractor = nullptr;
  Tier tier = Tier::automatic;
};

/// The streams of one folder: database "streams", streams.toml and the engine on them. Lifetime: the readers and the ledger
/// outlive it.
class StreamsPart {
 public:
  static Result<std::unique_ptr<StreamsPart>> create(const Config& config, const StreamReaders& readers, Audit* audit, bool deliver);
  streams::StreamEngine& engine() { return *engine_; }

 private:
  StreamsPart() = default;
  std::unique_ptr<store::Pool> pool_;
  std::unique_ptr<streams::SetupFile> setup_;
  std::unique_ptr<streams::StreamEngine> engine_;
};

/// The database as a part of a backup; nothing where there is none yet.
std::vector<store::BackupPart> streams_backup(const Config& config, const store::SecretKey& master);

}  // namespace heng::app
