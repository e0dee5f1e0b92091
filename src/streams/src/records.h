#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "heng/contracts/streams.h"
#include "heng/store/database.h"
#include "similar.h"

namespace heng::streams {

/// A row of the table stream.
struct StreamRow {
  std::int64_t id = 0;
  TenantId tenant;
  std::string name, tasks;
  std::int64_t newest_ms = 0, live = 0, pruned = 0;
};

/// Nothing where the stream is not there yet.
Result<std::optional<StreamRow>> find_stream(store::Database& db, const TenantId& tenant, const std::string& name);
Result<StreamRow> ensure_stream(store::Database& db, const TenantId& tenant, const std::string& name);

/// The axis of windows: the event time, else published, else ingest; a time more than five minutes ahead of ingest is not believed.
std::int64_t time_of(std::int64_t event_ms, std::int64_t published_ms, std::int64_t ingest_ms);

/// Writes an item; returns its number.
Result<std::int64_t> insert_item(store::Database& db, const StreamRow& stream, const StreamItem& item, const Fingerprint& fingerprint);
Result<void> insert_bands(store::Database& db, const StreamRow& stream, std::int64_t number, const Fingerprint& fingerprint);
/// Takes what left the duplicate window out of the bands; at most `most` items a call.
Result<void> prune_bands(store::Database& db, StreamRow& stream, std::int64_t oldest_ms, std::int64_t most_items, int most);

/// The newest item with this hash inside the window: number and the sender's id.
struct Known {
  std::int64_t number = 0, duplicate_of = 0;
  std::string external_id;
};
Result<std::optional<Known>> find_copy(store::Database& db, const StreamRow& stream, std::string_view sha256, std::int64_t oldest_ms);
/// Numbers of items inside the window that share a band.
Result<std::vector<std::int64_t>> find_candidates(store::Database& db, const StreamRow& stream, const Fingerprint& fingerprint, std::int64_t oldest_ms);
struct Stored {
  std::string text;
  Fingerprint fingerprint;
};
Result<Stored> read_candidate(store::Database& db, std::int64_t number);

/// Calls `each` with every item of the query in its order until it returns false.
Result<void> read_items(store::Database& db, const TenantId& tenant, const ItemQuery& query,
                        const std::function<bool(StreamItem&&, std::string_view fingerprint)>& each);

std::string results_json(const StreamItem& item);
void read_results(std::string_view json, StreamItem& item);

}  // namespace heng::streams
