// How a batch ends: lines without an answer get a reason, the results become files, the end goes on record. Also what expires.
#include <fmt/format.h>

#include <algorithm>

#include "heng/base/hash.h"
#include "parts.h"
#include "runner.h"

namespace heng::batches {

Result<void> Runner::end(Running& b) {
  HENG_TRY(save(b));
  Ending ending;
  BatchRow row;
  {
    const std::lock_guard lock(mutex_);
    ending = *b.ending;
    row = b.row;
  }
  auto& info = row.info;
  info.status = ending.status;
  info.finalizing_ms = clock_.unix_ms();
  auto writer = HENG_TRY(pool_.writer());
  if (ending.status == BatchStatus::completed)
    HENG_TRY(writer->run("UPDATE batch SET status = ?, finalizing_ms = ? WHERE number = ?", static_cast<int>(BatchStatus::finalizing), info.finalizing_ms, row.number));
  auto transaction = HENG_TRY(store::Transaction::begin(*writer));
  if (HENG_TRY(writer->query_integer("SELECT COUNT(*) FROM batch WHERE number = ?", row.number)) == 0) return {};   // erased while it ran
  const bool begun = info.in_progress_ms != 0;
  const auto filled = ending.status == BatchStatus::completed || !begun ? std::int64_t{0} : HENG_TRY(fill(*writer, b, ending));
  HENG_TRY(writer->run("UPDATE batch SET failed = failed + ? WHERE number = ?", filled, row.number));
  info.completed = HENG_TRY(writer->query_integer("SELECT completed FROM batch WHERE number = ?", row.number));
  info.failed = HENG_TRY(writer->query_integer("SELECT failed FROM batch WHERE number = ?", row.number));
  info.output_file = HENG_TRY(make_result(*writer, row, false));
  info.error_file = HENG_TRY(make_result(*writer, row, true));
  const std::int64_t now = clock_.unix_ms();
  (info.status == BatchStatus::completed ? info.completed_ms : info.status == BatchStatus::failed ? info.failed_ms : info.status == BatchStatus::expired ? info.expired_ms : info.cancelled_ms) = now;
  HENG_TRY(writer->run("UPDATE batch SET status = ?, output_id = ?, error_id = ?, problems = ?, finalizing_ms = ?, completed_ms = ?, failed_ms = ?, expired_ms = ?, cancelled_ms = ? WHERE number = ?",
                       static_cast<int>(info.status), info.output_file, info.error_file, problems_to_text(info.problems), info.finalizing_ms, info.completed_ms, info.failed_ms, info.expired_ms,
                       info.cancelled_ms, row.number));
  HENG_TRY(executor_.ending(row.principal, info));
  return transaction.commit();
}

/// A reason for each line without an answer; returns how many.
Result<std::int64_t> Runner::fill(store::Database& db, Running& b, const Ending& ending) {
  const auto answered = HENG_TRY(answered_lines(db, b.row.number));
  LineReader reader(b.pieces, settings_.line_bytes);
  InputLine line;
  std::int64_t filled = 0;
  while (HENG_TRY(reader.next(line))) {
    if (std::binary_search(answered.begin(), answered.end(), line.number)) continue;
    const auto parsed = parse_line(line, b.row.info.endpoint, settings_.line_bytes);
    HENG_TRY(db.run("INSERT INTO line (batch, number, failed, output) VALUES (?, ?, 1, ?)", b.row.number, line.number,
                    failed_line(new_id("batch_req_", random_), parsed.custom_id, ending.problem.code, ending.problem.message, "", line.number)));
    ++filled;
  }
  return filled;
}

/// The file of the lines answered, or of those that failed; its id, empty where there are none.
Result<std::string> Runner::make_result(store::Database& db, const BatchRow& row, bool failed) {
  Sha256Stream hash;
  std::int64_t bytes = 0;
  {
    auto lines = HENG_TRY(db.prepare("SELECT output FROM line WHERE batch = ? AND failed = ? ORDER BY number"));
    lines.bind_all(row.number, failed ? 1 : 0);
    while (HENG_TRY(lines.step())) {
      hash.update(lines.text(0));
      bytes += static_cast<std::int64_t>(lines.text(0).size());
    }
  }
  if (bytes == 0) return std::string();
  const std::string id = new_id("file-", random_);
  const std::int64_t now = clock_.unix_ms();
  HENG_TRY(db.run("INSERT INTO file (id, tenant, user, subject, name, purpose, sha256, bytes, created_ms, expires_ms, batch, failed) VALUES (?, ?, ?, ?, ?, 'batch_output', ?, ?, ?, ?, ?, ?)", id,
                  row.principal.tenant.value, row.principal.user.value, row.principal.data_subject, fmt::format("{}_{}.jsonl", row.info.id, failed ? "error" : "output"), to_hex(hash.finish()), bytes, now,
                  now + row.keep_output_s * 1000, row.number, failed ? 1 : 0));
  return id;
}

/// Deletes files whose time is over and that no batch reads.
Result<void> Runner::purge() {
  const std::int64_t now = clock_.unix_ms();
  auto writer = HENG_TRY(pool_.writer());
  auto transaction = HENG_TRY(store::Transaction::begin(*writer));
  constexpr std::string_view over = "FROM file WHERE expires_ms <= ?1 AND NOT EXISTS (SELECT 1 FROM batch WHERE batch.input = file.number AND batch.status IN (0, 1, 2, 6))";
  HENG_TRY(writer->run(fmt::format("DELETE FROM part WHERE file IN (SELECT number {})", over), now));
  HENG_TRY(writer->run(fmt::format("DELETE FROM line WHERE (batch, failed) IN (SELECT batch, failed {} AND batch > 0)", over), now));
  HENG_TRY(writer->run(fmt::format("DELETE {}", over), now));
  return transaction.commit();
}

}  // namespace heng::batches
