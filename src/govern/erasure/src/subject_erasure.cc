#include "heng/erasure/subject_erasure.h"

#include <fmt/format.h>

#include <algorithm>

#include "heng/base/text.h"
#include "heng/erasure/retention.h"

namespace heng::erasure {
namespace {

Result<void> check_reason(const std::string& reason) {
  if (text::trim(reason).empty() || reason.size() > 4000 || !text::is_valid_utf8(reason))
    return Error(ErrorCode::invalid_argument, "say why, in at most 4000 bytes; it is recorded", "reason");
  return {};
}

Hold read_row(const store::Statement& row) {
  Hold out;
  out.id = row.integer(0);
  out.subject = row.string(1);
  out.reason = row.string(2);
  out.set_by = UserId(row.string(3));
  out.set_ms = row.integer(4);
  out.until_ms = row.integer(5);
  out.released_by = UserId(row.string(6));
  out.released_ms = row.integer(7);
  return out;
}

}  // namespace

Result<void> check_subject(std::string_view subject) {
  const bool plain = !subject.empty() && text::is_valid_utf8(subject) && text::code_points(subject) <= 128 &&
                     std::none_of(subject.begin(), subject.end(), [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7f || c == ','; });
  if (!plain) return Error(ErrorCode::invalid_argument, "a subject's id has 1 to 128 characters, no spaces, commas or control characters", "subject");
  return {};
}

const std::vector<store::Migration>& migrations() {
  static const std::vector<store::Migration> list = {{.version = 3, .name = "legal holds", .sql = R"(
    CREATE TABLE legal_hold (
      id INTEGER PRIMARY KEY, tenant TEXT NOT NULL, subject TEXT NOT NULL, reason TEXT NOT NULL, set_by TEXT NOT NULL, set_ms INTEGER NOT NULL,
      until_ms INTEGER NOT NULL, released_by TEXT NOT NULL DEFAULT '', released_ms INTEGER NOT NULL DEFAULT 0) STRICT;
    CREATE INDEX legal_hold_subject ON legal_hold(tenant, subject);)"}};
  return list;
}

Result<void> SubjectErasure::note(const Principal& who, const char* action, const std::string& resource, const std::string& reason, const std::string& output) {
  const std::int64_t now = clock_.unix_ms();
  Principal plain = who;
  plain.data_subject.clear();   // what is noted of an erasure must outlive it
  AuditClose close;
  close.time_ms = now;
  close.outcome = "ok";
  close.output = output;
  HENG_TRY(parts_.audit.note({.request = new_request_id(now, random_), .time_ms = now, .principal = plain, .action = action, .subject = reason, .resource = resource}, close));
  return {};
}

Result<std::vector<Hold>> SubjectErasure::read(const TenantId& tenant, std::string_view where, std::string_view value) {
  auto reader = HENG_TRY(parts_.govern.reader());
  auto row = HENG_TRY(reader->prepare(fmt::format("SELECT id, subject, reason, set_by, set_ms, until_ms, released_by, released_ms FROM legal_hold WHERE tenant = ?1 AND {} ORDER BY id DESC LIMIT 100000", where)));
  row.bind(1, tenant.value).bind(2, value);
  std::vector<Hold> out;
  while (HENG_TRY(row.step())) out.push_back(read_row(row));
  return out;
}

Result<Hold> SubjectErasure::hold(const Principal& who, const std::string& subject, const std::string& reason, std::int64_t until_ms) {
  HENG_TRY(check_subject(subject));
  HENG_TRY(check_reason(reason));
  const std::int64_t now = clock_.unix_ms();
  if (until_ms != 0 && until_ms <= now) return Error(ErrorCode::invalid_argument, "the hold would end in the past", "until");
  Hold out{0, subject, reason, who.user, now, until_ms, {}, 0};
  const auto tag = HENG_TRY(parts_.keyring.subject_tag(who.tenant, subject));
  HENG_TRY(note(who, "hold.set", "subject:" + tag, reason, ""));
  auto writer = HENG_TRY(parts_.govern.writer());
  HENG_TRY(writer->run("INSERT INTO legal_hold (tenant, subject, reason, set_by, set_ms, until_ms) VALUES (?,?,?,?,?,?)", who.tenant.value, subject, reason, who.user.value, now, until_ms));
  out.id = writer->last_insert_id();
  return out;
}

Result<Hold> SubjectErasure::release(const Principal& who, std::int64_t id, const std::string& reason) {
  HENG_TRY(check_reason(reason));
  auto found = HENG_TRY(read(who.tenant, "id = CAST(?2 AS INTEGER)", std::to_string(id)));
  if (found.empty()) return Error(ErrorCode::not_found, fmt::format("there is no hold {}", id), "id");
  Hold& hold = found[0];
  if (hold.released_ms != 0) return Error(ErrorCode::conflict, fmt::format("hold {} was released on {}", id, iso8601(hold.released_ms)));
  if (hold.set_by == who.user) return Error(ErrorCode::conflict, "you set this hold; a second person must release it");
  const auto tag = HENG_TRY(parts_.keyring.subject_tag(who.tenant, hold.subject));
  HENG_TRY(note(who, "hold.release", "subject:" + tag, reason, ""));
  hold.released_by = who.user;
  hold.released_ms = clock_.unix_ms();
  auto writer = HENG_TRY(parts_.govern.writer());
  HENG_TRY(writer->run("UPDATE legal_hold SET released_by = ?, released_ms = ? WHERE id = ? AND released_ms = 0", who.user.value, hold.released_ms, id));
  return hold;
}

Result<std::vector<Hold>> SubjectErasure::holds(const Principal& who, bool released) { return read(who.tenant, released ? "?2 = ?2" : "?2 = ?2 AND released_ms = 0", ""); }

Result<ErasureReport> SubjectErasure::erase(const Principal& who, const std::string& subject, const std::string& reason) {
  HENG_TRY(check_subject(subject));
  HENG_TRY(check_reason(reason));
  ErasureReport report;
  report.subject_tag = HENG_TRY(parts_.keyring.subject_tag(who.tenant, subject));
  std::vector<std::uint32_t> keys;
  for (const auto& entry : parts_.keyring.entries())
    if (entry.tenant == who.tenant && entry.subject_tag == report.subject_tag && entry.destroyed_ms == 0) keys.push_back(entry.id);
  const auto records = HENG_TRY(parts_.records_under(keys));
  for (const auto& hold : HENG_TRY(read(who.tenant, "?2 = ?2 AND released_ms = 0", ""))) {
    if (hold.until_ms != 0 && hold.until_ms <= clock_.unix_ms()) continue;
    const auto record = held_record(hold.subject);
    const bool forbids = hold.subject == subject || hold.subject == hold_everything || (record && std::find(records.begin(), records.end(), *record) != records.end());
    if (forbids) return Error(ErrorCode::policy_denied, fmt::format("hold {} forbids it{}: {}", hold.id, hold.until_ms ? " until " + iso8601(hold.until_ms) : "", hold.reason));
  }
  // on record before anything goes, so that nothing can vanish without a trace
  HENG_TRY(note(who, "erase", "subject:" + report.subject_tag, reason, ""));
  report.records = static_cast<std::int64_t>(records.size());
  report.documents = HENG_TRY(parts_.erase_documents(who.tenant, subject));
  {
    auto writer = HENG_TRY(parts_.govern.writer());
    auto transaction = HENG_TRY(store::Transaction::begin(*writer));
    HENG_TRY(writer->run("DELETE FROM review WHERE tenant = ?1 AND (data_subject = ?2 OR id IN (SELECT review FROM unmask_request WHERE tenant = ?1 AND subject_tag = ?3))", who.tenant.value,
                         subject, report.subject_tag));
    report.reviews = static_cast<int>(writer->changes());
    HENG_TRY(writer->run("DELETE FROM unmask_request WHERE tenant = ? AND subject_tag = ?", who.tenant.value, report.subject_tag));
    HENG_TRY(writer->run("DELETE FROM vault_item WHERE tenant = ? AND subject_tag = ?", who.tenant.value, report.subject_tag));
    report.values = static_cast<int>(writer->changes());
    HENG_TRY(writer->run("DELETE FROM legal_hold WHERE tenant = ? AND subject = ?", who.tenant.value, subject));
    HENG_TRY(transaction.commit());
    HENG_TRY(writer->checkpoint());
  }
  {
    auto writer = HENG_TRY(parts_.ratings.writer());
    auto transaction = HENG_TRY(store::Transaction::begin(*writer));
    for (const auto index : records) {
      HENG_TRY(writer->run("DELETE FROM rating WHERE tenant = ? AND audit_index = ?", who.tenant.value, index));
      report.ratings += static_cast<int>(writer->changes());
    }
    HENG_TRY(transaction.commit());
    HENG_TRY(writer->checkpoint());
  }
  // last, so that an erasure that broke off can be done again from the records
  report.keys = HENG_TRY(parts_.keyring.destroy_subject(who.tenant, subject));
  HENG_TRY(note(who, "erase.done", "subject:" + report.subject_tag, "",
                fmt::format("{} documents, {} reviews, {} ratings, {} values, {} records, {} keys", report.documents, report.reviews, report.ratings, report.values, report.records, report.keys)));
  return report;
}

}  // namespace heng::erasure
