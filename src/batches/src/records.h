#pragma once

#include <string>

#include "heng/contracts/batches.h"
#include "heng/store/database.h"

namespace heng::batches {

/// A batch as it is stored.
struct BatchRow {
  std::int64_t number = 0;
  BatchInfo info;
  Principal principal;                ///< Who made it, as it was then.
  std::int64_t input = 0;             ///< Number of the input file.
  std::int64_t keep_output_s = 0;
};

std::string principal_to_text(const Principal& principal);
Principal principal_from_text(const std::string& text);

/// The columns that read_batch reads, in order.
extern const char* const batch_columns;
BatchRow read_batch(const store::Statement& row);
std::string problems_to_text(const std::vector<BatchProblem>& problems);
std::string metadata_to_text(const std::vector<std::pair<std::string, std::string>>& metadata);

extern const char* const file_columns;
/// A file as it is stored.
struct FileRow {
  std::int64_t number = 0, batch = 0, failed = 0;
  StoredFile file;
};
FileRow read_file(const store::Statement& row);

/// Numbers of the lines that are answered.
Result<std::vector<std::int64_t>> answered_lines(store::Database& db, std::int64_t batch);

}  // namespace heng::batches
