#include "alerting.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "companies.h"
#include "heng/base/text.h"

namespace heng::streams {
namespace {

constexpr std::size_t most_hits = 10'000, most_quote = 400;

bool contains(const std::vector<std::string>& list, std::string_view value) { return std::find(list.begin(), list.end(), value) != list.end(); }

bool label_holds(const Condition& c, const StreamItem& item) {
  return std::any_of(item.labels.begin(), item.labels.end(), [&](const StreamLabel& l) {
    return (c.label_task.empty() || l.task == c.label_task) && l.confidence >= c.label_confidence && contains(c.labels, l.label);
  });
}

bool names_watched(const Event& event, const StreamItem& item, const std::vector<WatchedName>& watched) {
  bool has_arguments = false;
  for (const auto& mention : event.mentions) {
    if (mention.role == "trigger") continue;
    has_arguments = true;
    if (!watched_in(mention.word, watched).empty()) return true;
  }
  return !has_arguments && !watched_in(item.text, watched).empty();
}

bool event_holds(const Condition& c, const StreamItem& item, const std::vector<WatchedName>& watched) {
  return std::any_of(item.events.begin(), item.events.end(), [&](const Event& e) {
    return (contains(c.event_types, e.type) || contains(c.event_types, "*")) && e.confidence >= c.event_confidence && (!c.watched || names_watched(e, item, watched));
  });
}

bool entity_holds(const Condition& c, const StreamItem& item) {
  return std::any_of(item.entities.begin(), item.entities.end(), [&](const StreamEntity& e) {
    if (!c.entity_types.empty() && !contains(c.entity_types, e.type)) return false;
    return c.entity_names.empty() || contains(c.entity_names, e.word) || contains(c.entity_names, e.name) || contains(c.entity_names, e.id);
  });
}

bool words_hold(const Condition& c, const StreamItem& item) {
  if (c.any_words.empty() && c.all_words.empty() && c.no_words.empty()) return true;
  const std::string lower = folded(item.text);
  const auto there = [&](const std::string& word) { return holds_word(lower, folded(word)); };
  return (c.any_words.empty() || std::any_of(c.any_words.begin(), c.any_words.end(), there)) && std::all_of(c.all_words.begin(), c.all_words.end(), there) &&
         std::none_of(c.no_words.begin(), c.no_words.end(), there);
}

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) text.replace(at, what.size(), by);
}

std::string dedup_of(const Rule& rule, const RuleKey& key, const StreamItem& item) {
  std::string out = rule.dedup;
  std::string label, event;
  for (const auto& l : item.labels)
    if (label.empty() && (rule.condition.labels.empty() || contains(rule.condition.labels, l.label))) label = l.label;
  for (const auto& e : item.events)
    if (event.empty() && (rule.condition.event_types.empty() || contains(rule.condition.event_types, e.type) || contains(rule.condition.event_types, "*"))) event = e.type;
  for (const auto& [name, value] : {std::pair<std::string_view, std::string_view>{"{rule}", rule.id}, {"{stream}", item.stream}, {"{label}", label}, {"{event}", event}, {"{source}", item.source},
                                    {"{key}", key.id.empty() ? key.text : key.id}})
    replace_all(out, name, value);
  // a rule's silence never covers another rule's alerts
  return rule.id + "\n" + out;
}

std::string quote(const std::string& text) {
  if (text::code_points(text) <= most_quote) return text;
  return text.substr(0, text::byte_offset(text, most_quote - 1)) + "…";
}

struct Hit {
  std::int64_t at_ms, item;
};

/// The fullest window of the rule's length that holds the hit; empty where none is full enough.
Result<std::vector<Hit>> full_window(store::Database& db, const Rule& rule, const TenantId& tenant, const std::string& key, std::int64_t at_ms) {
  std::vector<Hit> hits;
  auto row = HENG_TRY(db.prepare("SELECT at_ms, item FROM hit WHERE tenant = ? AND rule = ? AND key = ? AND at_ms BETWEEN ? AND ? ORDER BY at_ms, item LIMIT ?"));
  row.bind_all(tenant.value, rule.id, key, at_ms - rule.window_ms, at_ms + rule.window_ms, static_cast<std::int64_t>(most_hits));
  while (HENG_TRY(row.step())) hits.push_back({row.integer(0), row.integer(1)});
  std::size_t best_begin = 0, best_count = 0;
  for (std::size_t begin = 0, end = 0; begin < hits.size(); ++begin) {
    while (end < hits.size() && hits[end].at_ms - hits[begin].at_ms <= rule.window_ms) ++end;
    const bool covers = hits[begin].at_ms <= at_ms && hits[end - 1].at_ms >= at_ms;
    if (covers && end - begin > best_count) {
      best_begin = begin;
      best_count = end - begin;
    }
  }
  if (best_count < static_cast<std::size_t>(rule.count)) return std::vector<Hit>();
  return std::vector<Hit>(hits.begin() + static_cast<std::ptrdiff_t>(best_begin), hits.begin() + static_cast<std::ptrdiff_t>(best_begin + best_count));
}

