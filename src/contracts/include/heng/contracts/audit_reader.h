#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "heng/base/result.h"
#include "heng/contracts/principal.h"

namespace heng {

/// The port to reading the ledger. Thread-safe; may read the disk. A principal sees the records of its own tenant only
/// (others: not_found). Every text returned is one JSON object in UTF-8. Errors: not_found, corrupt, unavailable.
class AuditReader {
 public:
  virtual ~AuditReader() = default;
  /// The newest records, newest first, at most `limit`; with `before` >= 0 only records with a lower index.
  virtual Result<std::vector<std::string>> tail(const Principal&, int limit, std::int64_t before) = 0;
  /// One record in full: {"index", "opened", …, "closed", …}.
  virtual Result<std::string> get(const Principal&, std::int64_t index) = 0;
  /// The latest signed checkpoint: {"checkpoint": signed note, "size", "root"}.
  virtual Result<std::string> checkpoint() = 0;
  /// Inclusion proof of a record in the latest checkpoint: {"index", "size", "leaf", "hashes", "checkpoint"}.
  virtual Result<std::string> proof(const Principal&, std::int64_t index) = 0;
};

}  // namespace heng
