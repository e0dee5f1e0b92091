#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "heng/base/ids.h"
#include "heng/base/result.h"
#include "heng/contracts/inference.h"
#include "heng/contracts/principal.h"

namespace heng {

/// A file of requests, or of a batch's results. OpenAI's file object.
struct StoredFile {
  std::string id;                     ///< "file-" and 24 hex digits.
  std::string name;
  std::string purpose;                ///< "batch" or "batch_output".
  std::string sha256;
  std::int64_t bytes = 0;
  std::int64_t created_ms = 0, expires_ms = 0;
};

struct NewFile {
  std::string name, purpose;
  std::string_view bytes;             ///< JSON Lines.
  std::int64_t keep_s = 0;            ///< 0: the default.
};

struct FileQuery {
  std::string purpose;                ///< Empty: all.
  std::string after;                  ///< Begin behind this id; empty: at the first.
  int limit = 10'000;
  bool oldest_first = false;
};

template <class T>
struct Page {
  std::vector<T> items;
  bool more = false;
};

enum class BatchStatus { validating, in_progress, finalizing, completed, failed, expired, cancelling, cancelled };
inline std::string_view to_string(BatchStatus status) {
  constexpr std::string_view names[] = {"validating", "in_progress", "finalizing", "completed", "failed", "expired", "cancelling", "cancelled"};
  return names[static_cast<int>(status)];
}
/// Nothing of it runs any more.
inline bool is_over(BatchStatus s) { return s == BatchStatus::completed || s == BatchStatus::failed || s == BatchStatus::expired || s == BatchStatus::cancelled; }

struct BatchProblem {
  std::string code, message, param;
  std::int64_t line = 0;              ///< Of the input file, from 1; 0: of the whole.
};

/// OpenAI's batch object.
struct BatchInfo {
  std::string id;                     ///< "batch_" and 24 hex digits.
  std::string endpoint;               ///< "/v1/label" …
  std::string input_file, output_file, error_file;  ///< Ids; empty: none (yet).
  std::string window;                 ///< As given: "24h".
  BatchStatus status = BatchStatus::validating;
  std::vector<std::pair<std::string, std::string>> metadata;
  std::vector<BatchProblem> problems; ///< The first hundred lines that could not be read, and why a batch failed.
  std::int64_t total = 0, completed = 0, failed = 0;
  Usage usage;
  std::int64_t created_ms = 0, in_progress_ms = 0, expires_ms = 0, finalizing_ms = 0, completed_ms = 0, failed_ms = 0, expired_ms = 0, cancelling_ms = 0, cancelled_ms = 0;
};

struct NewBatch {
  std::string endpoint, input_file, window = "24h";
  std::vector<std::pair<std::string, std::string>> metadata;
  std::int64_t keep_output_s = 0;     ///< 0: the default.
};

/// One line's request on its way to the interface that would have answered it.
struct BatchCall {
  Principal principal;
  RequestId request;
  std::string endpoint, body;
};
struct BatchAnswer {
  int status = 200;
  std::string body;                   ///< JSON, one line.
  long retry_after_ms = 0;            ///< > 0: not now (a quota is used up, a queue is full, a stop button is pressed); nothing was answered.
  int most_tries = 0;                 ///< After so many the answer stands as it is; 0: no limit.
};

/// Who answers the lines. Implemented by the HTTP interface with the handlers of its own routes, so that a line gets what the
/// same request would have got: rights, guards, records, quotas. Thread-safe.
class BatchExecutor {
 public:
  virtual ~BatchExecutor() = default;
  /// Whether the principal may (still) use the endpoint. Errors: unsupported, permission_denied, unauthenticated (its key is gone).
  virtual Result<void> may(const Principal&, const std::string& endpoint) = 0;
  virtual BatchAnswer run(const BatchCall&, std::stop_token stop) = 0;
  /// The batch is about to end like this; puts it on record. Errors: unavailable (it must not end yet).
  virtual Result<void> ending(const Principal&, const BatchInfo&) = 0;
};

/// The port to files and batches. Thread-safe. A principal sees what its user made in its tenant, an administrator what the
/// tenant made.
class Batches {
 public:
  virtual ~Batches() = default;
  /// Errors: invalid_argument (purpose, kind of file), too_large, rate_limited (the tenant's space or number of files).
  virtual Result<StoredFile> add_file(const Principal&, const NewFile&) = 0;
  /// Errors: not_found (`after`).
  virtual Result<Page<StoredFile>> files(const Principal&, const FileQuery&) = 0;
  virtual Result<StoredFile> file(const Principal&, const std::string& id) = 0;
  /// The bytes, piece by piece, until `sink` returns false.
  virtual Result<void> content(const Principal&, const std::string& id, const std::function<bool(std::string_view)>& sink) = 0;
  /// Errors: not_found, conflict (a batch reads it; says which).
  virtual Result<void> remove_file(const Principal&, const std::string& id) = 0;

  /// Errors: not_found (file), invalid_argument, permission_denied (the endpoint), rate_limited (too many batches at once).
  virtual Result<BatchInfo> create(const Principal&, const NewBatch&) = 0;
  virtual Result<BatchInfo> batch(const Principal&, const std::string& id) = 0;
  /// Newest first.
  virtual Result<Page<BatchInfo>> batches(const Principal&, const std::string& after, int limit) = 0;
  /// Errors: not_found, conflict (over, or its results are being written).
  virtual Result<BatchInfo> cancel(const Principal&, const std::string& id) = 0;

  /// Begins to work, with what an ended process left undone first. Once; `executor` lives until close() has returned.
  virtual Result<void> serve(BatchExecutor& executor) = 0;
  /// Stops at the next edge of what runs; the next serve() goes on from there.
  virtual void close() = 0;
};

}  // namespace heng
