#include "heng/erasure/retention.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

namespace heng::erasure {
namespace {

constexpr std::int64_t day_ms = 86'400'000;

/// A list as JSON, for json_each in a statement.
template <class T>
std::string list_of(const std::vector<T>& items) {
  return nlohmann::json(items).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

template <class T>
bool has(const std::vector<T>& items, const T& item) {
  return std::find(items.begin(), items.end(), item) != items.end();
}

/// The rows of a table that are due: ?1 tenant, ?2 before, ?3 and ?4 lists of what is held.
struct Rows {
  const char* table;
  const char* where;
  const char* held;                        ///< Of those, the held ones.
};
constexpr Rows review_rows{"review", "tenant = ?1 AND created_ms < ?2 AND state <> 0", "(data_subject IN (SELECT value FROM json_each(?3)) OR audit_index IN (SELECT value FROM json_each(?4)))"};
constexpr Rows request_rows{"unmask_request", "tenant = ?1 AND created_ms < ?2", "(subject_tag IN (SELECT value FROM json_each(?3)) AND ?4 = ?4)"};
constexpr Rows rating_rows{"rating", "tenant = ?1 AND time_ms < ?2", "(audit_index IN (SELECT value FROM json_each(?4)) AND ?3 = ?3)"};
constexpr Rows vault_rows{"vault_item", "tenant = ?1 AND last_ms < ?2", "(subject_tag IN (SELECT value FROM json_each(?3)) AND ?4 = ?4)"};

struct Held {
  std::string first, second;               ///< Subjects or tags; indices of records.
};

Result<void> count_rows(store::Database& db, const Rows& rows, const TenantId& tenant, const Held& held, bool everything, RetentionCount& out) {
  const auto all = HENG_TRY(db.query_integer(fmt::format("SELECT COUNT(*) FROM {} WHERE {}", rows.table, rows.where), tenant.value, out.before_ms));
  const auto kept = everything ? all : HENG_TRY(db.query_integer(fmt::format("SELECT COUNT(*) FROM {} WHERE {} AND {}", rows.table, rows.where, rows.held), tenant.value, out.before_ms, held.first, held.second));
  out.due += all - kept;
  out.held += kept;
  return {};
}

Result<void> delete_rows(store::Database& db, const Rows& rows, const TenantId& tenant, const Held& held, std::int64_t before_ms) {
  return db.run(fmt::format("DELETE FROM {} WHERE {} AND NOT {}", rows.table, rows.where, rows.held), tenant.value, before_ms, held.first, held.second);
}

std::string words(const std::vector<RetentionCount>& counts) {
  std::string out;
  for (const auto& count : counts) {
    out += fmt::format("{}{}: {} older than {}", out.empty() ? "" : "; ", to_string(count.term.kind), count.due, iso8601(count.before_ms).substr(0, 10));
    if (count.held > 0) out += fmt::format(", {} held", count.held);
  }
  return out;
}

}  // namespace

Result<void> Retention::note(const Principal& who, const char* action, const std::string& output) {
  const std::int64_t now = clock_.unix_ms();
  Principal plain = who;
  plain.data_subject.clear();
  AuditClose close;
  close.time_ms = now;
  close.outcome = "ok";
  close.output = output;
  const auto& header = policy_->header;
  HENG_TRY(parts_.audit.note({.request = new_request_id(now, random_), .time_ms = now, .principal = plain, .action = action,
                              .subject = fmt::format("{} {} ({}), sha256 {}", header.id, header.version, header.clause, header.sha256), .resource = "retention"},
                             close));
  return {};
}

Result<Retention::Holds> Retention::holds(const TenantId& tenant) {
  Holds out;
  std::vector<std::int64_t> records;
  {
    auto reader = HENG_TRY(parts_.govern.reader());
    auto row = HENG_TRY(reader->prepare("SELECT subject FROM legal_hold WHERE tenant = ? AND released_ms = 0 AND (until_ms = 0 OR until_ms > ?)"));
    row.bind(1, tenant.value).bind(2, clock_.unix_ms());
    while (HENG_TRY(row.step())) {
      const std::string subject = row.string(0);
      if (subject == hold_everything) out.everything = true;
      if (const auto record = held_record(subject)) records.push_back(*record);
      out.subjects.push_back(subject);
    }
  }
  for (const auto& subject : out.subjects) out.tags.push_back(HENG_TRY(parts_.keyring.subject_tag(tenant, subject)));
  std::vector<std::uint32_t> of_subjects;
  for (const auto& entry : parts_.keyring.entries())
    if (entry.tenant == tenant && !entry.subject_tag.empty() && has(out.tags, entry.subject_tag)) of_subjects.push_back(entry.id);
  out.records = HENG_TRY(parts_.records_under(of_subjects));
  out.keys = of_subjects;
  for (const auto record : records) {
    out.records.push_back(record);
    // an index past the ledger's end holds nothing yet
    if (const auto key = parts_.key_of(record); key.ok()) out.keys.push_back(*key);
    else if (key.error().code != ErrorCode::not_found) return key.error();
  }
  return out;
}

Result<RetentionCount> Retention::count(const TenantId& tenant, const RetentionTerm& term, const Holds& held, std::vector<std::uint32_t>& keys) {
  RetentionCount out{term, clock_.unix_ms() - term.days * day_ms};
  const std::string subjects = list_of(held.subjects), tags = list_of(held.tags), records = list_of(held.records);
  switch (term.kind) {
    case Kept::conversations: {
      const auto uses = HENG_TRY(parts_.key_uses());
      const std::int64_t in_use = clock_.unix_ms() - key_period_ms(policy_);
      for (const auto& entry : parts_.keyring.entries()) {
        const auto use = uses.find(entry.id);
        if (entry.tenant != tenant || entry.purpose != store::conversation_keys || entry.destroyed_ms != 0 || use == uses.end()) continue;
        // a key that may still be written under, or that holds one younger record, stays whole
        if (entry.created_ms >= in_use || use->second.newest_ms >= out.before_ms) continue;
        if (held.everything || has(held.keys, entry.id)) {
          out.held += use->second.records;
          continue;
        }
        out.due += use->second.records;
        keys.push_back(entry.id);
      }
      break;
    }
    case Kept::reviews: {
      auto reader = HENG_TRY(parts_.govern.reader());
      HENG_TRY(count_rows(*reader, review_rows, tenant, {subjects, records}, held.everything, out));
      HENG_TRY(count_rows(*reader, request_rows, tenant, {tags, records}, held.everything, out));
      break;
    }
    case Kept::feedback: {
      auto reader = HENG_TRY(parts_.ratings.reader());
      HENG_TRY(count_rows(*reader, rating_rows, tenant, {tags, records}, held.everything, out));
      break;
    }
    case Kept::vault: {
      auto reader = HENG_TRY(parts_.govern.reader());
      HENG_TRY(count_rows(*reader, vault_rows, tenant, {tags, records}, held.everything, out));
      break;
    }
    case Kept::stream_items:
      if (parts_.stream_items) (held.everything ? out.held : out.due) = HENG_TRY(parts_.stream_items(tenant, out.before_ms, false));
      break;
    case Kept::uploads:
      if (!parts_.uploads) break;
      out.due = HENG_TRY(parts_.uploads(tenant, out.before_ms, held.subjects, false));
      out.held = HENG_TRY(parts_.uploads(tenant, out.before_ms, {}, false)) - out.due;
      if (held.everything) out.held += std::exchange(out.due, 0);
      break;
  }
  return out;
}

Result<void> Retention::remove(const TenantId& tenant, const RetentionCount& due, const Holds& held, const std::vector<std::uint32_t>& keys) {
  if (due.due == 0) return {};
  const std::string subjects = list_of(held.subjects), tags = list_of(held.tags), records = list_of(held.records);
  const auto from = [&](store::Pool& pool, const std::vector<std::pair<Rows, Held>>& tables) -> Result<void> {
    auto writer = HENG_TRY(pool.writer());
    auto transaction = HENG_TRY(store::Transaction::begin(*writer));
    for (const auto& [rows, kept] : tables) HENG_TRY(delete_rows(*writer, rows, tenant, kept, due.before_ms));
    HENG_TRY(transaction.commit());
    return writer->checkpoint();
  };
  switch (due.term.kind) {
    case Kept::conversations: HENG_TRY(parts_.keyring.destroy_keys(keys)); return {};
    case Kept::reviews: return from(parts_.govern, {{review_rows, {subjects, records}}, {request_rows, {tags, records}}});
    case Kept::feedback: return from(parts_.ratings, {{rating_rows, {tags, records}}});
    case Kept::vault: return from(parts_.govern, {{vault_rows, {tags, records}}});
    case Kept::stream_items: HENG_TRY(parts_.stream_items(tenant, due.before_ms, true)); return {};
    case Kept::uploads: HENG_TRY(parts_.uploads(tenant, due.before_ms, held.subjects, true)); return {};
  }
  return {};
}

Result<std::vector<RetentionCount>> Retention::plan(const Principal& who) {
  if (!policy_) return Error(ErrorCode::not_found, "there is no retention policy in force: write policies/retention.toml beside heng.toml (`heng retention example`)");
  const auto held = HENG_TRY(holds(who.tenant));
  std::vector<RetentionCount> out;
  std::vector<std::uint32_t> keys;
  for (const auto& term : policy_->terms) out.push_back(HENG_TRY(count(who.tenant, term, held, keys)));
  return out;
}

Result<std::vector<RetentionCount>> Retention::run(const Principal& who) {
  // ratings belong to records: what is held is looked up before any key goes
  if (!policy_) return plan(who);
  const auto held = HENG_TRY(holds(who.tenant));
  std::vector<RetentionCount> due;
  std::vector<std::uint32_t> keys;
  for (const auto& term : policy_->terms) due.push_back(HENG_TRY(count(who.tenant, term, held, keys)));
  HENG_TRY(note(who, "retention", words(due)));
  for (const auto& each : due) HENG_TRY(remove(who.tenant, each, held, keys));
  HENG_TRY(note(who, "retention.done", words(due)));
  return due;
}

}  // namespace heng::erasure
