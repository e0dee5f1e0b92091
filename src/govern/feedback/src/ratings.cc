#include "heng/feedback/ratings.h"

#include <fmt/format.h>

#include "heng/base/text.h"
#include "heng/store/pool.h"

namespace heng::feedback {

namespace {

const std::vector<store::Migration> migrations = {{.version = 1, .name = "ratings", .sql = R"(
  CREATE TABLE rating(
    tenant TEXT NOT NULL, audit_index INTEGER NOT NULL, user TEXT NOT NULL, stars INTEGER NOT NULL CHECK(stars IN (-1, 1)),
    comment TEXT NOT NULL, time_ms INTEGER NOT NULL, note_index INTEGER NOT NULL,
    PRIMARY KEY(tenant, audit_index, user)) STRICT, WITHOUT ROWID;
)"}};

}  // namespace

struct Ratings::Impl {
  RatingSettings settings;
  Audit* audit;
  AuditReader* reader;
  const Clock* clock;
  Random* random;
  std::unique_ptr<store::Pool> pool;
};

Ratings::Ratings(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Ratings::~Ratings() = default;

Result<std::unique_ptr<Ratings>> Ratings::create(const RatingSettings& settings, Audit& audit, AuditReader& reader, const Clock& clock, Random& random) {
  auto impl = std::make_unique<Impl>(Impl{settings, &audit, &reader, &clock, &random, nullptr});
  impl->pool = HENG_TRY(store::Pool::open({.database = {.path = settings.database, .key = settings.database_key, .cache_kib = 1024}, .readers = 2}, migrations));
  return std::unique_ptr<Ratings>(new Ratings(std::move(impl)));
}

Result<void> Ratings::rate(const Principal& who, const Rating& rating) {
  if (rating.stars != -1 && rating.stars != 1) return Error(ErrorCode::invalid_argument, fmt::format("stars is -1 (bad) or 1 (good), not {}", rating.stars), "stars");
  if (rating.comment.size() > impl_->settings.comment_bytes) {
    return Error(ErrorCode::too_large, fmt::format("the comment has {} bytes, at most {} are kept", rating.comment.size(), impl_->settings.comment_bytes), "comment");
  }
  if (!text::is_valid_utf8(rating.comment)) return Error(ErrorCode::invalid_argument, "the comment is not UTF-8", "comment");
  // the proof is the cheapest way to ask whether the record exists and is the tenant's
  auto record = impl_->reader->proof(who, rating.audit_index);
  if (!record.ok() && record.error().code == ErrorCode::not_found) {
    return Error(ErrorCode::not_found, fmt::format("no record {} to rate", rating.audit_index), "audit_index");
  }
  if (!record.ok()) return std::move(record).error();
  const std::int64_t now = impl_->clock->unix_ms();
  const std::int64_t time_ms = rating.time_ms != 0 ? rating.time_ms : now;
  AuditOpen open;
  open.request = new_request_id(now, *impl_->random);
  open.time_ms = now;
  open.principal = who;
  open.action = "feedback";
  open.subject = fmt::format("{:+} {}", rating.stars, rating.comment);
  open.resource = fmt::format("audit/{}", rating.audit_index);
  AuditClose close;
  close.time_ms = now;
  close.outcome = "ok";
  const AuditTicket noted = HENG_TRY(impl_->audit->note(open, close));
  auto writer = HENG_TRY(impl_->pool->writer());
  return writer->run("INSERT INTO rating(tenant, audit_index, user, stars, comment, time_ms, note_index) VALUES (?, ?, ?, ?, ?, ?, ?)"
                     " ON CONFLICT DO UPDATE SET stars = excluded.stars, comment = excluded.comment, time_ms = excluded.time_ms, note_index = excluded.note_index",
                     who.tenant.value, rating.audit_index, who.user.value, rating.stars, rating.comment, time_ms, noted.index);
}

Result<std::vector<Rating>> Ratings::ratings(const Principal& who, std::int64_t audit_index) {
  auto reader = HENG_TRY(impl_->pool->reader());
  auto row = HENG_TRY(reader->prepare("SELECT audit_index, stars, comment, time_ms, user FROM rating WHERE tenant = ? AND audit_index = ? ORDER BY time_ms, user"));
  row.bind(1, who.tenant.value).bind(2, audit_index);
  std::vector<Rating> out;
  while (HENG_TRY(row.step())) {
    out.push_back({.audit_index = row.integer(0), .stars = static_cast<int>(row.integer(1)), .comment = row.string(2), .time_ms = row.integer(3), .user = row.string(4)});
  }
  return out;
}

}  // namespace heng::feedback
