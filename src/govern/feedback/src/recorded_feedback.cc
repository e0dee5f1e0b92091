#include "heng/feedback/recorded_feedback.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "heng/base/text.h"

namespace heng::feedback {
namespace {

constexpr std::size_t most_comment_bytes = 8 * 1024;

std::string subject_of(const std::string& record) {
  const auto json = nlohmann::json::parse(record, nullptr, false);
  if (!json.is_object() || !json.contains("opened") || !json["opened"].contains("principal")) return {};
  return json["opened"]["principal"].value("data_subject", "");
}

}  // namespace

const std::vector<store::Migration>& migrations() {
  static const std::vector<store::Migration> list = {{.version = 2, .name = "ratings", .sql = R"(
    CREATE TABLE rating (
      tenant TEXT NOT NULL, audit_index INTEGER NOT NULL, user TEXT NOT NULL, stars INTEGER NOT NULL, comment TEXT NOT NULL, time_ms INTEGER NOT NULL,
      PRIMARY KEY (tenant, audit_index, user)) STRICT;)"}};
  return list;
}

Result<std::unique_ptr<RecordedFeedback>> RecordedFeedback::create(store::Pool& pool, Audit& audit, AuditReader& reader, const Clock& clock, Random& random) {
  return std::unique_ptr<RecordedFeedback>(new RecordedFeedback(pool, audit, reader, clock, random));
}

Result<void> RecordedFeedback::rate(const Principal& principal, const Rating& rating) {
  if (rating.stars != 1 && rating.stars != -1) return Error(ErrorCode::invalid_argument, fmt::format("stars is {}; it must be 1 (good) or -1 (bad)", rating.stars), "stars");
  if (rating.comment.size() > most_comment_bytes) return Error(ErrorCode::invalid_argument, fmt::format("the comment has {} bytes; at most {} are kept", rating.comment.size(), most_comment_bytes), "comment");
  if (!text::is_valid_utf8(rating.comment)) return Error(ErrorCode::invalid_argument, "the comment is not UTF-8", "comment");
  const auto record = reader_.get(principal, rating.audit_index);
  if (rating.audit_index < 0 || rating.audit_index >= audit_.size() || !record.ok())
    return Error(ErrorCode::not_found, fmt::format("there is no record {}", rating.audit_index), "audit_index");
  const std::int64_t now = clock_.unix_ms();
  Principal noted = principal;
  noted.data_subject = subject_of(*record);
  HENG_TRY(audit_.note({.request = new_request_id(now, random_), .time_ms = now, .principal = noted, .action = "feedback",
                        .subject = rating.comment, .resource = fmt::format("record:{}", rating.audit_index)},
                       {.time_ms = now, .outcome = rating.stars > 0 ? "good" : "bad"}));
  auto writer = HENG_TRY(pool_.writer());
  return writer->run("INSERT INTO rating (tenant, audit_index, user, stars, comment, time_ms) VALUES (?,?,?,?,?,?) "
                     "ON CONFLICT (tenant, audit_index, user) DO UPDATE SET stars = excluded.stars, comment = excluded.comment, time_ms = excluded.time_ms",
                     principal.tenant.value, rating.audit_index, principal.user.value, rating.stars, rating.comment, now);
}

Result<std::vector<Rating>> RecordedFeedback::ratings(const Principal& principal, std::int64_t audit_index) {
  auto reader = HENG_TRY(pool_.reader());
  auto row = HENG_TRY(reader->prepare("SELECT stars, comment, time_ms, user FROM rating WHERE tenant = ? AND audit_index = ? ORDER BY time_ms"));
  row.bind(1, principal.tenant.value).bind(2, audit_index);
  std::vector<Rating> out;
  while (HENG_TRY(row.step()))
    out.push_back({.audit_index = audit_index, .stars = static_cast<int>(row.integer(0)), .comment = row.string(1), .time_ms = row.integer(2), .user = row.string(3)});
  return out;
}

}  // namespace heng::feedback
