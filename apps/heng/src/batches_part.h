#pragma once

#include <memory>
#include <vector>

#include "config.h"
#include "heng/batches/engine.h"
#include "heng/store/backup.h"

namespace heng::app {

/// Files and batches of one folder: database "batches" and the engine on it.
class BatchesPart {
 public:
  static Result<std::unique_ptr<BatchesPart>> create(const Config& config);
  batches::BatchEngine& engine() { return *engine_; }

 private:
  BatchesPart() = default;
  std::unique_ptr<store::Pool> pool_;
  std::unique_ptr<batches::BatchEngine> engine_;
};

/// The database as a part of a backup; nothing where there is none yet.
std::vector<store::BackupPart> batches_backup(const Config& config, const store::SecretKey& master);

/// Deletes the files and batches of a data subject; returns how many.
Result<int> erase_from_batches(const Config& config, const store::SecretKey& master, const TenantId& tenant, const std::string& subject);

}  // namespace heng::app
