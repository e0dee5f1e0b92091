#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "heng/base/result.h"
#include "heng/store/secret.h"

namespace heng::store {

class Database;

enum class Access { read_write, read_only };

struct DatabaseSettings {
  std::filesystem::path path;
  SecretKey key;                       ///< 32 bytes; encrypts every page, journal and WAL included.
  Access access = Access::read_write;
  bool create = true;                  ///< Make the file where it is absent (read_write only).
  int busy_timeout_ms = 10'000;        ///< How long a statement waits for another writer before `conflict`.
  int cache_kib = 16 * 1024;           ///< Page cache of this connection.
  /// FULL fsyncs each commit (power-cut safe); NORMAL may lose the last commits on a power cut, never consistency.
  enum class Synchronous { full, normal } synchronous = Synchronous::full;
  /// Called once on each new connection before any statement, e.g. to register an FTS5 tokenizer on native_handle().
  std::function<Result<void>(Database&)> on_open;
};

/// A compiled SQL statement. Taken from Database::prepare, which caches them; going out of scope resets it and gives it
/// back. Lifetime: not longer than its Database. Threads: as its Database. Text and blobs returned as views are valid
/// until the next step(), reset() or the end of the statement.
class Statement {
 public:
  Statement(Statement&&) noexcept;
  Statement& operator=(Statement&&) noexcept;
  ~Statement();

  /// Parameters count from 1. Text and blobs are copied.
  Statement& bind(int index, std::int64_t value);
  Statement& bind(int index, double value);
  Statement& bind(int index, std::string_view text);
  Statement& bind_blob(int index, std::string_view bytes);
  Statement& bind_null(int index);
  template <class T>
    requires(std::is_integral_v<T> && !std::is_same_v<T, std::int64_t>)
  Statement& bind(int index, T value) {
    return bind(index, static_cast<std::int64_t>(value));
  }
  Statement& bind(int index, const char* text) { return bind(index, std::string_view(text)); }
  Statement& bind(int index, const std::string& text) { return bind(index, std::string_view(text)); }

  /// Binds all in order from parameter 1: `statement.bind_all(7, "name", 0.5)`.
  template <class... T>
  Statement& bind_all(const T&... values) {
    int index = 0;
    (bind(++index, values), ...);
    return *this;
  }

  /// True: a row is ready. False: done. A failed bind is reported here. Errors: already_exists (UNIQUE, PRIMARY KEY),
  /// conflict (busy or another constraint), storage_full, corrupt, cancelled (interrupted), internal.
  Result<bool> step();
  /// step() until done, for statements without rows.
  Result<void> run();
  /// Ready to be stepped again; bindings are cleared.
  void reset();

  /// Columns count from 0.
  int columns() const;
  bool is_null(int column) const;
  std::int64_t integer(int column) const;
  double real(int column) const;
  std::string_view text(int column) const;
  std::string_view blob(int column) const;
  std::string string(int column) const { return std::string(text(column)); }
  std::string_view column_name(int column) const;

