#include "heng/store/pool.h"

#include <fmt/format.h>

#include <condition_variable>
#include <mutex>
#include <vector>

namespace heng::store {

struct Pool::Impl {
  PoolSettings settings;
  std::mutex mutex;
  std::condition_variable freed;
  std::unique_ptr<Database> writer;
  bool writer_lent = false;
  std::vector<std::unique_ptr<Database>> readers;
  std::vector<Database*> free_readers;
  int opening = 0;             // readers being opened outside the lock
  bool closing_readers = false;  // rekey() waits for the leases to end
};

Pool::Pool(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Pool::~Pool() = default;

Result<std::unique_ptr<Pool>> Pool::open(const PoolSettings& settings, const std::vector<Migration>& migrations) {
  auto impl = std::make_unique<Impl>();
  impl->settings = settings;
  impl->settings.database.access = Access::read_write;
  impl->writer = HENG_TRY(Database::open(impl->settings.database));
  HENG_TRY(impl->writer->migrate(migrations));
  return std::unique_ptr<Pool>(new Pool(std::move(impl)));
}

Result<Pool::Lease> Pool::writer() {
  std::unique_lock lock(impl_->mutex);
  const bool got = impl_->freed.wait_for(lock, impl_->settings.wait, [&] { return !impl_->writer_lent && !impl_->closing_readers; });
  if (!got) {
    return Error(ErrorCode::overloaded, fmt::format("{}: the writing connection stayed busy for {} ms; try again",
                                                    path().string(), impl_->settings.wait.count()));
  }
  if (impl_->writer == nullptr) return Error(ErrorCode::unavailable, fmt::format("{}: could not be opened again after a change of key", path().string()));
  impl_->writer_lent = true;
  return Lease(this, impl_->writer.get(), true);
}

Result<Pool::Lease> Pool::reader() {
  std::unique_lock lock(impl_->mutex);
  const auto available = [&] {
    if (impl_->closing_readers) return false;
    return !impl_->free_readers.empty() || static_cast<int>(impl_->readers.size()) + impl_->opening < impl_->settings.readers;
  };
  if (!impl_->freed.wait_for(lock, impl_->settings.wait, available)) {
    return Error(ErrorCode::overloaded, fmt::format("{}: all {} reading connections stayed busy for {} ms; try again",
                                                    path().string(), impl_->settings.readers, impl_->settings.wait.count()));
  }
  if (!impl_->free_readers.empty()) {
    Database* database = impl_->free_readers.back();
    impl_->free_readers.pop_back();
    return Lease(this, database, false);
  }
  ++impl_->opening;
  DatabaseSettings settings = impl_->settings.database;
  settings.access = Access::read_only;
  settings.create = false;
  lock.unlock();
  auto opened = Database::open(settings);
  lock.lock();
  --impl_->opening;
  if (!opened.ok()) {
    impl_->freed.notify_all();
    return std::move(opened).error();
  }
  impl_->readers.push_back(std::move(*opened));
  return Lease(this, impl_->readers.back().get(), false);
}

void Pool::give_back(Database* database, bool writer) {
  {
    std::lock_guard lock(impl_->mutex);
    if (writer) {
      impl_->writer_lent = false;
    } else {
      impl_->free_readers.push_back(database);
    }
  }
  impl_->freed.notify_all();
}

Result<void> Pool::rekey(const SecretKey& key) {
  std::unique_lock lock(impl_->mutex);
  impl_->closing_readers = true;
  const bool quiet = impl_->freed.wait_for(lock, impl_->settings.wait, [&] {
    return !impl_->writer_lent && impl_->opening == 0 && impl_->free_readers.size() == impl_->readers.size();
  });
  Result<void> result;
  if (!quiet) {
    result = Error(ErrorCode::overloaded, fmt::format("{}: connections stayed busy; the key is unchanged", path().string()));
  } else {
    impl_->free_readers.clear();
    impl_->readers.clear();
    impl_->writer.reset();
    result = Database::reencrypt(path(), impl_->settings.database.key, key);
    if (result.ok()) impl_->settings.database.key = key;
    auto writer = Database::open(impl_->settings.database);
    if (writer.ok()) {
      impl_->writer = std::move(*writer);
    } else if (result.ok()) {
      result = std::move(writer).error();
    }
  }
  impl_->closing_readers = false;
  lock.unlock();
  impl_->freed.notify_all();
  return result;
}

const std::filesystem::path& Pool::path() const { return impl_->settings.database.path; }

Pool::Lease::Lease(Lease&& other) noexcept
    : pool_(std::exchange(other.pool_, nullptr)), database_(other.database_), writer_(other.writer_) {}

Pool::Lease::~Lease() {
  if (pool_ != nullptr) pool_->give_back(database_, writer_);
}

}  // namespace heng::store
