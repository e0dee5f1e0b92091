#include "database_impl.h"

namespace heng::store {

Result<Transaction> Transaction::begin(Database& db, Kind kind) {
  if (db.in_transaction()) {
    HENG_TRY(db.execute("SAVEPOINT heng"));
    return Transaction(&db, true);
  }
  HENG_TRY(db.execute(kind == Kind::write ? "BEGIN IMMEDIATE" : "BEGIN DEFERRED"));
  Transaction transaction(&db, false);
  // a deferred transaction takes its snapshot at the first read; take it now
  if (kind == Kind::read) HENG_TRY(db.execute("SELECT 1 FROM sqlite_schema LIMIT 1"));
  return transaction;
}

Transaction::Transaction(Transaction&& other) noexcept : db_(std::exchange(other.db_, nullptr)), nested_(other.nested_) {}

Transaction::~Transaction() { rollback(); }

Result<void> Transaction::commit() {
  if (db_ == nullptr) return Error(ErrorCode::internal, "a transaction can be committed once");
  if (!db_->in_transaction()) {
    db_ = nullptr;
    return Error(ErrorCode::conflict, "the transaction was already rolled back by an earlier failure");
  }
  auto result = db_->execute(nested_ ? "RELEASE heng" : "COMMIT");
  if (!result.ok()) {
    rollback();
    return result;
  }
  db_ = nullptr;
  return {};
}

void Transaction::rollback() {
  // SQLite rolls back by itself on a full disk; a second ROLLBACK would be an error
  if (db_ != nullptr && db_->in_transaction()) {
    (void)db_->execute(nested_ ? "ROLLBACK TO heng; RELEASE heng" : "ROLLBACK");
  }
  db_ = nullptr;
}

}  // namespace heng::store