 private:
  friend class Database;
  struct Cached;
  explicit Statement(Cached* cached);
  Cached* cached_ = nullptr;
};

/// A version of the schema. Versions count from 1 without gaps and are only ever added to.
struct Migration {
  int version = 0;
  std::string_view name;
  std::string_view sql;                                  ///< One or more statements, or empty.
  std::function<Result<void>(Database&)> code = nullptr; ///< Runs after the SQL, in the same transaction.
};

/// One connection to an encrypted SQLite file: WAL, foreign keys on, secure_delete, temporary data in memory only.
///
/// Lifetime: statements and transactions must end before it. Threads: one at a time (use a Pool to share); interrupt()
/// may be called from any. Ownership: the file may be open in other connections and processes at the same time.
///
///     auto db = HENG_TRY(store::Database::open({.path = "kb.db", .key = key}));
///     HENG_TRY(db->migrate(migrations));
///     auto row = HENG_TRY(db->prepare("SELECT name FROM kb WHERE id = ?"));
///     row.bind(1, 7);
///     while (HENG_TRY(row.step())) use(row.text(0));
class Database {
 public:
  /// Errors: not_found (file absent and !create), permission_denied (wrong key or not a Heng database, or the file's
  /// rights), corrupt, storage_full, conflict (locked), invalid_argument (key of the wrong size).
  static Result<std::unique_ptr<Database>> open(const DatabaseSettings& settings);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// Compiles, or takes from the cache. Errors: invalid_argument (bad SQL).
  Result<Statement> prepare(std::string_view sql);
  /// Runs one or more statements without parameters or rows.
  Result<void> execute(std::string_view sql);
  /// prepare + bind_all + run.
  template <class... T>
  Result<void> run(std::string_view sql, const T&... values) {
    auto statement = HENG_TRY(prepare(sql));
    statement.bind_all(values...);
    return statement.run();
  }
  /// First column of the first row as an integer. Errors: not_found (no row).
  template <class... T>
  Result<std::int64_t> query_integer(std::string_view sql, const T&... values) {
    auto statement = HENG_TRY(prepare(sql));
    statement.bind_all(values...);
    if (!HENG_TRY(statement.step())) return Error(ErrorCode::not_found, "no row");
    return statement.integer(0);
  }

  std::int64_t last_insert_id() const;
  std::int64_t changes() const;            ///< Rows changed by the last statement.
  bool in_transaction() const;

  /// Brings the schema to the newest version, one transaction per step; safe when several processes start at once.
  /// Errors: unsupported (the file was written by a newer Heng: says both versions), and those of the SQL.
  Result<void> migrate(const std::vector<Migration>& migrations);
  Result<int> schema_version();

  /// Encrypts a file under another key: copies it beside itself, checks the copy and renames it in place, so that a crash
  /// leaves it under the old key or the new one. Nothing else may have it open. Errors: conflict (in use),
  /// permission_denied (wrong old key), storage_full (needs as much space again), corrupt.
  static Result<void> reencrypt(const std::filesystem::path& path, const SecretKey& old_key, const SecretKey& new_key);
  /// Copies the file, consistent, while others read and write. The copy has the same key. `pages_per_step` bounds how
  /// long a writer can wait. Errors: storage_full, conflict, corrupt.
  Result<void> backup_to(const std::filesystem::path& target, int pages_per_step = 512);
  /// Full check of pages, authentication tags, indexes and foreign keys. Errors: corrupt (first findings in the message).
  Result<void> check_integrity();
  /// Reads and authenticates every page, without needing the tokenizers and functions that check_integrity() would.
  /// Errors: corrupt.
  Result<void> check_pages();
  /// Moves the WAL into the file and empties it.
  Result<void> checkpoint();

  /// Stops the running statement (error `cancelled`). Callable from any thread.
  void interrupt();

  const std::filesystem::path& path() const;
  /// The sqlite3*, for the sqlite/ adapters only (FTS5 tokenizers, functions).
  void* native_handle() const;

 private:
  friend class Statement;
  struct Impl;
  explicit Database(std::unique_ptr<Impl> impl);
  Result<void> copy_pages_to(Database& copy, int pages_per_step);
  std::unique_ptr<Impl> impl_;
};

/// BEGIN IMMEDIATE … COMMIT; rolls back when it goes out of scope without commit(). Inside another one it is a savepoint.
///
///     auto transaction = HENG_TRY(store::Transaction::begin(db));
///     …
///     HENG_TRY(transaction.commit());
class Transaction {
 public:
  enum class Kind { write, read };
  static Result<Transaction> begin(Database& db, Kind kind = Kind::write);
  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  /// On an error everything since begin() is rolled back.
  Result<void> commit();
  void rollback();

 private:
  Transaction(Database* db, bool nested) : db_(db), nested_(nested) {}
  Database* db_ = nullptr;
  bool nested_ = false;
};

}  // namespace heng::store
