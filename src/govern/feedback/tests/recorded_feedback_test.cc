#include "heng/feedback/recorded_feedback.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

namespace heng::feedback {
namespace {

class CountingAudit final : public Audit {
 public:
  std::int64_t records = 5;
  bool full = false;
  Result<AuditTicket> open(const AuditOpen&) override { return add(); }
  Result<AuditTicket> close(const AuditTicket&, const AuditClose&) override { return add(); }
  Result<AuditTicket> note(const AuditOpen&, const AuditClose&) override { return add(); }
  std::int64_t size() const override { return records; }

 private:
  Result<AuditTicket> add() {
    if (full) return Error(ErrorCode::storage_full, "full");
    return AuditTicket{records++, {}};
  }
};

/// Records of tenant "t" only.
class OneTenantsRecords final : public AuditReader {
 public:
  Result<std::vector<std::string>> tail(const Principal&, int, std::int64_t) override { return std::vector<std::string>{}; }
  Result<std::string> get(const Principal& who, std::int64_t) override {
    if (who.tenant.value != "t") return Error(ErrorCode::not_found, "no record");
    return std::string("{}");
  }
  Result<std::string> checkpoint() override { return std::string("{}"); }
  Result<std::string> proof(const Principal&, std::int64_t) override { return std::string("{}"); }
};

TEST(RecordedFeedback, KeepsOneRatingAPersonAndNotesEach) {
  const auto file = std::filesystem::temp_directory_path() / ("heng-feedback-" + std::to_string(getpid()) + ".db");
  std::filesystem::remove(file);
  std::vector<store::Migration> all = {{.version = 1, .name = "before", .sql = ""}};
  all.insert(all.end(), migrations().begin(), migrations().end());
  auto pool = store::Pool::open({.database = {.path = file, .key = store::SecretKey::random()}}, all);
  ASSERT_TRUE(pool.ok()) << pool.error().message;
  CountingAudit audit;
  OneTenantsRecords records;
  auto feedback = *RecordedFeedback::create(**pool, audit, records);
  const Principal one{TenantId("t"), UserId("one"), {}, {}, {}}, two{TenantId("t"), UserId("two"), {}, {}, {}}, stranger{TenantId("x"), UserId("one"), {}, {}, {}};
  ASSERT_TRUE(feedback->rate(one, {.audit_index = 3, .stars = 1, .comment = "清楚"}).ok());
  ASSERT_TRUE(feedback->rate(one, {.audit_index = 3, .stars = -1, .comment = "wrong figure"}).ok());
  ASSERT_TRUE(feedback->rate(two, {.audit_index = 3, .stars = 1}).ok());
  EXPECT_EQ(audit.records, 8);
  auto ratings = *feedback->ratings(one, 3);
  ASSERT_EQ(ratings.size(), 2u);
  EXPECT_EQ(ratings[0].stars + ratings[1].stars, 0);
  EXPECT_TRUE(feedback->ratings(stranger, 3)->empty());

  EXPECT_EQ(feedback->rate(stranger, {.audit_index = 3, .stars = -1, .comment = "not mine"}).error().code, ErrorCode::not_found);
  EXPECT_EQ(audit.records, 8);
  EXPECT_EQ(feedback->ratings(one, 3)->size(), 2u);
  EXPECT_EQ(feedback->rate(one, {.audit_index = 99, .stars = 1}).error().code, ErrorCode::not_found);
  EXPECT_EQ(feedback->rate(one, {.audit_index = 3, .stars = 2}).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(feedback->rate(one, {.audit_index = 3, .stars = 1, .comment = "\xff"}).error().code, ErrorCode::invalid_argument);
  audit.full = true;
  EXPECT_EQ(feedback->rate(two, {.audit_index = 4, .stars = 1}).error().code, ErrorCode::storage_full);
  EXPECT_TRUE(feedback->ratings(two, 4)->empty());
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace heng::feedback
