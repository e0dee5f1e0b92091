#pragma once

#include <chrono>
#include <memory>

#include "heng/store/database.h"

namespace heng::store {

struct PoolSettings {
  DatabaseSettings database;
  int readers = 4;                                    ///< Read-only connections, opened when first needed.
  std::chrono::milliseconds wait{10'000};             ///< How long to wait for a free connection before `overloaded`.
};

/// Connections to one file: one writer and up to `readers` readers, lent out one thread at a time.
///
/// Lifetime: longer than every lease. Threads: safe. Ownership: owns its connections.
///
///     auto reader = HENG_TRY(pool->reader());
///     auto statement = HENG_TRY(reader->prepare("…"));
class Pool {
 public:
  class Lease {
   public:
    Lease(Lease&&) noexcept;
    Lease& operator=(Lease&&) = delete;
    ~Lease();
    Database& operator*() const { return *database_; }
    Database* operator->() const { return database_; }

   private:
    friend class Pool;
    Lease(Pool* pool, Database* database, bool writer) : pool_(pool), database_(database), writer_(writer) {}
    Pool* pool_;
    Database* database_;
    bool writer_;
  };

  /// Opens the writer and migrates. Errors: those of Database::open and Database::migrate.
  static Result<std::unique_ptr<Pool>> open(const PoolSettings& settings, const std::vector<Migration>& migrations);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  /// Errors: overloaded (none came free in time), and those of Database::open.
  Result<Lease> reader();
  Result<Lease> writer();

  /// Encrypts the file under another key: waits for all leases to end, closes the readers, rekeys, goes on.
  Result<void> rekey(const SecretKey& key);
  const std::filesystem::path& path() const;

 private:
  struct Impl;
  explicit Pool(std::unique_ptr<Impl> impl);
  void give_back(Database* database, bool writer);
  std::unique_ptr<Impl> impl_;
};

}  // namespace heng::store
