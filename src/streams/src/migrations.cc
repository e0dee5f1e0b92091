#include "heng/streams/migrations.h"

namespace heng::streams {

// at_ms: the event time, else published, else ingest: the axis of windows and lists.
// band: one row for each band of each item inside the duplicate window; live and pruned say which items those are.
// hit: what rules have counted; position: how far each followed file has been read.
const std::vector<store::Migration>& migrations() {
  static const std::vector<store::Migration> list = {{.version = 1, .name = "streams and alerts", .sql = R"(
    CREATE TABLE stream (
      id INTEGER PRIMARY KEY, tenant TEXT NOT NULL, name TEXT NOT NULL, tasks TEXT NOT NULL DEFAULT '', duplicates INTEGER NOT NULL DEFAULT 0,
      near_duplicates INTEGER NOT NULL DEFAULT 0, items INTEGER NOT NULL DEFAULT 0, rejected INTEGER NOT NULL DEFAULT 0,
      last_ingest_ms INTEGER NOT NULL DEFAULT 0, newest_ms INTEGER NOT NULL DEFAULT 0, live INTEGER NOT NULL DEFAULT 0, pruned INTEGER NOT NULL DEFAULT 0,
      UNIQUE (tenant, name)) STRICT;
    CREATE TABLE item (
      number INTEGER PRIMARY KEY AUTOINCREMENT, stream INTEGER NOT NULL REFERENCES stream(id), external_id TEXT NOT NULL, source TEXT NOT NULL,
      text TEXT NOT NULL, sha256 BLOB NOT NULL, event_ms INTEGER NOT NULL, published_ms INTEGER NOT NULL, ingest_ms INTEGER NOT NULL, at_ms INTEGER NOT NULL,
      duplicate_of INTEGER NOT NULL DEFAULT 0, similarity REAL NOT NULL DEFAULT 0, copies INTEGER NOT NULL DEFAULT 0, near_copies INTEGER NOT NULL DEFAULT 0,
      fingerprint BLOB NOT NULL, results TEXT NOT NULL) STRICT;
    CREATE INDEX item_hash ON item(stream, sha256);
    CREATE INDEX item_at ON item(stream, at_ms);
    CREATE INDEX item_live ON item(stream, number) WHERE duplicate_of = 0;
    CREATE TABLE band (stream INTEGER NOT NULL, key INTEGER NOT NULL, item INTEGER NOT NULL, PRIMARY KEY (stream, key, item)) STRICT, WITHOUT ROWID;
    CREATE TABLE position (
      stream INTEGER NOT NULL, source TEXT NOT NULL, offset INTEGER NOT NULL, line INTEGER NOT NULL, head TEXT NOT NULL, head_bytes INTEGER NOT NULL,
      PRIMARY KEY (stream, source)) STRICT, WITHOUT ROWID;
    CREATE TABLE hit (
      tenant TEXT NOT NULL, rule TEXT NOT NULL, key TEXT NOT NULL, at_ms INTEGER NOT NULL, item INTEGER NOT NULL,
      PRIMARY KEY (tenant, rule, key, at_ms, item)) STRICT, WITHOUT ROWID;
    CREATE TABLE alert (
      id INTEGER PRIMARY KEY AUTOINCREMENT, tenant TEXT NOT NULL, rule TEXT NOT NULL, name_zh TEXT NOT NULL, name_en TEXT NOT NULL, severity TEXT NOT NULL,
      owner TEXT NOT NULL, stream TEXT NOT NULL, key TEXT NOT NULL, key_id TEXT NOT NULL, dedup TEXT NOT NULL, raised_ms INTEGER NOT NULL,
      window_from_ms INTEGER NOT NULL, window_to_ms INTEGER NOT NULL, count INTEGER NOT NULL, items TEXT NOT NULL, suppressed INTEGER NOT NULL DEFAULT 0,
      text TEXT NOT NULL, ingest_ms INTEGER NOT NULL, acknowledged_by TEXT NOT NULL DEFAULT '', note TEXT NOT NULL DEFAULT '',
      acknowledged_ms INTEGER NOT NULL DEFAULT 0) STRICT;
    CREATE INDEX alert_dedup ON alert(tenant, dedup, window_to_ms);
    CREATE INDEX alert_tenant ON alert(tenant, id);
    CREATE TABLE delivery (
      id INTEGER PRIMARY KEY, alert INTEGER NOT NULL REFERENCES alert(id), name TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, next_ms INTEGER NOT NULL,
      claimed_ms INTEGER NOT NULL DEFAULT 0, done_ms INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0, error TEXT NOT NULL DEFAULT '') STRICT;
    CREATE INDEX delivery_due ON delivery(next_ms) WHERE done_ms = 0 AND failed = 0;)"}};
  return list;
}

}  // namespace heng::streams
