#include "heng/store/database.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <unordered_map>

#include "database_impl.h"
#include "heng/store/files.h"
#include "sqlite_error.h"

namespace heng::store {

namespace {

constexpr int application_id = 0x48656e67;  // "Heng"

// The cipher is named here, not left to the library's default, so that a rebuilt library opens old files.
Result<void> apply_key(sqlite3* handle, const SecretKey& key, const std::string& path) {
  const int cipher = sqlite3mc_cipher_index("chacha20");
  if (cipher < 0 || sqlite3mc_config(handle, "cipher", cipher) != cipher) {
    return Error(ErrorCode::unsupported, "this build of SQLite has no ChaCha20-Poly1305 cipher");
  }
  // "raw:" skips the password derivation: the key has full entropy already
  std::string raw = "raw:" + key.hex();
  const int code = sqlite3_key(handle, raw.data(), static_cast<int>(raw.size()));
  OPENSSL_cleanse(raw.data(), raw.size());
  if (code != SQLITE_OK) return sqlite_error(handle, code, "cannot set the key", path);
  return {};
}

// SQLite gives the WAL the rights of the file, so only the file needs to be made private. An empty file is an empty database.
Result<void> make_private_file(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return file_error(errno, "cannot make the database", path);
  ::close(descriptor);
  return {};
}

}  // namespace

Error Database::Impl::error(int code, std::string_view what) const { return sqlite_error(handle, code, what, settings.path.string()); }

Result<void> Database::Impl::execute(const char* sql) {
  const int code = sqlite3_exec(handle, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return error(code, "statement failed");
  return {};
}

void Database::Impl::drop_statements() {
  for (auto it = statements.begin(); it != statements.end();) {
    if (it->second->in_use) {
      ++it;
      continue;
    }
    sqlite3_finalize(it->second->handle);
    it = statements.erase(it);
  }
}

Database::Impl::~Impl() {
  drop_statements();
  assert(statements.empty());  // a Statement must end before its Database
  sqlite3_close_v2(handle);
}

Database::Database(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Database::~Database() = default;

Result<std::unique_ptr<Database>> Database::open(const DatabaseSettings& settings) {
  if (settings.key.empty()) return Error(ErrorCode::invalid_argument, "a database needs a key of 32 bytes", "key");
  std::error_code ignored;
  const bool exists = std::filesystem::exists(settings.path, ignored);
  const bool read_only = settings.access == Access::read_only;
  if (!exists && (!settings.create || read_only)) {
    return Error(ErrorCode::not_found, fmt::format("{}: no such database", settings.path.string()));
  }
  auto impl = std::make_unique<Impl>();
  impl->settings = settings;
  const std::string path = settings.path.string();
  // read-only connections open the file for writing too: in WAL a reader must be able to make the -shm file
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  if (!exists) HENG_TRY(make_private_file(settings.path));
  const int code = sqlite3_open_v2(path.c_str(), &impl->handle, flags, nullptr);
  if (code != SQLITE_OK) return impl->error(code, "cannot open");
  HENG_TRY(apply_key(impl->handle, settings.key, path));
  HENG_TRY(impl->configure());
  std::unique_ptr<Database> database(new Database(std::move(impl)));
  if (settings.on_open) HENG_TRY(settings.on_open(*database));
  return database;
}

Result<void> Database::Impl::configure() {
  sqlite3_busy_timeout(handle, settings.busy_timeout_ms);
  sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, 1);
  // the first read of the file: a wrong key shows here
  HENG_TRY(execute("SELECT count(*) FROM sqlite_schema"));
  if (settings.access == Access::read_write) {
    HENG_TRY(execute("PRAGMA journal_mode = WAL"));
    HENG_TRY(execute(settings.synchronous == DatabaseSettings::Synchronous::full ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL"));
    HENG_TRY(execute("PRAGMA journal_size_limit = 67108864"));
  } else {
    HENG_TRY(execute("PRAGMA query_only = ON"));
  }
  HENG_TRY(execute("PRAGMA foreign_keys = ON"));
  HENG_TRY(execute("PRAGMA secure_delete = ON"));
  HENG_TRY(execute("PRAGMA temp_store = MEMORY"));
  HENG_TRY(execute("PRAGMA trusted_schema = OFF"));
  HENG_TRY(execute(fmt::format("PRAGMA cache_size = -{}", settings.cache_kib).c_str()));
  return {};
}

Result<Statement> Database::prepare(std::string_view sql) {
  auto range = impl_->statements.equal_range(std::string(sql));
  for (auto it = range.first; it != range.second; ++it) {
    if (!it->second->in_use) {
      it->second->in_use = true;
      return Statement(it->second.get());
    }
  }
  if (impl_->statements.size() >= Impl::cached_statements) impl_->drop_statements();
  auto cached = std::make_unique<Statement::Cached>();
  cached->owner = impl_.get();
  const char* tail = nullptr;
  const int code = sqlite3_prepare_v3(impl_->handle, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &cached->handle, &tail);
  if (code != SQLITE_OK) {
    Error error = impl_->error(code, "cannot compile a statement");
    if (code == SQLITE_ERROR) error.code = ErrorCode::invalid_argument;
    return error;
  }
  if (cached->handle == nullptr) return Error(ErrorCode::invalid_argument, "an empty SQL statement");
  cached->in_use = true;
  auto* pointer = cached.get();
  impl_->statements.emplace(std::string(sql), std::move(cached));
  return Statement(pointer);
}

Result<void> Database::execute(std::string_view sql) { return impl_->execute(std::string(sql).c_str()); }

std::int64_t Database::last_insert_id() const { return sqlite3_last_insert_rowid(impl_->handle); }
std::int64_t Database::changes() const { return sqlite3_changes64(impl_->handle); }
bool Database::in_transaction() const { return sqlite3_get_autocommit(impl_->handle) == 0; }
void Database::interrupt() { sqlite3_interrupt(impl_->handle); }
const std::filesystem::path& Database::path() const { return impl_->settings.path; }
void* Database::native_handle() const { return impl_->handle; }

Result<int> Database::schema_version() { return static_cast<int>(HENG_TRY(query_integer("PRAGMA user_version"))); }

Result<void> Database::migrate(const std::vector<Migration>& migrations) {
  for (std::size_t i = 0; i < migrations.size(); ++i) {
    if (migrations[i].version != static_cast<int>(i) + 1) {
      return Error(ErrorCode::internal, fmt::format("migrations must count from 1 without gaps; number {} says {}", i + 1, migrations[i].version));
    }
  }
  const int newest = static_cast<int>(migrations.size());
  while (true) {
    // the version is read inside the write transaction, so that of two processes starting at once one waits and finds it done
    auto current = HENG_TRY(schema_version());
    if (current == newest) return {};
    if (current > newest) {
      return Error(ErrorCode::unsupported, fmt::format("{}: written by a newer Heng (schema {}, this program knows {}); use that version",
                                                       path().string(), current, newest));
    }
    auto transaction = HENG_TRY(Transaction::begin(*this));
    current = HENG_TRY(schema_version());
    if (current >= newest) continue;
    const Migration& migration = migrations[static_cast<std::size_t>(current)];
    if (!migration.sql.empty()) HENG_TRY(execute(migration.sql));
    if (migration.code) HENG_TRY(migration.code(*this));
    HENG_TRY(execute(fmt::format("PRAGMA user_version = {}", migration.version)));
    if (current == 0) HENG_TRY(execute(fmt::format("PRAGMA application_id = {}", application_id)));
    HENG_TRY(transaction.commit());
  }
}

Result<void> Database::checkpoint() {
  const int code = sqlite3_wal_checkpoint_v2(impl_->handle, nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  if (code != SQLITE_OK) return impl_->error(code, "cannot empty the write-ahead log");
  return {};
}

Result<void> Database::check_pages() {
  auto pages = query_integer("SELECT count(*) FROM dbstat");
  if (!pages.ok()) return std::move(pages).error();
  return {};
}

Result<void> Database::check_integrity() {
  std::string findings;
  {
    auto statement = HENG_TRY(prepare("PRAGMA integrity_check(20)"));
    while (HENG_TRY(statement.step())) {
      if (statement.text(0) != "ok") findings += (findings.empty() ? "" : "; ") + statement.string(0);
    }
  }
  auto foreign = HENG_TRY(prepare("PRAGMA foreign_key_check"));
  int dangling = 0;
  while (HENG_TRY(foreign.step())) ++dangling;
  if (dangling > 0) findings += fmt::format("{}{} rows point at rows that are not there", findings.empty() ? "" : "; ", dangling);
  if (!findings.empty()) return Error(ErrorCode::corrupt, fmt::format("{}: {}", path().string(), findings));
  return {};
}

}  // namespace heng::store
