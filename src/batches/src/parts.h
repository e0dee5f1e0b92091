#pragma once

#include "heng/batches/engine.h"
#include "records.h"
#include "runner.h"

namespace heng::batches {

struct BatchEngine::Parts {
  BatchSettings settings;
  store::Pool& pool;
  const Clock& clock;
  Random& random;
  std::unique_ptr<Runner> runner;
  BatchExecutor* executor = nullptr;
  int lock = -1;                      ///< Descriptor of the lock file.
};

/// "file-3f…": a prefix and 24 hex digits.
std::string new_id(const char* prefix, Random& random);

/// The file, where the principal may see it. Errors: not_found.
Result<FileRow> find_file(store::Database& db, const Principal& who, const std::string& id);
Result<BatchRow> find_batch(store::Database& db, const Principal& who, const std::string& id);

}  // namespace heng::batches
