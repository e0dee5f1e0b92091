#include "heng/feedback/ratings.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace heng::feedback {
namespace {

// A ledger in memory; the real one is on this room's own layer.
class MemoryLedger : public Audit, public AuditReader {
 public:
  std::vector<AuditOpen> notes;
  std::optional<Error> failure;
  Result<AuditTicket> open(const AuditOpen& o) override { return note(o, {}); }
  Result<AuditTicket> close(const AuditTicket& ticket, const AuditClose&) override { return ticket; }
  Result<AuditTicket> note(const AuditOpen& o, const AuditClose&) override {
    if (failure) return *failure;
    notes.push_back(o);
    return AuditTicket{static_cast<std::int64_t>(notes.size()) - 1, o.request, o.principal.tenant};
  }
  std::int64_t size() const override { return static_cast<std::int64_t>(notes.size()); }
  Result<std::vector<std::string>> tail(const Principal&, int, std::int64_t) override { return std::vector<std::string>(); }
  Result<std::string> get(const Principal& who, std::int64_t index) override { return proof(who, index); }
  Result<std::string> checkpoint() override { return std::string("{}"); }
  Result<std::string> proof(const Principal& who, std::int64_t index) override {
    if (index < 0 || index >= size() || notes[static_cast<std::size_t>(index)].principal.tenant != who.tenant) return Error(ErrorCode::not_found, "no record");
    return std::string("{}");
  }
};

class RatingsTest : public ::testing::Test {
 protected:
  RatingsTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "heng-feedback-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    settings_ = {.database = folder_ / "feedback.db", .database_key = store::SecretKey::random()};
    EXPECT_TRUE(ledger_.note({.principal = li_}, {}).ok());
  }
  ~RatingsTest() override { std::filesystem::remove_all(folder_); }
  std::unique_ptr<Ratings> open() { return std::move(*Ratings::create(settings_, ledger_, ledger_)); }
  std::filesystem::path folder_;
  RatingSettings settings_;
  MemoryLedger ledger_;
  Principal li_{.tenant = TenantId("bank"), .user = UserId("li")};
  Principal wang_{.tenant = TenantId("bank"), .user = UserId("wang")};
  Principal stranger_{.tenant = TenantId("other"), .user = UserId("eve")};
};

TEST_F(RatingsTest, AreKeptPerPersonAndNoted) {
  {
    auto ratings = open();
    ASSERT_TRUE(ratings->rate(li_, {.audit_index = 0, .stars = -1, .comment = "数字错了"}).ok());
    ASSERT_TRUE(ratings->rate(wang_, {.audit_index = 0, .stars = 1, .time_ms = 5}).ok());
    ASSERT_TRUE(ratings->rate(li_, {.audit_index = 0, .stars = 1, .comment = "看错了，对的", .time_ms = 7}).ok());
  }
  auto kept = open()->ratings(li_, 0);
  ASSERT_TRUE(kept.ok());
  ASSERT_EQ(kept->size(), 2U);
  EXPECT_EQ((*kept)[0].user, "wang");
  EXPECT_EQ((*kept)[1].comment, "看错了，对的");
  EXPECT_EQ((*kept)[1].stars, 1);
  ASSERT_EQ(ledger_.notes.size(), 4U) << "the ledger keeps all three";
  EXPECT_EQ(ledger_.notes[1].action, "feedback");
  EXPECT_EQ(ledger_.notes[1].resource, "audit/0");
  EXPECT_EQ(ledger_.notes[1].subject, "-1 数字错了");
}

TEST_F(RatingsTest, RefusesWhatMakesNoSense) {
  auto ratings = open();
  EXPECT_EQ(ratings->rate(li_, {.audit_index = 0, .stars = 0}).error().param, "stars");
  EXPECT_EQ(ratings->rate(li_, {.audit_index = 0, .stars = 5}).error().param, "stars");
  EXPECT_EQ(ratings->rate(li_, {.audit_index = 0, .stars = 1, .comment = std::string(9000, 'x')}).error().code, ErrorCode::too_large);
  EXPECT_EQ(ratings->rate(li_, {.audit_index = 0, .stars = 1, .comment = "\xff"}).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(ratings->rate(li_, {.audit_index = 9, .stars = 1}).error().code, ErrorCode::not_found);
  EXPECT_EQ(ratings->rate(li_, {.audit_index = -1, .stars = 1}).error().code, ErrorCode::not_found);
  EXPECT_EQ(ratings->rate(stranger_, {.audit_index = 0, .stars = 1}).error().code, ErrorCode::not_found);
  EXPECT_EQ(ledger_.notes.size(), 1U) << "a refused rating leaves no note";
}

TEST_F(RatingsTest, WithoutTheLedgerNothingIsStored) {
  auto ratings = open();
  ledger_.failure = Error(ErrorCode::storage_full, "full");
  EXPECT_EQ(ratings->rate(li_, {.audit_index = 0, .stars = 1}).error().code, ErrorCode::storage_full);
  EXPECT_TRUE(ratings->ratings(li_, 0)->empty());
  EXPECT_TRUE(ratings->ratings(stranger_, 0)->empty());
}

}  // namespace
}  // namespace heng::feedback
