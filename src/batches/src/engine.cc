#include "heng/batches/engine.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "parts.h"

namespace heng::batches {

BatchEngine::BatchEngine(BatchSettings settings, store::Pool& pool, const Clock& clock, Random& random) : parts_(new Parts{settings, pool, clock, random, nullptr, nullptr}) {}
BatchEngine::~BatchEngine() { close(); }

Result<void> BatchEngine::serve(BatchExecutor& executor) {
  // one process works on the batches of a folder; the lock goes with the process
  const auto lock = parts_->pool.path().string() + ".lock";
  parts_->lock = ::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (parts_->lock < 0) return Error(ErrorCode::internal, "cannot make " + lock);
  if (::flock(parts_->lock, LOCK_EX | LOCK_NB) != 0) return Error(ErrorCode::conflict, "another process works on the batches of this folder (" + lock + " is locked)");
  std::vector<std::int64_t> open;
  {
    auto reader = HENG_TRY(parts_->pool.reader());
    auto row = HENG_TRY(reader->prepare("SELECT number FROM batch WHERE status IN (0, 1, 2, 6) ORDER BY number"));
    while (HENG_TRY(row.step())) open.push_back(row.integer(0));
  }
  parts_->executor = &executor;
  parts_->runner = std::make_unique<Runner>(parts_->settings, parts_->pool, parts_->clock, parts_->random, executor);
  for (const auto number : open) HENG_TRY(parts_->runner->add(number));
  parts_->runner->start();
  return {};
}

void BatchEngine::close() {
  if (parts_->runner) parts_->runner->stop();
  if (parts_->lock >= 0) ::close(parts_->lock);
  parts_->lock = -1;
}

}  // namespace heng::batches
