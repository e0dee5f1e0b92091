#include "heng/base/set_clock.h"
#include "heng/erasure/subject_erasure.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

namespace heng::erasure {
namespace {

class NotingAudit final : public Audit {
 public:
  Result<AuditTicket> open(const AuditOpen&) override { return Error(ErrorCode::internal, "not used"); }
  Result<AuditTicket> close(const AuditTicket&, const AuditClose&) override { return Error(ErrorCode::internal, "not used"); }
  Result<AuditTicket> note(const AuditOpen& open, const AuditClose&) override {
    if (full) return Error(ErrorCode::storage_full, "full");
    notes.push_back(open);
    return AuditTicket{};
  }
  std::int64_t size() const override { return static_cast<std::int64_t>(notes.size()); }
  std::vector<AuditOpen> notes;
  bool full = false;
};

class ErasureTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "heng-erasure-XXXXXX").string();
    folder = mkdtemp(pattern.data());
    const std::vector<store::Migration> govern = {
        {.version = 1, .name = "reviews", .sql = "CREATE TABLE review (id INTEGER PRIMARY KEY, tenant TEXT, data_subject TEXT, text TEXT);"},
        {.version = 2, .name = "another room's", .sql = ""}, migrations()[0], {.version = 4, .name = "another room's", .sql = ""},
        {.version = 5, .name = "vault", .sql = "CREATE TABLE vault_item (tenant TEXT, subject_tag TEXT, last_ms INTEGER); CREATE TABLE unmask_request (tenant TEXT, subject_tag TEXT, review TEXT, created_ms INTEGER);"}};
    const std::vector<store::Migration> ratings = {{.version = 1, .name = "ratings", .sql = "CREATE TABLE rating (tenant TEXT, audit_index INTEGER, comment TEXT);"}};
    pool = std::move(*store::Pool::open({.database = {.path = folder / "govern.db", .key = key}}, govern));
    rating_pool = std::move(*store::Pool::open({.database = {.path = folder / "heng.db", .key = key}}, ratings));
    keyring = std::move(*store::Keyring::open(folder / "keyring", key));
    erasure = std::make_unique<SubjectErasure>(ErasureParts{*keyring, *pool, *rating_pool, audit,
                                                            [this](const TenantId& tenant, const std::string& subject) -> Result<int> {
                                                              asked = tenant.value + "/" + subject;
                                                              if (documents_fail) return Error(ErrorCode::unavailable, "down");
                                                              return 2;
                                                            },
                                                            [this](const std::vector<std::uint32_t>& keys) -> Result<std::vector<std::int64_t>> {
                                                              keys_asked = keys;
                                                              return keys.empty() ? std::vector<std::int64_t>{} : std::vector<std::int64_t>{4, 5};
                                                            }},
                                               clock);
    for (const char* tenant : {"bank", "shop"})
      for (const char* subject : {"C-1", "C-2"}) {
        auto writer = *pool->writer();
        ASSERT_TRUE(writer->run("INSERT INTO review (tenant, data_subject, text) VALUES (?, ?, 'planted')", tenant, subject).ok());
        auto other = *rating_pool->writer();
        ASSERT_TRUE(other->run("INSERT INTO rating VALUES (?, ?, 'planted')", tenant, subject == std::string("C-1") ? 4 : 9).ok());
      }
  }
  void TearDown() override {
    erasure.reset();
    pool.reset();
    rating_pool.reset();
    std::filesystem::remove_all(folder);
  }
  std::int64_t count(store::Pool& from, const char* sql) { return *(*from.reader())->query_integer(sql); }
  static Principal person(const std::string& user) {
    Principal who;
    who.tenant = TenantId("bank");
    who.user = UserId(user);
    return who;
  }
  std::filesystem::path folder;
  store::SecretKey key = store::SecretKey::random();
  std::unique_ptr<store::Pool> pool, rating_pool;
  std::unique_ptr<store::Keyring> keyring;
  NotingAudit audit;
  SetClock clock;
  std::unique_ptr<SubjectErasure> erasure;
  std::string asked;
  std::vector<std::uint32_t> keys_asked;
  bool documents_fail = false;
};

