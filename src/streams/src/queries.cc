// What is read from the streams: lists, alerts, waiting for alerts, acknowledging.
#include <fmt/format.h>

#include <algorithm>

#include "alerting.h"
#include "companies.h"
#include "heng/base/text.h"
#include "heng/streams/engine.h"
#include "records.h"

namespace heng::streams {
namespace {

constexpr std::size_t most_note_bytes = 4000;
constexpr int most_waiters = 24;

bool may_acknowledge(const Principal& who) {
  return who.is_admin() || who.has_role("analyst") || who.has_role("supervisor") || who.has_role("operator") || who.has_role("reviewer");
}

}  // namespace

Result<std::vector<StreamInfo>> StreamEngine::streams(const Principal& who) {
  auto reader = HENG_TRY(pool_.reader());
  auto row = HENG_TRY(reader->prepare("SELECT name, items, duplicates, near_duplicates, rejected, last_ingest_ms, tasks FROM stream WHERE tenant = ? ORDER BY name"));
  row.bind(1, who.tenant.value);
  std::vector<StreamInfo> out;
  while (HENG_TRY(row.step())) {
    StreamInfo info{row.string(0), row.integer(1), row.integer(2), row.integer(3), row.integer(4), row.integer(5), {}};
    for (const auto task : text::split(row.text(6), ','))
      if (!task.empty()) info.tasks.emplace_back(task);
    out.push_back(std::move(info));
  }
  return out;
}

Result<std::vector<StreamItem>> StreamEngine::items(const Principal& who, const ItemQuery& query) {
  const auto setup = setup_.current();
  const bool by_company = !query.company.empty();
  const auto company = by_company ? company_named(query.company, setup->watched) : CompanyName{};
  constexpr int most_looked_at = 200'000;
  int looked_at = 0;
  std::vector<StreamItem> out;
  auto reader = HENG_TRY(pool_.reader());
  HENG_TRY(read_items(*reader, who.tenant, query, [&](StreamItem&& item, std::string_view) {
    const bool labelled = (query.task.empty() && query.label.empty()) || std::any_of(item.labels.begin(), item.labels.end(), [&](const StreamLabel& l) {
      return (query.task.empty() || l.task == query.task) && (query.label.empty() || l.label == query.label);
    });
    if (labelled && (!by_company || is_about(item, company))) out.push_back(std::move(item));
    return static_cast<int>(out.size()) < query.limit && ++looked_at < most_looked_at;
  }));
  return out;
}

Result<std::vector<Alert>> StreamEngine::alerts(const Principal& who, const AlertQuery& query) {
  auto reader = HENG_TRY(pool_.reader());
  return select_alerts(*reader, who.tenant, query);
}

Result<AlertRules> StreamEngine::alert_rules(const Principal& who) {
  AlertRules out;
  const auto setup = setup_.current();
  for (const auto& rule : setup->rules) {
    const bool mine = rule.tenants.empty() ? who.tenant.value == "default"
                                           : std::any_of(rule.tenants.begin(), rule.tenants.end(), [&](const std::string& t) { return t == "*" || t == who.tenant.value; });
    if (mine) out.rules.push_back({rule.id, rule.name_zh, rule.name_en, rule.severity, rule.owner, describe(rule)});
  }
  out.error = setup_.error();
  out.loaded_ms = setup_.loaded_ms();
  return out;
}

Result<std::vector<Alert>> StreamEngine::wait_for_alerts(const Principal& who, std::int64_t after, std::chrono::milliseconds wait, std::stop_token stop) {
  struct Counted {
    std::atomic<int>& count;
    const int now;
    explicit Counted(std::atomic<int>& c) : count(c), now(++c) {}
    ~Counted() { --count; }
  } counted(waiters_);
  if (counted.now > most_waiters) return Error(ErrorCode::overloaded, fmt::format("{} readers wait for alerts, the limit; try again later", most_waiters));
  constexpr std::chrono::milliseconds look_again{100};   // for what other processes raise
  const auto limit = std::chrono::steady_clock::now() + wait;
  AlertQuery query;
  query.after = after;
  query.limit = 100;
  while (true) {
    std::uint64_t seen = 0;
    {
      const std::lock_guard lock(raised_mutex_);
      seen = raised_count_;
    }
    {
      auto reader = HENG_TRY(pool_.reader());
      auto found = HENG_TRY(select_alerts(*reader, who.tenant, query));
      if (!found.empty()) return found;
    }
    if (stop.stop_requested() || std::chrono::steady_clock::now() >= limit) return std::vector<Alert>();
    std::unique_lock lock(raised_mutex_);
    raised_condition_.wait_for(lock, stop, std::min<std::chrono::steady_clock::duration>(look_again, limit - std::chrono::steady_clock::now()), [&] { return raised_count_ != seen; });
  }
}

Result<Alert> StreamEngine::acknowledge(const Principal& who, std::int64_t id, const std::string& note) {
  if (audit_ == nullptr) return Error(ErrorCode::unavailable, "alerts are acknowledged where the ledger is open");
  if (!may_acknowledge(who)) return Error(ErrorCode::permission_denied, "acknowledging an alert needs one of the roles analyst, reviewer, operator, supervisor, admin");
  if (text::trim(note).empty()) return Error(ErrorCode::invalid_argument, "say what was found: a note is required and recorded", "note");
  if (note.size() > most_note_bytes || !text::is_valid_utf8(note)) return Error(ErrorCode::invalid_argument, fmt::format("the note must be text of at most {} bytes", most_note_bytes), "note");
  const std::int64_t now = clock_.unix_ms();
  auto writer = HENG_TRY(pool_.writer());
  auto transaction = HENG_TRY(store::Transaction::begin(*writer));
  auto alert = HENG_TRY(find_alert(*writer, who.tenant, id));
  if (alert.state == AlertState::acknowledged)
    return Error(ErrorCode::conflict, fmt::format("alert {} was acknowledged by {} at {}", id, alert.acknowledged_by, iso8601(alert.acknowledged_ms)), "id");
  HENG_TRY(writer->run("UPDATE alert SET acknowledged_by = ?, note = ?, acknowledged_ms = ? WHERE id = ?", who.user.value, note, now, id));
  // the record is durable before the acknowledgement counts
  AuditClose close;
  close.time_ms = now;
  close.outcome = "ok";
  close.output = note;
  close.verdicts.push_back({"alert:" + alert.rule, "1", "acknowledged", alert.key});
  HENG_TRY(audit_->note({.request = new_request_id(now, random_), .time_ms = now, .principal = who, .action = "alert.ack", .subject = alert.text, .resource = fmt::format("alert:{}", id)}, close));
  HENG_TRY(transaction.commit());
  alert.state = AlertState::acknowledged;
  alert.acknowledged_by = who.user.value;
  alert.acknowledged_ms = now;
  alert.note = note;
  return alert;
}

}  // namespace heng::streams
