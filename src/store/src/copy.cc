#include <fmt/format.h>
#include <sqlite3.h>

#include "database_impl.h"
#include "heng/store/files.h"

namespace heng::store {

namespace {

void remove_database(const std::filesystem::path& path) {
  std::error_code ignored;
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) std::filesystem::remove(path.string() + suffix, ignored);
}

// Pages cannot be taken from under another connection: leaving the WAL succeeds only alone.
Result<void> require_alone(Database& database) {
  auto mode = HENG_TRY(database.prepare("PRAGMA journal_mode = DELETE"));
  auto row = mode.step();
  if (row.ok() && mode.text(0) == "delete") return {};
  if (!row.ok() && row.error().code != ErrorCode::conflict) return std::move(row).error();
  return Error(ErrorCode::conflict, fmt::format("{}: in use by another connection; stop it to change the key", database.path().string()));
}

}  // namespace

Result<void> Database::copy_pages_to(Database& copy, int pages_per_step) {
  // a read transaction pins one snapshot, so that writers do not make the copy start over
  auto snapshot = HENG_TRY(Transaction::begin(*this, Transaction::Kind::read));
  sqlite3_backup* backup = sqlite3_backup_init(copy.impl_->handle, "main", impl_->handle, "main");
  if (backup == nullptr) return copy.impl_->error(sqlite3_errcode(copy.impl_->handle), "cannot begin the copy");
  int code = SQLITE_OK;
  do {
    code = sqlite3_backup_step(backup, pages_per_step);
  } while (code == SQLITE_OK);
  const int finished = sqlite3_backup_finish(backup);
  if (code != SQLITE_DONE || finished != SQLITE_OK) return copy.impl_->error(code != SQLITE_DONE ? code : finished, "the copy failed");
  return copy.checkpoint();
}

Result<void> Database::backup_to(const std::filesystem::path& target, int pages_per_step) {
  std::error_code ignored;
  if (std::filesystem::exists(target, ignored)) return Error(ErrorCode::already_exists, fmt::format("{}: exists already", target.string()));
  Result<void> result;
  {
    auto copy = HENG_TRY(open({.path = target, .key = impl_->settings.key}));
    result = copy_pages_to(*copy, pages_per_step);
  }
  if (!result.ok()) remove_database(target);
  return result;
}

Result<void> Database::reencrypt(const std::filesystem::path& path, const SecretKey& old_key, const SecretKey& new_key) {
  if (new_key.empty()) return Error(ErrorCode::invalid_argument, "a database needs a key of 32 bytes", "key");
  const std::filesystem::path beside = path.string() + ".reencrypting";
  remove_database(beside);
  const auto copy_all = [&]() -> Result<void> {
    auto source = HENG_TRY(open({.path = path, .key = old_key, .create = false, .busy_timeout_ms = 1000}));
    HENG_TRY(source->checkpoint());
    HENG_TRY(require_alone(*source));
    auto copy = HENG_TRY(open({.path = beside, .key = new_key}));
    HENG_TRY(source->copy_pages_to(*copy, 4096));
    HENG_TRY(copy->check_pages());
    return require_alone(*copy);
  };
  auto copied = copy_all();
  if (copied.ok()) copied = sync_file(beside);
  if (copied.ok() && ::rename(beside.c_str(), path.c_str()) != 0) copied = file_error(errno, "cannot replace", path);
  if (!copied.ok()) {
    remove_database(beside);
    return copied;
  }
  return sync_folder(std::filesystem::absolute(path).parent_path());
}

}  // namespace heng::store
