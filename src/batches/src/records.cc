#include "records.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace heng::batches {
namespace {
using Json = nlohmann::ordered_json;
std::string dump(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }
}  // namespace

const char* const batch_columns =
    "number, id, principal, endpoint, input, input_id, output_id, error_id, completion_window, metadata, problems, status, keep_output_s, total, completed, failed, prompt_tokens, "
    "cached_tokens, completion_tokens, created_ms, in_progress_ms, expires_ms, finalizing_ms, completed_ms, failed_ms, expired_ms, cancelling_ms, cancelled_ms";
const char* const file_columns = "number, id, name, purpose, sha256, bytes, created_ms, expires_ms, batch, failed";

std::string principal_to_text(const Principal& p) {
  return dump({{"tenant", p.tenant.value}, {"user", p.user.value}, {"key", p.key.value}, {"roles", p.roles}, {"purpose", p.purpose}, {"desk", p.desk}, {"clearance", static_cast<int>(p.clearance)}, {"subject", p.data_subject}});
}

Principal principal_from_text(const std::string& text) {
  const auto json = Json::parse(text, nullptr, false);
  Principal out;
  if (!json.is_object()) return out;   // may do nothing
  out.tenant = TenantId(json.value("tenant", ""));
  out.user = UserId(json.value("user", ""));
  out.key = KeyId(json.value("key", ""));
  out.roles = json.value("roles", std::vector<std::string>{});
  out.purpose = json.value("purpose", "");
  out.desk = json.value("desk", "");
  const int clearance = json.value("clearance", 0);
  out.clearance = clearance == static_cast<int>(DataClass::c3) ? DataClass::c3 : clearance == static_cast<int>(DataClass::c2) ? DataClass::c2 : DataClass::c1;
  out.data_subject = json.value("subject", "");
  return out;
}

std::string problems_to_text(const std::vector<BatchProblem>& problems) {
  Json out = Json::array();
  for (const auto& p : problems) out.push_back({{"code", p.code}, {"message", p.message}, {"param", p.param}, {"line", p.line}});
  return dump(out);
}

std::string metadata_to_text(const std::vector<std::pair<std::string, std::string>>& metadata) {
  Json out = Json::object();
  for (const auto& [name, value] : metadata) out[name] = value;
  return dump(out);
}

BatchRow read_batch(const store::Statement& row) {
  BatchRow out;
  int column = 0;
  const auto integer = [&] { return row.integer(column++); };
  const auto text = [&] { return row.string(column++); };
  out.number = integer();
  out.info.id = text();
  out.principal = principal_from_text(text());
  out.info.endpoint = text();
  out.input = integer();
  out.info.input_file = text();
  out.info.output_file = text();
  out.info.error_file = text();
  out.info.window = text();
  const auto metadata = Json::parse(text(), nullptr, false);
  if (metadata.is_object())
    for (const auto& [name, value] : metadata.items()) out.info.metadata.emplace_back(name, value.get<std::string>());
  const auto problems = Json::parse(text(), nullptr, false);
  if (problems.is_array())
    for (const auto& p : problems) out.info.problems.push_back({p.value("code", ""), p.value("message", ""), p.value("param", ""), p.value("line", std::int64_t{0})});
  out.info.status = static_cast<BatchStatus>(integer());
  out.keep_output_s = integer();
  for (auto* count : {&out.info.total, &out.info.completed, &out.info.failed}) *count = integer();
  for (auto* tokens : {&out.info.usage.prompt_tokens, &out.info.usage.cached_tokens, &out.info.usage.completion_tokens}) *tokens = static_cast<int>(std::min<std::int64_t>(integer(), INT32_MAX));
  for (auto* time : {&out.info.created_ms, &out.info.in_progress_ms, &out.info.expires_ms, &out.info.finalizing_ms, &out.info.completed_ms, &out.info.failed_ms, &out.info.expired_ms,
                     &out.info.cancelling_ms, &out.info.cancelled_ms})
    *time = integer();
  return out;
}

FileRow read_file(const store::Statement& row) {
  FileRow out;
  out.number = row.integer(0);
  out.file = {row.string(1), row.string(2), row.string(3), row.string(4), row.integer(5), row.integer(6), row.integer(7)};
  out.batch = row.integer(8);
  out.failed = row.integer(9);
  return out;
}

Result<std::vector<std::int64_t>> answered_lines(store::Database& db, std::int64_t batch) {
  auto row = HENG_TRY(db.prepare("SELECT number FROM line WHERE batch = ? ORDER BY number"));
  row.bind_all(batch);
  std::vector<std::int64_t> out;
  while (HENG_TRY(row.step())) out.push_back(row.integer(0));
  return out;
}

}  // namespace heng::batches