Result<bool> raise(store::Database& db, const Rule& rule, const StreamRow& stream, const RuleKey& key, const StreamItem& item, const std::vector<Hit>& window, std::int64_t now_ms) {
  const std::string dedup = dedup_of(rule, key, item);
  const std::int64_t from = window.front().at_ms, to = window.back().at_ms;
  if (rule.cooldown_ms > 0) {
    auto last = HENG_TRY(db.prepare("SELECT id FROM alert WHERE tenant = ? AND dedup = ? AND window_to_ms > ? AND window_to_ms < ? ORDER BY window_to_ms DESC LIMIT 1"));
    last.bind_all(stream.tenant.value, dedup, to - rule.cooldown_ms, to + rule.cooldown_ms);
    if (HENG_TRY(last.step())) {
      const auto id = last.integer(0);
      last.reset();
      HENG_TRY(db.run("UPDATE alert SET suppressed = suppressed + 1 WHERE id = ?", id));
      return false;
    }
  }
  nlohmann::json items = nlohmann::json::array();
  for (const auto& hit : window) items.push_back(hit.item);
  HENG_TRY(db.run("INSERT INTO alert (tenant, rule, name_zh, name_en, severity, owner, stream, key, key_id, dedup, raised_ms, window_from_ms, window_to_ms, count, items, text, ingest_ms) "
                  "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                  stream.tenant.value, rule.id, rule.name_zh, rule.name_en, rule.severity, rule.owner, item.stream, key.text, key.id, dedup, now_ms, from, to,
                  static_cast<std::int64_t>(window.size()), items.dump(), quote(item.text), item.ingest_ms));
  const auto id = db.last_insert_id();
  for (const auto& name : rule.deliver) HENG_TRY(db.run("INSERT INTO delivery (alert, name, next_ms) VALUES (?, ?, ?)", id, name, now_ms));
  return true;
}

Alert read_alert(const store::Statement& row) {
  Alert out;
  out.id = row.integer(0);
  out.rule = row.string(1);
  out.name_zh = row.string(2);
  out.name_en = row.string(3);
  out.severity = row.string(4);
  out.owner = row.string(5);
  out.stream = row.string(6);
  out.key = row.string(7);
  out.key_id = row.string(8);
  out.raised_ms = row.integer(9);
  out.window_from_ms = row.integer(10);
  out.window_to_ms = row.integer(11);
  out.count = row.integer(12);
  const auto items = nlohmann::json::parse(row.text(13), nullptr, false);
  if (items.is_array())
    for (const auto& number : items) out.items.push_back(number);
  out.suppressed = row.integer(14);
  out.text = row.string(15);
  out.ingest_ms = row.integer(16);
  out.acknowledged_by = row.string(17);
  out.note = row.string(18);
  out.acknowledged_ms = row.integer(19);
  out.state = out.acknowledged_ms ? AlertState::acknowledged : AlertState::open;
  return out;
}

constexpr const char* alert_columns =
    "id, rule, name_zh, name_en, severity, owner, stream, key, key_id, raised_ms, window_from_ms, window_to_ms, count, items, suppressed, text, ingest_ms, acknowledged_by, note, acknowledged_ms";

}  // namespace

bool holds(const Condition& c, const StreamItem& item, const std::vector<WatchedName>& watched) {
  if (!c.labels.empty() && !label_holds(c, item)) return false;
  if (!c.event_types.empty() && !event_holds(c, item, watched)) return false;
  if ((!c.entity_types.empty() || !c.entity_names.empty()) && !entity_holds(c, item)) return false;
  if (!c.sources.empty() && !contains(c.sources, item.source)) return false;
  if (c.watched && c.event_types.empty() && watched_in(item.text, watched).empty()) return false;
  return words_hold(c, item);
}

