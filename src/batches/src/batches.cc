// Batches: made, listed, cancelled. What works on them is the runner.
#include <fmt/format.h>

#include <algorithm>

#include "heng/base/text.h"
#include "parts.h"

namespace heng::batches {
namespace {

constexpr std::int64_t most_window_ms = 7LL * 86'400'000, most_keep_s = 30 * 86'400, least_keep_s = 3600;
constexpr std::size_t most_metadata = 16, longest_metadata_name = 64, longest_metadata_value = 512;
constexpr std::string_view visible = "tenant = ?1 AND (user = ?2 OR ?3)";

/// "24h", "90m", "30s", "7d".
Result<std::int64_t> window_ms(const std::string& window) {
  const Error wrong(ErrorCode::invalid_argument, "'completion_window' must be a whole number and s, m, h or d, at most 7d; usually \"24h\"", "completion_window");
  if (window.size() < 2 || window.size() > 8) return wrong;
  const std::string digits = window.substr(0, window.size() - 1);
  if (!std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; })) return wrong;
  const char unit = window.back();
  const std::int64_t factor = unit == 's' ? 1000 : unit == 'm' ? 60'000 : unit == 'h' ? 3'600'000 : unit == 'd' ? 86'400'000 : 0;
  const std::int64_t ms = std::stoll(digits) * factor;
  if (ms <= 0 || ms > most_window_ms) return wrong;
  return ms;
}

Result<void> check_metadata(const NewBatch& wanted) {
  if (wanted.metadata.size() > most_metadata) return Error(ErrorCode::invalid_argument, fmt::format("'metadata' has {} entries, the limit is {}", wanted.metadata.size(), most_metadata), "metadata");
  for (const auto& [name, value] : wanted.metadata)
    if (name.empty() || text::code_points(name) > longest_metadata_name || text::code_points(value) > longest_metadata_value)
      return Error(ErrorCode::invalid_argument, fmt::format("names in 'metadata' have 1 to {} characters, values at most {}", longest_metadata_name, longest_metadata_value), "metadata");
  if (wanted.keep_output_s != 0 && (wanted.keep_output_s < least_keep_s || wanted.keep_output_s > most_keep_s))
    return Error(ErrorCode::invalid_argument, fmt::format("'output_expires_after.seconds' must be {} to {}", least_keep_s, most_keep_s), "output_expires_after");
  return {};
}

}  // namespace

Result<BatchRow> find_batch(store::Database& db, const Principal& who, const std::string& id) {
  auto row = HENG_TRY(db.prepare(fmt::format("SELECT {} FROM batch WHERE {} AND id = ?4", batch_columns, visible)));
  row.bind_all(who.tenant.value, who.user.value, who.is_admin() ? 1 : 0, id);
  if (!HENG_TRY(row.step())) return Error(ErrorCode::not_found, fmt::format("there is no batch '{}'", text::replace_invalid_utf8(id.substr(0, 80))), "batch_id");
  return read_batch(row);
}

Result<BatchInfo> BatchEngine::create(const Principal& who, const NewBatch& wanted) {
  const auto& settings = parts_->settings;
  const auto window = HENG_TRY(window_ms(wanted.window));
  HENG_TRY(check_metadata(wanted));
  if (parts_->executor == nullptr) return Error(ErrorCode::unavailable, "this server runs no batches now; try again in a moment");
  HENG_TRY(parts_->executor->may(who, wanted.endpoint));
  BatchRow row;
  {
    auto writer = HENG_TRY(parts_->pool.writer());
    auto transaction = HENG_TRY(store::Transaction::begin(*writer));
    const auto input = HENG_TRY(find_file(*writer, who, wanted.input_file));
    if (input.file.purpose != "batch") return Error(ErrorCode::invalid_argument, fmt::format("file '{}' is the result of a batch; its purpose must be \"batch\"", input.file.id), "input_file_id");
    const auto running = HENG_TRY(writer->query_integer("SELECT COUNT(*) FROM batch WHERE tenant = ? AND status IN (0, 1, 2, 6)", who.tenant.value));
    if (running >= settings.tenant_batches)
      return Error(ErrorCode::rate_limited, fmt::format("the tenant has {} batches that are not over, the limit is {}; wait for one or cancel it", running, settings.tenant_batches));
    row.principal = who;
    row.input = input.number;
    row.keep_output_s = wanted.keep_output_s ? wanted.keep_output_s : settings.keep_s;
    auto& info = row.info;
    info = {.id = new_id("batch_", parts_->random), .endpoint = wanted.endpoint, .input_file = input.file.id, .window = wanted.window, .metadata = wanted.metadata};
    info.created_ms = parts_->clock.unix_ms();
    info.expires_ms = info.created_ms + window;
    HENG_TRY(writer->run("INSERT INTO batch (id, tenant, user, subject, principal, endpoint, input, input_id, completion_window, metadata, keep_output_s, created_ms, expires_ms) "
                         "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                         info.id, who.tenant.value, who.user.value, who.data_subject, principal_to_text(who), info.endpoint, row.input, info.input_file, info.window, metadata_to_text(info.metadata),
                         row.keep_output_s, info.created_ms, info.expires_ms));
    row.number = writer->last_insert_id();
    HENG_TRY(transaction.commit());
  }
  if (parts_->runner) HENG_TRY(parts_->runner->add(row.number));
  return row.info;
}

Result<BatchInfo> BatchEngine::batch(const Principal& who, const std::string& id) {
  auto reader = HENG_TRY(parts_->pool.reader());
  return HENG_TRY(find_batch(*reader, who, id)).info;
}

Result<Page<BatchInfo>> BatchEngine::batches(const Principal& who, const std::string& after, int limit) {
  auto reader = HENG_TRY(parts_->pool.reader());
  std::int64_t before = INT64_MAX;
  if (!after.empty()) before = HENG_TRY(find_batch(*reader, who, after)).number;
  auto row = HENG_TRY(reader->prepare(fmt::format("SELECT {} FROM batch WHERE {} AND number < ?4 ORDER BY number DESC LIMIT ?5", batch_columns, visible)));
  row.bind_all(who.tenant.value, who.user.value, who.is_admin() ? 1 : 0, before, limit + 1);
  Page<BatchInfo> out;
  while (HENG_TRY(row.step())) out.items.push_back(read_batch(row).info);
  out.more = static_cast<int>(out.items.size()) > limit;
  if (out.more) out.items.pop_back();
  return out;
}

Result<BatchInfo> BatchEngine::cancel(const Principal& who, const std::string& id) {
  BatchRow row;
  {
    auto writer = HENG_TRY(parts_->pool.writer());
    auto transaction = HENG_TRY(store::Transaction::begin(*writer));
    row = HENG_TRY(find_batch(*writer, who, id));
    if (row.info.status == BatchStatus::cancelling) return row.info;
    if (row.info.status != BatchStatus::validating && row.info.status != BatchStatus::in_progress)
      return Error(ErrorCode::conflict, fmt::format("batch {} is {}; only one that is validating or in progress can be cancelled", row.info.id, to_string(row.info.status)), "batch_id");
    row.info.status = BatchStatus::cancelling;
    row.info.cancelling_ms = parts_->clock.unix_ms();
    HENG_TRY(writer->run("UPDATE batch SET status = ?, cancelling_ms = ? WHERE number = ?", static_cast<int>(row.info.status), row.info.cancelling_ms, row.number));
    HENG_TRY(transaction.commit());
  }
  if (parts_->runner) parts_->runner->cancel(row.number);
  return row.info;
}

}  // namespace heng::batches
