#include "heng/batches/migrations.h"

namespace heng::batches {

// file: what was uploaded stands in `part`; a result's bytes are the lines of its batch, put out in order (batch > 0, failed 0 or 1).
// line: one row for each line of a batch that is answered, so that a killed run goes on with those that have none.
const std::vector<store::Migration>& migrations() {
  static const std::vector<store::Migration> list = {{.version = 1, .name = "files and batches", .sql = R"(
    CREATE TABLE file (
      number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, tenant TEXT NOT NULL, user TEXT NOT NULL, subject TEXT NOT NULL, name TEXT NOT NULL,
      purpose TEXT NOT NULL, sha256 TEXT NOT NULL, bytes INTEGER NOT NULL, created_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL,
      batch INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0) STRICT;
    CREATE INDEX file_tenant ON file(tenant, number);
    CREATE INDEX file_expiry ON file(expires_ms);
    CREATE TABLE part (file INTEGER NOT NULL, number INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (file, number)) STRICT;
    CREATE TABLE batch (
      number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, tenant TEXT NOT NULL, user TEXT NOT NULL, subject TEXT NOT NULL, principal TEXT NOT NULL,
      endpoint TEXT NOT NULL, input INTEGER NOT NULL, input_id TEXT NOT NULL, output_id TEXT NOT NULL DEFAULT '', error_id TEXT NOT NULL DEFAULT '',
      completion_window TEXT NOT NULL, metadata TEXT NOT NULL, problems TEXT NOT NULL DEFAULT '[]', status INTEGER NOT NULL DEFAULT 0,
      keep_output_s INTEGER NOT NULL, total INTEGER NOT NULL DEFAULT 0, completed INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0,
      prompt_tokens INTEGER NOT NULL DEFAULT 0, cached_tokens INTEGER NOT NULL DEFAULT 0, completion_tokens INTEGER NOT NULL DEFAULT 0,
      created_ms INTEGER NOT NULL, in_progress_ms INTEGER NOT NULL DEFAULT 0, expires_ms INTEGER NOT NULL, finalizing_ms INTEGER NOT NULL DEFAULT 0,
      completed_ms INTEGER NOT NULL DEFAULT 0, failed_ms INTEGER NOT NULL DEFAULT 0, expired_ms INTEGER NOT NULL DEFAULT 0,
      cancelling_ms INTEGER NOT NULL DEFAULT 0, cancelled_ms INTEGER NOT NULL DEFAULT 0) STRICT;
    CREATE INDEX batch_tenant ON batch(tenant, number);
    CREATE INDEX batch_input ON batch(input);
    CREATE TABLE line (
      batch INTEGER NOT NULL, number INTEGER NOT NULL, failed INTEGER NOT NULL, output TEXT NOT NULL, PRIMARY KEY (batch, number)) STRICT;
    CREATE INDEX line_result ON line(batch, failed, number);)"}};
  return list;
}

Result<int> erase_subject(store::Pool& pool, const TenantId& tenant, const std::string& subject) {
  auto writer = HENG_TRY(pool.writer());
  auto transaction = HENG_TRY(store::Transaction::begin(*writer));
  HENG_TRY(writer->run("DELETE FROM part WHERE file IN (SELECT number FROM file WHERE tenant = ? AND subject = ?)", tenant.value, subject));
  HENG_TRY(writer->run("DELETE FROM line WHERE batch IN (SELECT number FROM batch WHERE tenant = ? AND subject = ?)", tenant.value, subject));
  HENG_TRY(writer->run("DELETE FROM file WHERE tenant = ? AND subject = ?", tenant.value, subject));
  auto erased = writer->changes();
  HENG_TRY(writer->run("DELETE FROM batch WHERE tenant = ? AND subject = ?", tenant.value, subject));
  erased += writer->changes();
  HENG_TRY(transaction.commit());
  HENG_TRY(writer->checkpoint());
  return static_cast<int>(erased);
}

}  // namespace heng::batches
