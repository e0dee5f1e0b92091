#include "heng/monitor/registry.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "heng/base/text.h"

namespace heng::monitor {
namespace {

using Json = nlohmann::ordered_json;

Result<void> check(const std::string& text, std::size_t most, const char* name) {
  if (text::trim(text).empty() || text.size() > most || !text::is_valid_utf8(text))
    return Error(ErrorCode::invalid_argument, fmt::format("'{}' must be text of 1 to {} bytes", name, most), name);
  return {};
}

Result<void> one_of(const std::string& value, const std::vector<std::string>& allowed, const char* name) {
  if (std::find(allowed.begin(), allowed.end(), value) != allowed.end()) return {};
  return Error(ErrorCode::invalid_argument, fmt::format("'{}' must be one of {}", name, text::join(allowed, ", ")), name);
}

bool is_sha256(const std::string& s) { return s.size() == 64 && s.find_first_not_of("0123456789abcdef") == std::string::npos; }

ModelEntry read_model(const store::Statement& row) {
  ModelEntry out;
  out.name = row.string(0);
  out.sha256 = row.string(1);
  out.owner = row.string(2);
  out.purpose = row.string(3);
  out.materiality = row.string(4);
  out.approval = row.string(5);
  out.limits = row.string(6);
  out.proposed_by = UserId(row.string(7));
  out.approved_by = UserId(row.string(8));
  out.changed_ms = row.integer(9);
  return out;
}
constexpr const char* model_columns = "name, sha256, owner, purpose, materiality, approval, limits, proposed_by, approved_by, changed_ms";

}  // namespace

const std::vector<store::Migration>& migrations() {
  static const std::vector<store::Migration> list = {{.version = 4, .name = "incidents and models", .sql = R"(
    CREATE TABLE incident (id INTEGER PRIMARY KEY, tenant TEXT NOT NULL, title TEXT NOT NULL, severity TEXT NOT NULL, state INTEGER NOT NULL) STRICT;
    CREATE TABLE incident_step (incident INTEGER NOT NULL REFERENCES incident(id) ON DELETE CASCADE, time_ms INTEGER NOT NULL, who TEXT NOT NULL, text TEXT NOT NULL) STRICT;
    CREATE INDEX incident_step_of ON incident_step(incident);
    CREATE TABLE model_entry (
      tenant TEXT NOT NULL, name TEXT NOT NULL, sha256 TEXT NOT NULL, owner TEXT NOT NULL, purpose TEXT NOT NULL, materiality TEXT NOT NULL, approval TEXT NOT NULL,
      limits TEXT NOT NULL, proposed_by TEXT NOT NULL, approved_by TEXT NOT NULL, changed_ms INTEGER NOT NULL, PRIMARY KEY (tenant, name)) STRICT;)"}};
  return list;
}

Result<void> Registry::note(const Principal& who, const char* action, const std::string& resource, const std::string& subject) {
  const std::int64_t now = clock_.unix_ms();
  HENG_TRY(audit_.note({.request = new_request_id(now, random_), .time_ms = now, .principal = who, .action = action, .subject = subject, .resource = resource}, {.time_ms = now, .outcome = "ok"}));
  return {};
}

Result<Incident> Registry::incident(const TenantId& tenant, std::int64_t id) {
  auto reader = HENG_TRY(pool_.reader());
  Incident out;
  {
    auto row = HENG_TRY(reader->prepare("SELECT id, title, severity, state FROM incident WHERE tenant = ? AND id = ?"));
    row.bind(1, tenant.value).bind(2, id);
    if (!HENG_TRY(row.step())) return Error(ErrorCode::not_found, fmt::format("there is no incident {}", id), "id");
    out = {row.integer(0), row.string(1), row.string(2), static_cast<IncidentState>(row.integer(3)), {}};
  }
  auto steps = HENG_TRY(reader->prepare("SELECT time_ms, who, text FROM incident_step WHERE incident = ? ORDER BY rowid"));
  steps.bind(1, id);
  while (HENG_TRY(steps.step())) out.timeline.push_back({steps.integer(0), UserId(steps.string(1)), steps.string(2)});
  return out;
}

Result<Incident> Registry::open_incident(const Principal& who, const std::string& title, const std::string& severity, const std::string& text) {
  HENG_TRY(check(title, 300, "title"));
  HENG_TRY(check(text, 8000, "text"));
  HENG_TRY(one_of(severity, {"low", "medium", "high"}, "severity"));
  HENG_TRY(note(who, "incident.open", severity, title + ": " + text));
  std::int64_t id = 0;
  {
    auto writer = HENG_TRY(pool_.writer());
    auto transaction = HENG_TRY(store::Transaction::begin(*writer));
    HENG_TRY(writer->run("INSERT INTO incident (tenant, title, severity, state) VALUES (?,?,?,0)", who.tenant.value, title, severity));
    id = writer->last_insert_id();
    HENG_TRY(writer->run("INSERT INTO incident_step VALUES (?,?,?,?)", id, clock_.unix_ms(), who.user.value, text));
    HENG_TRY(transaction.commit());
  }
  return incident(who.tenant, id);
}

Result<Incident> Registry::add_step(const Principal& who, std::int64_t id, const std::string& text, IncidentState state) {
  HENG_TRY(check(text, 8000, "text"));
  const auto now = HENG_TRY(incident(who.tenant, id));
  if (now.state == IncidentState::closed) return Error(ErrorCode::conflict, fmt::format("incident {} is closed; open a new one", id));
  HENG_TRY(note(who, "incident.step", fmt::format("incident:{}", id), fmt::format("{}: {}", to_string(state), text)));
  {
    auto writer = HENG_TRY(pool_.writer());
    auto transaction = HENG_TRY(store::Transaction::begin(*writer));
    HENG_TRY(writer->run("UPDATE incident SET state = ? WHERE id = ?", static_cast<int>(state), id));
    HENG_TRY(writer->run("INSERT INTO incident_step VALUES (?,?,?,?)", id, clock_.unix_ms(), who.user.value, text));
    HENG_TRY(transaction.commit());
  }
  return incident(who.tenant, id);
}

Result<std::vector<Incident>> Registry::incidents(const Principal& who, bool closed) {
  std::vector<std::int64_t> ids;
  {
    auto reader = HENG_TRY(pool_.reader());
    auto row = HENG_TRY(reader->prepare(closed ? "SELECT id FROM incident WHERE tenant = ? ORDER BY id DESC LIMIT 500" : "SELECT id FROM incident WHERE tenant = ? AND state <> 2 ORDER BY id DESC LIMIT 500"));
    row.bind(1, who.tenant.value);
    while (HENG_TRY(row.step())) ids.push_back(row.integer(0));
  }
  std::vector<Incident> out;
  for (const auto id : ids) out.push_back(HENG_TRY(incident(who.tenant, id)));
  return out;
}

Result<ModelEntry> Registry::model(const TenantId& tenant, const std::string& name) {
  auto reader = HENG_TRY(pool_.reader());
  auto row = HENG_TRY(reader->prepare(fmt::format("SELECT {} FROM model_entry WHERE tenant = ? AND name = ?", model_columns)));
  row.bind(1, tenant.value).bind(2, name);
  if (!HENG_TRY(row.step())) return Error(ErrorCode::not_found, fmt::format("the inventory has no model \"{}\"", name.substr(0, 64)), "name");
  return read_model(row);
}

Result<ModelEntry> Registry::put_model(const Principal& who, ModelEntry entry) {
  HENG_TRY(check(entry.name, 200, "name"));
  HENG_TRY(check(entry.owner, 200, "owner"));
  HENG_TRY(check(entry.purpose, 2000, "purpose"));
  HENG_TRY(one_of(entry.materiality, {"unrated", "low", "medium", "high"}, "materiality"));
  if (!is_sha256(entry.sha256)) return Error(ErrorCode::invalid_argument, "'sha256' must be 64 lower-case hexadecimal digits: the hash of the weights", "sha256");
  if (entry.limits.size() > 8000 || !text::is_valid_utf8(entry.limits)) return Error(ErrorCode::invalid_argument, "'limits' must be text of at most 8000 bytes", "limits");
  const auto before = model(who.tenant, entry.name);
  const bool same = before.ok() && before->sha256 == entry.sha256 && before->purpose == entry.purpose && before->materiality == entry.materiality && before->limits == entry.limits;
  entry.approval = same ? before->approval : "proposed";
  entry.approved_by = same ? before->approved_by : UserId();
  entry.proposed_by = same ? before->proposed_by : who.user;
  entry.changed_ms = clock_.unix_ms();
  HENG_TRY(note(who, "model.propose", entry.name, to_json(entry)));
  auto writer = HENG_TRY(pool_.writer());
  HENG_TRY(writer->run("INSERT OR REPLACE INTO model_entry (tenant, name, sha256, owner, purpose, materiality, approval, limits, proposed_by, approved_by, changed_ms) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
                       who.tenant.value, entry.name, entry.sha256, entry.owner, entry.purpose, entry.materiality, entry.approval, entry.limits, entry.proposed_by.value, entry.approved_by.value,
                       entry.changed_ms));
  return entry;
}

Result<ModelEntry> Registry::approve_model(const Principal& who, const std::string& name, const std::string& sha256) {
  auto entry = HENG_TRY(model(who.tenant, name));
  if (entry.sha256 != sha256) return Error(ErrorCode::conflict, fmt::format("the proposal is for weights {}, not {}", entry.sha256, sha256.substr(0, 64)), "sha256");
  if (entry.proposed_by == who.user) return Error(ErrorCode::permission_denied, "you proposed this model; another person must approve it");
  if (entry.materiality == "unrated") return Error(ErrorCode::conflict, "rate its materiality before it is approved", "materiality");
  HENG_TRY(note(who, "model.approve", name, sha256));
  entry.approval = "approved";
  entry.approved_by = who.user;
  entry.changed_ms = clock_.unix_ms();
  auto writer = HENG_TRY(pool_.writer());
  HENG_TRY(writer->run("UPDATE model_entry SET approval = 'approved', approved_by = ?, changed_ms = ? WHERE tenant = ? AND name = ? AND sha256 = ?", who.user.value, entry.changed_ms,
                       who.tenant.value, name, sha256));
  if (writer->changes() == 0) return Error(ErrorCode::conflict, "the entry was changed meanwhile; look again");
  return entry;
}

Result<ModelEntry> Registry::withdraw_model(const Principal& who, const std::string& name, const std::string& reason) {
  HENG_TRY(check(reason, 2000, "reason"));
  auto entry = HENG_TRY(model(who.tenant, name));
  HENG_TRY(note(who, "model.withdraw", name, reason));
  entry.approval = "withdrawn";
  entry.changed_ms = clock_.unix_ms();
  auto writer = HENG_TRY(pool_.writer());
  HENG_TRY(writer->run("UPDATE model_entry SET approval = 'withdrawn', changed_ms = ? WHERE tenant = ? AND name = ?", entry.changed_ms, who.tenant.value, name));
  return entry;
}

Result<std::vector<ModelEntry>> Registry::models(const Principal& who) {
  auto reader = HENG_TRY(pool_.reader());
  auto row = HENG_TRY(reader->prepare(fmt::format("SELECT {} FROM model_entry WHERE tenant = ? ORDER BY name", model_columns)));
  row.bind(1, who.tenant.value);
  std::vector<ModelEntry> out;
  while (HENG_TRY(row.step())) out.push_back(read_model(row));
  return out;
}

std::string_view to_string(IncidentState state) {
  switch (state) {
    case IncidentState::open: return "open";
    case IncidentState::mitigated: return "mitigated";
    case IncidentState::closed: return "closed";
  }
  return "open";
}

std::string to_json(const Incident& incident) {
  Json steps = Json::array();
  for (const auto& step : incident.timeline) steps.push_back({{"time", iso8601(step.time_ms)}, {"who", step.who.value}, {"text", step.text}});
  return Json({{"id", incident.id}, {"title", incident.title}, {"severity", incident.severity}, {"state", to_string(incident.state)}, {"timeline", std::move(steps)}})
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string to_json(const ModelEntry& e) {
  return Json({{"name", e.name}, {"sha256", e.sha256}, {"owner", e.owner}, {"purpose", e.purpose}, {"materiality", e.materiality}, {"approval", e.approval}, {"limits", e.limits},
               {"proposed_by", e.proposed_by.value}, {"approved_by", e.approved_by.value}, {"changed", e.changed_ms ? Json(iso8601(e.changed_ms)) : Json(nullptr)}})
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string model_card(const ModelEntry& e, const std::string& usage) {
  std::string out = fmt::format("# Model card: {}\n\n- Weights: sha256 `{}`\n- Owner: {}\n- Materiality: {}\n- Approval: {}{}\n- Changed: {}\n\n## Intended use\n\n{}\n\n## Limits\n\n{}\n", e.name,
                                e.sha256, e.owner, e.materiality, e.approval, e.approved_by.empty() ? "" : fmt::format(" (proposed by {}, approved by {})", e.proposed_by.value, e.approved_by.value),
                                e.changed_ms ? iso8601(e.changed_ms) : "–", e.purpose, e.limits.empty() ? "None recorded." : e.limits);
  const Json seen = Json::parse(usage, nullptr, false);
  if (!seen.is_object()) return out;
  out += fmt::format("\n## Measured in use, {} to {}\n\n", seen.value("from", ""), seen.value("to", ""));
  if (seen.contains("models") && seen["models"].contains(e.name)) {
    const auto& m = seen["models"][e.name];
    out += fmt::format("- Requests: {}\n- Prompt tokens: {}\n- Completion tokens: {}\n", m.value("requests", 0), m.value("prompt_tokens", 0), m.value("completion_tokens", 0));
  } else {
    out += "No requests.\n";
  }
  if (seen.contains("ratings")) out += fmt::format("- Ratings (all models): {} good, {} bad\n", seen["ratings"].value("good", 0), seen["ratings"].value("bad", 0));
  return out;
}

}  // namespace heng::monitor
