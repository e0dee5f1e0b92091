#pragma once

#include <cstdint>
#include <memory>

#include "heng/base/clock.h"
#include "heng/contracts/batches.h"
#include "heng/store/pool.h"

namespace heng::batches {

struct BatchSettings {
  std::size_t file_bytes = 100u << 20;            ///< Largest file.
  std::int64_t tenant_bytes = 2LL << 30;          ///< Of all files of a tenant, results included.
  int tenant_files = 10'000;
  int lines = 50'000;                             ///< Of a batch; as OpenAI's.
  std::size_t line_bytes = 8u << 20;              ///< As the largest body of a request.
  int tenant_batches = 20;                        ///< Running or waiting at once.
  std::int64_t output_bytes = 1LL << 30;          ///< Of a batch's results; beyond, it ends as failed.
  int parallel = 4;                               ///< Lines answered at once, of all batches together.
  std::int64_t keep_s = 30 * 86'400;              ///< How long files are kept unless said otherwise.
  std::int64_t save_interval_ms = 200;            ///< Cheap answers are stored together, at least so often.
  std::int64_t retry_most_ms = 30'000;            ///< Longest pause after "not now".
  int worker_niceness = 10;                       ///< Of the threads that work, behind everything interactive.
};

/// Files and batches in one database. Lifetime: the pool, clock and random source outlive it. Threads: safe. The batches with
/// work left take turns, line by line; what is answered is stored at once (cheap answers within `save_interval_ms`), so that a
/// killed process answers at most those lines again, and no line stands twice in a result.
class BatchEngine final : public Batches {
 public:
  BatchEngine(BatchSettings settings, store::Pool& pool, const Clock& clock = system_clock(), Random& random = system_random());
  ~BatchEngine() override;

  Result<StoredFile> add_file(const Principal&, const NewFile&) override;
  Result<Page<StoredFile>> files(const Principal&, const FileQuery&) override;
  Result<StoredFile> file(const Principal&, const std::string& id) override;
  Result<void> content(const Principal&, const std::string& id, const std::function<bool(std::string_view)>& sink) override;
  Result<void> remove_file(const Principal&, const std::string& id) override;
  Result<BatchInfo> create(const Principal&, const NewBatch&) override;
  Result<BatchInfo> batch(const Principal&, const std::string& id) override;
  Result<Page<BatchInfo>> batches(const Principal&, const std::string& after, int limit) override;
  Result<BatchInfo> cancel(const Principal&, const std::string& id) override;
  /// Errors: conflict (another process works on the batches of this database), those of the store.
  Result<void> serve(BatchExecutor& executor) override;
  void close() override;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace heng::batches
