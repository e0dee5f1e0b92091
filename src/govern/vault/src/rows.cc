#include "rows.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "heng/base/clock.h"
#include "heng/base/hash.h"

namespace heng::vault {
namespace {

constexpr const char* row_columns = "token, subject_tag, type, key, sealed, first_ms, last_ms";
constexpr const char* request_columns = "id, requester, token, subject_tag, type, reason, review, created_ms, expires_ms, shown_ms";

SealedRow read_row(const store::Statement& row) {
  SealedRow out;
  out.token = row.string(0);
  out.subject_tag = row.string(1);
  out.type = row.string(2);
  out.key = static_cast<std::uint32_t>(row.integer(3));
  out.sealed = std::string(row.blob(4));
  out.first_ms = row.integer(5);
  out.last_ms = row.integer(6);
  return out;
}

StoredRequest read_request(const store::Statement& row) {
  StoredRequest out;
  UnmaskRequest& r = out.request;
  r.id = UnmaskId(row.string(0));
  r.requester = UserId(row.string(1));
  r.token = row.string(2);
  out.subject_tag = row.string(3);
  r.type = row.string(4);
  r.reason = row.string(5);
  r.review = row.string(6);
  r.created_ms = row.integer(7);
  r.expires_ms = row.integer(8);
  r.shown_ms = row.integer(9);
  r.text = text_of(r);
  r.sha256 = sha256_hex(r.text);
  return out;
}

}  // namespace

std::string seal_context(const TenantId& tenant, const std::string& token, const std::string& subject_tag, const std::string& type) {
  return nlohmann::json({"heng-vault 1", tenant.value, token, subject_tag, type}).dump();
}

std::string text_of(const UnmaskRequest& r) {
  return nlohmann::ordered_json({{"action", "unmask"}, {"request", r.id.value}, {"token", r.token}, {"type", r.type}, {"requester", r.requester.value}, {"reason", r.reason},
                                 {"until", iso8601(r.expires_ms)}})
      .dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

Result<std::optional<SealedRow>> find_row(store::Database& db, const TenantId& tenant, const std::string& token, const std::string& subject_tag) {
  auto row = HENG_TRY(db.prepare(fmt::format("SELECT {} FROM vault_item WHERE tenant = ? AND token = ? AND subject_tag = ?", row_columns)));
  row.bind(1, tenant.value).bind(2, token).bind(3, subject_tag);
  if (!HENG_TRY(row.step())) return std::optional<SealedRow>();
  return std::optional<SealedRow>(read_row(row));
}

Result<std::vector<SealedRow>> select_rows(store::Database& db, const TenantId& tenant, const std::string& token, const std::string& type, int limit) {
  auto row = HENG_TRY(db.prepare(fmt::format("SELECT {} FROM vault_item WHERE tenant = ?1 AND (?2 = '' OR token = ?2) AND (?3 = '' OR type = ?3) ORDER BY last_ms DESC, token LIMIT ?4", row_columns)));
  row.bind(1, tenant.value).bind(2, token).bind(3, type).bind(4, limit);
  std::vector<SealedRow> out;
  while (HENG_TRY(row.step())) out.push_back(read_row(row));
  return out;
}

Result<void> insert_request(store::Database& db, const TenantId& tenant, const StoredRequest& stored) {
  const UnmaskRequest& r = stored.request;
  return db.run("INSERT INTO unmask_request (id, tenant, requester, token, subject_tag, type, reason, review, created_ms, expires_ms) VALUES (?,?,?,?,?,?,?,?,?,?)", r.id.value, tenant.value,
                r.requester.value, r.token, stored.subject_tag, r.type, r.reason, r.review, r.created_ms, r.expires_ms);
}

Result<std::vector<StoredRequest>> select_requests(store::Database& db, const TenantId& tenant, const UserId& requester, int limit) {
  auto row = HENG_TRY(db.prepare(fmt::format("SELECT {} FROM unmask_request WHERE tenant = ?1 AND (?2 = '' OR requester = ?2) ORDER BY created_ms DESC, id LIMIT ?3", request_columns)));
  row.bind(1, tenant.value).bind(2, requester.value).bind(3, limit);
  std::vector<StoredRequest> out;
  while (HENG_TRY(row.step())) out.push_back(read_request(row));
  return out;
}

Result<StoredRequest> find_request(store::Database& db, const TenantId& tenant, const UnmaskId& id) {
  auto row = HENG_TRY(db.prepare(fmt::format("SELECT {} FROM unmask_request WHERE tenant = ? AND id = ?", request_columns)));
  row.bind(1, tenant.value).bind(2, id.value);
  if (!HENG_TRY(row.step())) return Error(ErrorCode::not_found, fmt::format("there is no request \"{}\" to unmask here", id.value.substr(0, 64)), "id");
  return read_request(row);
}

}  // namespace heng::vault