std::vector<RuleKey> keys_of(const Rule& rule, const StreamItem& item) {
  std::vector<RuleKey> out;
  std::set<std::string> seen;
  const auto add = [&](const std::string& text, const std::string& id) {
    if (!text.empty() && seen.insert(id.empty() ? text : id).second) out.push_back({text, id});
  };
  switch (rule.key) {
    case Rule::Key::none: out.push_back({}); break;
    case Rule::Key::company:
      for (const auto& e : item.entities)
        if (e.type == "company" || (e.type == "security" && !e.id.empty())) add(e.name.empty() ? e.word : e.name, e.id);
      break;
    case Rule::Key::person:
      for (const auto& e : item.entities)
        if (e.type == "person") add(e.word, "");
      break;
    case Rule::Key::source: add(item.source, ""); break;
    case Rule::Key::stream: add(item.stream, ""); break;
    case Rule::Key::event_type:
      for (const auto& e : item.events)
        if (rule.condition.event_types.empty() || contains(rule.condition.event_types, e.type) || contains(rule.condition.event_types, "*")) add(e.type, "");
      break;
  }
  return out;
}

Result<int> evaluate(store::Database& db, const Setup& setup, const StreamRow& stream, const StreamItem& item, std::int64_t now_ms) {
  int raised = 0;
  const std::int64_t at = time_of(item.event_ms, item.published_ms, item.ingest_ms);
  for (const auto& rule : setup.rules) {
    const bool tenant = rule.tenants.empty() ? stream.tenant.value == "default" : contains(rule.tenants, "*") || contains(rule.tenants, stream.tenant.value);
    if (!tenant || (!rule.streams.empty() && !contains(rule.streams, item.stream)) || !holds(rule.condition, item, setup.watched)) continue;
    if (rule.count > 1 && at < stream.newest_ms - rule.lateness_ms) continue;
    for (const auto& key : keys_of(rule, item)) {
      std::vector<Hit> window{{at, item.number}};
      if (rule.count > 1) {
        const std::string counted = key.id.empty() ? key.text : key.id;
        HENG_TRY(db.run("INSERT OR IGNORE INTO hit (tenant, rule, key, at_ms, item) VALUES (?, ?, ?, ?, ?)", stream.tenant.value, rule.id, counted, at, item.number));
        HENG_TRY(db.run("DELETE FROM hit WHERE tenant = ? AND rule = ? AND key = ? AND at_ms < ?", stream.tenant.value, rule.id, counted, std::max(at, stream.newest_ms) - 2 * rule.window_ms - rule.lateness_ms));
        window = HENG_TRY(full_window(db, rule, stream.tenant, counted, at));
      }
      if (!window.empty() && HENG_TRY(raise(db, rule, stream, key, item, window, now_ms))) ++raised;
    }
  }
  return raised;
}

Result<std::vector<Alert>> select_alerts(store::Database& db, const TenantId& tenant, const AlertQuery& query) {
  std::string sql = fmt::format("SELECT {} FROM alert WHERE tenant = ?1", alert_columns);
  if (query.state) sql += *query.state == AlertState::open ? " AND acknowledged_ms = 0" : " AND acknowledged_ms > 0";
  if (!query.rule.empty()) sql += " AND rule = ?2";
  if (!query.severity.empty()) sql += " AND severity = ?3";
  if (!query.stream.empty()) sql += " AND stream = ?4";
  if (!query.key.empty()) sql += " AND (key = ?5 OR key_id = ?5)";
  if (query.before > 0) sql += " AND id < ?6";
  if (query.after) sql += " AND id > ?7";
  sql += query.after ? " ORDER BY id LIMIT ?8" : " ORDER BY id DESC LIMIT ?8";
  auto row = HENG_TRY(db.prepare(sql));
  row.bind(1, tenant.value);
  if (!query.rule.empty()) row.bind(2, query.rule);
  if (!query.severity.empty()) row.bind(3, query.severity);
  if (!query.stream.empty()) row.bind(4, query.stream);
  if (!query.key.empty()) row.bind(5, query.key);
  if (query.before > 0) row.bind(6, query.before);
  if (query.after) row.bind(7, *query.after);
  row.bind(8, query.limit);
  std::vector<Alert> out;
  while (HENG_TRY(row.step())) out.push_back(read_alert(row));
  return out;
}

Result<Alert> find_alert(store::Database& db, const TenantId& tenant, std::int64_t id) {
  auto row = HENG_TRY(db.prepare(fmt::format("SELECT {} FROM alert WHERE tenant = ? AND id = ?", alert_columns)));
  row.bind_all(tenant.value, id);
  if (!HENG_TRY(row.step())) return Error(ErrorCode::not_found, fmt::format("there is no alert {} here; GET /v1/alerts lists them", id), "id");
  return read_alert(row);
}

}  // namespace heng::streams