TEST_F(ErasureTest, TakesOneSubjectOfOneTenantAndLeavesNoId) {
  const auto mine = *keyring->current(TenantId("bank"), "C-1"), other = *keyring->current(TenantId("bank"), "C-2"), tenant = *keyring->current(TenantId("bank")),
             elsewhere = *keyring->current(TenantId("shop"), "C-1");
  const auto report = erasure->erase(person("dpo"), "C-1", "request of 2026-11-20");
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(asked, "bank/C-1");
  EXPECT_EQ(report->documents, 2);
  EXPECT_EQ(report->reviews, 1);
  EXPECT_EQ(report->ratings, 1);
  EXPECT_EQ(report->records, 2);
  EXPECT_EQ(report->keys, 1);
  EXPECT_EQ(count(*pool, "SELECT count(*) FROM review"), 3);
  EXPECT_EQ(count(*rating_pool, "SELECT count(*) FROM rating"), 3);
  EXPECT_EQ(keyring->by_id(mine.id).error().code, ErrorCode::permission_denied);
  for (const auto& kept : {other, tenant, elsewhere}) EXPECT_TRUE(keyring->by_id(kept.id).ok());
  for (const auto& note : audit.notes) {
    EXPECT_EQ(note.subject.find("C-1"), std::string::npos);
    EXPECT_EQ(note.resource.find("C-1"), std::string::npos);
    EXPECT_TRUE(note.principal.data_subject.empty());
  }
  EXPECT_EQ(audit.notes.front().action, "erase");
  EXPECT_EQ(audit.notes.back().action, "erase.done");
  EXPECT_EQ(erasure->erase(person("dpo"), "C-1", "again")->keys, 0);
}

TEST_F(ErasureTest, AHoldForbidsItUntilASecondPersonReleasesIt) {
  ASSERT_TRUE(keyring->current(TenantId("bank"), "C-1").ok());
  const auto hold = *erasure->hold(person("legal"), "C-1", "lawsuit 7", 0);
  const auto refused = erasure->erase(person("dpo"), "C-1", "request");
  EXPECT_EQ(refused.error().code, ErrorCode::policy_denied);
  EXPECT_NE(refused.error().message.find("lawsuit 7"), std::string::npos);
  EXPECT_EQ(count(*pool, "SELECT count(*) FROM review"), 4);
  EXPECT_EQ(erasure->release(person("legal"), hold.id, "over").error().code, ErrorCode::conflict);
  ASSERT_TRUE(erasure->release(person("chief"), hold.id, "over").ok());
  EXPECT_EQ(erasure->release(person("chief"), hold.id, "over").error().code, ErrorCode::conflict);
  EXPECT_EQ(erasure->release(person("chief"), 99, "over").error().code, ErrorCode::not_found);
  EXPECT_TRUE(erasure->erase(person("dpo"), "C-1", "request").ok());
}

TEST_F(ErasureTest, ARetentionPeriodRunsOut) {
  ASSERT_TRUE(erasure->hold(person("legal"), "C-1", "kept five years", clock.now + 1000).ok());
  EXPECT_EQ(erasure->erase(person("dpo"), "C-1", "request").error().code, ErrorCode::policy_denied);
  clock.now += 1000;
  EXPECT_TRUE(erasure->erase(person("dpo"), "C-1", "request").ok());
  EXPECT_EQ(erasure->hold(person("legal"), "C-1", "x", clock.now - 1).error().param, "until");
}

TEST_F(ErasureTest, WhatBreaksOffCanBeDoneAgain) {
  const auto mine = *keyring->current(TenantId("bank"), "C-1");
  documents_fail = true;
  EXPECT_FALSE(erasure->erase(person("dpo"), "C-1", "request").ok());
  EXPECT_TRUE(keyring->by_id(mine.id).ok());
  documents_fail = false;
  EXPECT_EQ(erasure->erase(person("dpo"), "C-1", "request")->keys, 1);
  audit.full = true;
  EXPECT_FALSE(erasure->erase(person("dpo"), "C-2", "request").ok());
  EXPECT_EQ(count(*pool, "SELECT count(*) FROM review WHERE data_subject = 'C-2'"), 2);
}

TEST_F(ErasureTest, SubjectsSurviveANewMasterKey) {
  const auto mine = *keyring->current(TenantId("bank"), "C-1");
  ASSERT_TRUE(keyring->rewrap(store::SecretKey::random()).ok());
  EXPECT_EQ(keyring->current(TenantId("bank"), "C-1")->id, mine.id);
  EXPECT_EQ(erasure->erase(person("dpo"), "C-1", "request")->keys, 1);
}

TEST_F(ErasureTest, BadInput) {
  for (const char* bad : {"", "a b", "a,b", "a\nb", "\xff"}) EXPECT_EQ(erasure->erase(person("dpo"), bad, "x").error().code, ErrorCode::invalid_argument) << bad;
  EXPECT_EQ(erasure->erase(person("dpo"), std::string(200, 'x'), "x").error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(erasure->erase(person("dpo"), "C-1", " ").error().param, "reason");
  EXPECT_EQ(count(*pool, "SELECT count(*) FROM review"), 4);
}

}  // namespace
}  // namespace heng::erasure
