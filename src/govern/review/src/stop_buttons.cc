#include "heng/review/stop_buttons.h"

#include <fmt/format.h>

#include "heng/base/text.h"

namespace heng::review {
namespace {

constexpr std::size_t most_reason_bytes = 4000, most_name_bytes = 256;
constexpr const char* columns = "id, kind, name, tenant, reason, stopped_by, stopped_ms, resume_asked_by, resume_asked_ms, resumed_by, resumed_ms";

StopInfo read_row(const store::Statement& row) {
  StopInfo out;
  out.id = row.integer(0);
  out.kind = static_cast<StopKind>(row.integer(1));
  out.name = row.string(2);
  out.tenant = TenantId(row.string(3));
  out.reason = row.string(4);
  out.stopped_by = UserId(row.string(5));
  out.stopped_ms = row.integer(6);
  out.resume_asked_by = UserId(row.string(7));
  out.resume_asked_ms = row.integer(8);
  out.resumed_by = UserId(row.string(9));
  out.resumed_ms = row.integer(10);
  return out;
}

bool runs_the_machine(const Principal& who) { return who.tenant.value == "default" && who.is_admin(); }
bool may_press(const Principal& who) { return who.is_admin() || who.has_role("supervisor") || who.has_role("operator"); }

bool covers(const StopInfo& stop, const StopQuestion& asked) {
  if (!stop.tenant.empty() && stop.tenant != asked.tenant) return false;
  switch (stop.kind) {
    case StopKind::everything: return true;
    case StopKind::tenant: return stop.name == asked.tenant.value;
    case StopKind::desk: return !asked.desk.empty() && stop.name == asked.desk;
    case StopKind::model: return !asked.model.empty() && stop.name == asked.model;
    case StopKind::tool: return !asked.tool.empty() && stop.name == asked.tool;
  }
  return true;
}

Result<void> check_reason(const std::string& reason) {
  if (text::trim(reason).empty()) return Error(ErrorCode::invalid_argument, "say why: a reason is required and recorded", "reason");
  if (reason.size() > most_reason_bytes || !text::is_valid_utf8(reason))
    return Error(ErrorCode::invalid_argument, fmt::format("the reason must be text of at most {} bytes", most_reason_bytes), "reason");
  return {};
}

bool touches(const StopInfo& stop, const Principal& who) {
  if (runs_the_machine(who) || stop.tenant == who.tenant) return true;
  return stop.tenant.empty() && (stop.kind != StopKind::tenant || stop.name == who.tenant.value);
}

}  // namespace

Result<std::unique_ptr<StopButtons>> StopButtons::create(store::Pool& pool, Audit& audit, std::chrono::milliseconds refresh, const Clock& clock, Random& random) {
  std::unique_ptr<StopButtons> made(new StopButtons(pool, audit, refresh, clock, random));
  const std::lock_guard lock(made->mutex_);
  HENG_TRY(made->reload());
  return made;
}

Result<std::vector<StopInfo>> StopButtons::read(std::string_view where) const {
  auto reader = HENG_TRY(pool_.reader());
  auto row = HENG_TRY(reader->prepare(fmt::format("SELECT {} FROM stop {}", columns, where)));
  std::vector<StopInfo> out;
  while (HENG_TRY(row.step())) out.push_back(read_row(row));
  return out;
}

Result<void> StopButtons::reload() const {
  read_at_ = clock_.steady();
  auto rows = read("WHERE resumed_ms = 0 ORDER BY id");
  readable_ = rows.ok();
  if (!rows.ok()) return rows.error();
  active_ = std::move(*rows);
  return {};
}

Result<void> StopButtons::check(const StopQuestion& asked) const {
  const std::lock_guard lock(mutex_);
  if (clock_.steady() - read_at_ >= refresh_) (void)reload();
  if (!readable_) return Error(ErrorCode::policy_denied, "the list of stops cannot be read, so nothing runs; ask the operator to look at the log");
  for (const auto& stop : active_) {
    if (!covers(stop, asked)) continue;
    return Error(ErrorCode::policy_denied, fmt::format("stopped: {}{}{} is halted since {} (stop {}): {}", to_string(stop.kind), stop.name.empty() ? "" : " ", stop.name,
                                                       iso8601(stop.stopped_ms), stop.id, stop.reason));
  }
  return {};
}

Result<void> StopButtons::note(const Principal& who, const char* action, const StopInfo& stop, const std::string& reason) {
  const std::int64_t now = clock_.unix_ms();
  HENG_TRY(audit_.note({.request = new_request_id(now, random_), .time_ms = now, .principal = who, .action = action, .subject = reason,
                        .resource = fmt::format("{}:{}", to_string(stop.kind), stop.name)},
                       {.time_ms = now, .outcome = "ok"}));
  return {};
}

Result<StopInfo> StopButtons::stop(const Principal& who, StopKind kind, const std::string& name, const std::string& reason) {
  HENG_TRY(check_reason(reason));
  if (kind != StopKind::everything && text::trim(name).empty())
    return Error(ErrorCode::invalid_argument, fmt::format("say which {} to stop", to_string(kind)), "name");
  if (name.size() > most_name_bytes || !text::is_valid_utf8(name)) return Error(ErrorCode::invalid_argument, "the name is too long or not UTF-8", "name");
  const bool own = kind == StopKind::tenant ? name == who.tenant.value : kind != StopKind::everything;
  if (!may_press(who) || (!own && !runs_the_machine(who)))
    return Error(ErrorCode::permission_denied, own ? "stopping needs the role admin, supervisor or operator"
                                                   : "this stop reaches beyond your tenant: it needs an administrator of the tenant \"default\"");
  StopInfo made;
  made.kind = kind;
  made.name = kind == StopKind::everything ? "" : name;
  // whoever runs the machine halts a model or tool for all; a tenant's own people for themselves
  if (kind != StopKind::everything && kind != StopKind::tenant && !runs_the_machine(who)) made.tenant = who.tenant;
  made.reason = reason;
  made.stopped_by = who.user;
  made.stopped_ms = clock_.unix_ms();
  {
    // halts first and is written down at once after: a full ledger must not keep a machine running
    auto writer = HENG_TRY(pool_.writer());
    HENG_TRY(writer->run("INSERT INTO stop (kind, name, tenant, reason, stopped_by, stopped_ms) VALUES (?,?,?,?,?,?)", static_cast<int>(kind), made.name,
                         made.tenant.value, reason, who.user.value, made.stopped_ms));
    made.id = writer->last_insert_id();
  }
  {
    const std::lock_guard lock(mutex_);
    HENG_TRY(reload());
  }
  if (auto noted = note(who, "stop", made, reason); !noted.ok())
    return Error(ErrorCode::unavailable, fmt::format("stop {} is in force, but the ledger could not note it: {}", made.id, noted.error().message));
  return made;
}

Result<StopInfo> StopButtons::resume(const Principal& who, std::int64_t id, const std::string& reason) {
  HENG_TRY(check_reason(reason));
  auto found = HENG_TRY(read(fmt::format("WHERE id = {}", id)));
  if (found.empty() || !touches(found[0], who)) return Error(ErrorCode::not_found, fmt::format("there is no stop {}", id), "id");
  StopInfo stop = std::move(found[0]);
  const bool beyond = stop.tenant.empty() && !(stop.kind == StopKind::tenant && stop.name == who.tenant.value);
  if (!may_press(who) || (beyond && !runs_the_machine(who)))
    return Error(ErrorCode::permission_denied, "resuming needs the role admin, supervisor or operator; what halts other tenants too, an administrator of \"default\"");
  if (stop.resumed_ms != 0) return Error(ErrorCode::conflict, fmt::format("stop {} was lifted on {}", id, iso8601(stop.resumed_ms)));
  const std::int64_t now = clock_.unix_ms();
  if (stop.resume_asked_ms == 0) {
    HENG_TRY(note(who, "resume.ask", stop, reason));
    auto writer = HENG_TRY(pool_.writer());
    HENG_TRY(writer->run("UPDATE stop SET resume_asked_by = ?, resume_asked_ms = ? WHERE id = ? AND resume_asked_ms = 0", who.user.value, now, id));
    if (writer->changes() == 0) return Error(ErrorCode::conflict, "someone else has just asked for it; look again");
    stop.resume_asked_by = who.user;
    stop.resume_asked_ms = now;
    return stop;
  }
  if (stop.resume_asked_by == who.user)
    return Error(ErrorCode::conflict, fmt::format("you have asked for it yourself on {}; a second person must agree", iso8601(stop.resume_asked_ms)));
  HENG_TRY(note(who, "resume", stop, reason));
  {
    auto writer = HENG_TRY(pool_.writer());
    HENG_TRY(writer->run("UPDATE stop SET resumed_by = ?, resumed_ms = ? WHERE id = ? AND resumed_ms = 0", who.user.value, now, id));
    if (writer->changes() == 0) return Error(ErrorCode::conflict, fmt::format("stop {} was lifted meanwhile", id));
  }
  stop.resumed_by = who.user;
  stop.resumed_ms = now;
  const std::lock_guard lock(mutex_);
  HENG_TRY(reload());
  return stop;
}

Result<std::vector<StopInfo>> StopButtons::list(const Principal& who, bool lifted) {
  std::vector<StopInfo> out;
  for (auto& stop : HENG_TRY(read(lifted ? "ORDER BY id DESC LIMIT 1000" : "WHERE resumed_ms = 0 ORDER BY id DESC")))
    if (touches(stop, who)) out.push_back(std::move(stop));
  return out;
}

}  // namespace heng::review
