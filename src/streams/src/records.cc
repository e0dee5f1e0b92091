#include "records.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "heng/base/hash.h"

namespace heng::streams {
namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

StreamItem read_row(const store::Statement& row) {
  StreamItem item;
  item.number = row.integer(0);
  item.stream = row.string(1);
  item.id = row.string(2);
  item.source = row.string(3);
  item.text = row.string(4);
  const auto hash = row.blob(5);
  item.sha256 = to_hex(hash.data(), hash.size());
  item.event_ms = row.integer(6);
  item.published_ms = row.integer(7);
  item.ingest_ms = row.integer(8);
  item.duplicate_of = row.integer(9);
  item.similarity = row.real(10);
  item.copies = row.integer(11);
  item.near_copies = row.integer(12);
  read_results(row.text(13), item);
  return item;
}

}  // namespace

std::int64_t time_of(std::int64_t event_ms, std::int64_t published_ms, std::int64_t ingest_ms) {
  constexpr std::int64_t ahead_ms = 300'000;
  if (event_ms > 0 && event_ms <= ingest_ms + ahead_ms) return event_ms;
  if (published_ms > 0 && published_ms <= ingest_ms + ahead_ms) return published_ms;
  return ingest_ms;
}

Result<std::optional<StreamRow>> find_stream(store::Database& db, const TenantId& tenant, const std::string& name) {
  auto row = HENG_TRY(db.prepare("SELECT id, tasks, newest_ms, live, pruned FROM stream WHERE tenant = ? AND name = ?"));
  row.bind_all(tenant.value, name);
  if (!HENG_TRY(row.step())) return std::optional<StreamRow>();
  StreamRow out;
  out.id = row.integer(0);
  out.tenant = tenant;
  out.name = name;
  out.tasks = row.string(1);
  out.newest_ms = row.integer(2);
  out.live = row.integer(3);
  out.pruned = row.integer(4);
  return std::optional<StreamRow>(std::move(out));
}

Result<StreamRow> ensure_stream(store::Database& db, const TenantId& tenant, const std::string& name) {
  HENG_TRY(db.run("INSERT INTO stream (tenant, name) VALUES (?, ?) ON CONFLICT DO NOTHING", tenant.value, name));
  auto found = HENG_TRY(find_stream(db, tenant, name));
  if (!found) return Error(ErrorCode::internal, "the stream vanished");
  return std::move(*found);
}

Result<std::int64_t> insert_item(store::Database& db, const StreamRow& stream, const StreamItem& item, const Fingerprint& fingerprint) {
  auto insert = HENG_TRY(db.prepare("INSERT INTO item (stream, external_id, source, text, sha256, event_ms, published_ms, ingest_ms, at_ms, duplicate_of, similarity, fingerprint, results) "
                                    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  const auto hash = HENG_TRY(from_hex(item.sha256));
  insert.bind(1, stream.id).bind(2, item.id).bind(3, item.source).bind(4, item.text).bind_blob(5, hash).bind(6, item.event_ms).bind(7, item.published_ms)
      .bind(8, item.ingest_ms).bind(9, time_of(item.event_ms, item.published_ms, item.ingest_ms)).bind(10, item.duplicate_of).bind(11, item.similarity)
      .bind_blob(12, to_bytes(fingerprint)).bind(13, results_json(item));
  HENG_TRY(insert.run());
  return db.last_insert_id();
}

Result<void> insert_bands(store::Database& db, const StreamRow& stream, std::int64_t number, const Fingerprint& fingerprint) {
  if (fingerprint.empty) return {};
  auto insert = HENG_TRY(db.prepare("INSERT OR IGNORE INTO band (stream, key, item) VALUES (?, ?, ?)"));
  for (const auto key : fingerprint.band_keys) {
    insert.bind_all(stream.id, key, number);
    HENG_TRY(insert.run());
    insert.reset();
  }
  return {};
}

Result<void> prune_bands(store::Database& db, StreamRow& stream, std::int64_t oldest_ms, std::int64_t most_items, int most) {
  struct Old {
    std::int64_t number;
    Fingerprint fingerprint;
  };
  std::vector<Old> old;
  {
    auto row = HENG_TRY(db.prepare("SELECT number, ingest_ms, fingerprint FROM item WHERE stream = ? AND duplicate_of = 0 AND number > ? ORDER BY number LIMIT ?"));
    row.bind_all(stream.id, stream.pruned, most);
    std::int64_t over = stream.live - most_items;
    while (HENG_TRY(row.step()) && (over-- > 0 || row.integer(1) < oldest_ms)) old.push_back({row.integer(0), from_bytes(row.blob(2))});
  }
  auto remove = HENG_TRY(db.prepare("DELETE FROM band WHERE stream = ? AND key = ? AND item = ?"));
  for (const auto& each : old) {
    for (const auto key : each.fingerprint.band_keys) {
      if (each.fingerprint.empty) break;
      remove.bind_all(stream.id, key, each.number);
      HENG_TRY(remove.run());
      remove.reset();
    }
    stream.pruned = each.number;
    --stream.live;
  }
  return {};
}

Result<std::optional<Known>> find_copy(store::Database& db, const StreamRow& stream, std::string_view sha256, std::int64_t oldest_ms) {
  auto row = HENG_TRY(db.prepare("SELECT number, external_id, duplicate_of FROM item WHERE stream = ? AND sha256 = ? AND number > ? AND ingest_ms >= ? ORDER BY number LIMIT 1"));
  row.bind(1, stream.id).bind_blob(2, sha256).bind(3, stream.pruned).bind(4, oldest_ms);
  if (!HENG_TRY(row.step())) return std::optional<Known>();
  return std::optional<Known>(Known{row.integer(0), row.integer(2), row.string(1)});
}

Result<std::vector<std::int64_t>> find_candidates(store::Database& db, const StreamRow& stream, const Fingerprint& fingerprint, std::int64_t oldest_ms) {
  constexpr std::size_t most_candidates = 48;
  std::vector<std::pair<std::int64_t, int>> met;
  if (fingerprint.empty) return std::vector<std::int64_t>();
  auto row = HENG_TRY(db.prepare("SELECT item FROM band WHERE stream = ? AND key = ? ORDER BY item DESC LIMIT 24"));
  for (const auto key : fingerprint.band_keys) {
    row.bind_all(stream.id, key);
    while (HENG_TRY(row.step())) {
      const auto number = row.integer(0);
      const auto at = std::find_if(met.begin(), met.end(), [&](const auto& m) { return m.first == number; });
      if (at == met.end()) met.emplace_back(number, 1);
      else ++at->second;
    }
    row.reset();
  }
  // those that share most bands are looked at first
  std::sort(met.begin(), met.end(), [](const auto& a, const auto& b) { return a.second != b.second ? a.second > b.second : a.first < b.first; });
  if (met.size() > most_candidates) met.resize(most_candidates);
  std::vector<std::int64_t> out;
  auto fresh = HENG_TRY(db.prepare("SELECT 1 FROM item WHERE number = ? AND ingest_ms >= ?"));
  for (const auto& [number, bands] : met) {
    fresh.bind_all(number, oldest_ms);
    if (HENG_TRY(fresh.step())) out.push_back(number);
    fresh.reset();
  }
  return out;
}

Result<Stored> read_candidate(store::Database& db, std::int64_t number) {
  auto row = HENG_TRY(db.prepare("SELECT text, fingerprint FROM item WHERE number = ?"));
  row.bind(1, number);
  if (!HENG_TRY(row.step())) return Error(ErrorCode::not_found, "the item is gone");
  return Stored{row.string(0), from_bytes(row.blob(1))};
}

Result<void> read_items(store::Database& db, const TenantId& tenant, const ItemQuery& query,
                        const std::function<bool(StreamItem&&, std::string_view fingerprint)>& each) {
  std::string sql =
      "SELECT i.number, s.name, i.external_id, i.source, i.text, i.sha256, i.event_ms, i.published_ms, i.ingest_ms, i.duplicate_of, i.similarity, i.copies, i.near_copies, "
      "i.results, i.fingerprint FROM item i JOIN stream s ON s.id = i.stream WHERE s.tenant = ?1";
  if (!query.stream.empty()) sql += " AND s.name = ?2";
  if (query.from_ms > 0) sql += " AND i.at_ms >= ?3";
  if (query.to_ms > 0) sql += " AND i.at_ms < ?4";
  if (query.before > 0) sql += " AND i.number < ?5";
  if (query.after) sql += " AND i.number > ?6";
  if (!query.duplicates) sql += " AND i.duplicate_of = 0";
  sql += query.after ? " ORDER BY i.number" : " ORDER BY i.number DESC";
  auto row = HENG_TRY(db.prepare(sql));
  row.bind(1, tenant.value);
  if (!query.stream.empty()) row.bind(2, query.stream);
  if (query.from_ms > 0) row.bind(3, query.from_ms);
  if (query.to_ms > 0) row.bind(4, query.to_ms);
  if (query.before > 0) row.bind(5, query.before);
  if (query.after) row.bind(6, *query.after);
  while (HENG_TRY(row.step()))
    if (!each(read_row(row), row.blob(14))) return {};
  return {};
}

std::string results_json(const StreamItem& item) {
  Json labels = Json::array(), events = Json::array(), entities = Json::array();
  for (const auto& l : item.labels) labels.push_back({l.task, l.label, l.confidence, l.tier});
  for (const auto& e : item.events) {
    Json mentions = Json::array();
    for (const auto& m : e.mentions) mentions.push_back({m.word, m.begin, m.end, m.role});
    events.push_back({e.type, e.confidence, std::move(mentions)});
  }
  for (const auto& e : item.entities) entities.push_back({e.type, e.word, e.id, e.name});
  return dump({{"l", std::move(labels)}, {"v", std::move(events)}, {"e", std::move(entities)}, {"x", item.errors}});
}

void read_results(std::string_view json, StreamItem& item) {
  const Json whole = Json::parse(json, nullptr, false);
  if (!whole.is_object()) return;
  for (const auto& l : whole["l"]) item.labels.push_back({l[0], l[1], l[2], l[3]});
  for (const auto& e : whole["v"]) {
    Event event;
    event.type = e[0];
    event.confidence = e[1];
    for (const auto& m : e[2]) event.mentions.push_back({m[0], m[1], m[2], m[3]});
    item.events.push_back(std::move(event));
  }
  for (const auto& e : whole["e"]) item.entities.push_back({e[0], e[1], e[2], e[3]});
  for (const auto& x : whole["x"]) item.errors.push_back(x);
}

}  // namespace heng::streams
