#include "heng/base/set_clock.h"
#include "heng/erasure/retention.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "heng/erasure/subject_erasure.h"

namespace heng::erasure {
namespace {

constexpr std::int64_t day = 86'400'000;

class NotingAudit final : public Audit {
 public:
  Result<AuditTicket> open(const AuditOpen&) override { return Error(ErrorCode::internal, "not used"); }
  Result<AuditTicket> close(const AuditTicket&, const AuditClose&) override { return Error(ErrorCode::internal, "not used"); }
  Result<AuditTicket> note(const AuditOpen& open, const AuditClose& close) override {
    if (full) return Error(ErrorCode::storage_full, "full");
    notes.push_back(open.action + " " + close.output);
    return AuditTicket{};
  }
  std::int64_t size() const override { return static_cast<std::int64_t>(notes.size()); }
  std::vector<std::string> notes;
  bool full = false;
};

std::string policy_text(const std::string& terms) {
  return "kind = \"retention\"\nid = \"r\"\nversion = \"1\"\nowner = \"records\"\nclause = \"house\"\neffective_from = 2026-01-01\nkey_days = 30\n" + terms;
}
std::string term(const std::string& name, int days) { return "[[keep]]\nname = \"" + name + "\"\ndays = " + std::to_string(days) + "\n"; }

TEST(RetentionPolicy, IsReadOrRefusedWithItsLine) {
  const auto good = read_retention(policy_text(term("conversations", 100) + term("vault", 10)), "r.toml");
  ASSERT_TRUE(good.ok()) << good.error().message;
  EXPECT_EQ(good->terms.size(), 2u);
  EXPECT_EQ(key_period_ms(*good), 30 * day);
  EXPECT_EQ(key_period_ms(*read_retention(policy_text(term("vault", 10)), "r.toml")), 0);
  EXPECT_EQ(key_period_ms({}), 0);
  for (const auto& [text, says] : std::vector<std::pair<std::string, std::string>>{{policy_text(""), "no [[keep]]"},
                                                                                   {policy_text(term("conversations", 0)), "days must be"},
                                                                                   {policy_text(term("conversation", 5)), "not known"},
                                                                                   {policy_text(term("vault", 5) + term("vault", 6)), "two terms"},
                                                                                   {policy_text(term("vault", 5) + "dayz = 3\n"), "dayz"},
                                                                                   {"kind = \"marketing\"\n" + policy_text("").substr(19), "kind"}}) {
    const auto bad = read_retention(text, "r.toml");
    ASSERT_FALSE(bad.ok()) << text;
    EXPECT_EQ(bad.error().code, ErrorCode::malformed_input);
    EXPECT_NE(bad.error().message.find("r.toml, line"), std::string::npos) << bad.error().message;
    EXPECT_NE(bad.error().message.find(says), std::string::npos) << bad.error().message;
  }
  EXPECT_EQ(held_record("record:17"), 17);
  for (const char* no : {"record:", "record:1x", "C-1", "*", "record:-1"}) EXPECT_FALSE(held_record(no)) << no;
}

class RetentionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "heng-retention-XXXXXX").string();
    folder = mkdtemp(pattern.data());
    const std::vector<store::Migration> govern = {
        {.version = 1, .name = "reviews", .sql = "CREATE TABLE review (id TEXT, tenant TEXT, data_subject TEXT, audit_index INTEGER, created_ms INTEGER, state INTEGER);"},
        {.version = 2, .name = "another room's", .sql = ""}, migrations()[0], {.version = 4, .name = "another room's", .sql = ""},
        {.version = 5, .name = "vault", .sql = "CREATE TABLE vault_item (tenant TEXT, subject_tag TEXT, last_ms INTEGER); CREATE TABLE unmask_request (tenant TEXT, subject_tag TEXT, review TEXT, created_ms INTEGER);"}};
    pool = std::move(*store::Pool::open({.database = {.path = folder / "govern.db", .key = key}}, govern));
    ratings = std::move(*store::Pool::open({.database = {.path = folder / "heng.db", .key = key}}, {{.version = 1, .name = "r", .sql = "CREATE TABLE rating (tenant TEXT, audit_index INTEGER, time_ms INTEGER);"}}));
    keyring = std::move(*store::Keyring::open(folder / "keyring", key, clock));
  }
  void TearDown() override {
    pool.reset();
    ratings.reset();
    std::filesystem::remove_all(folder);
  }
  Retention retention(const std::string& terms) {
    RetentionParts parts{.keyring = *keyring, .govern = *pool, .ratings = *ratings, .audit = audit};
    parts.key_uses = [this]() -> Result<std::map<std::uint32_t, RetentionParts::KeyUse>> {
      std::map<std::uint32_t, RetentionParts::KeyUse> out;
      for (const auto& [key_id, time] : records) out[key_id] = {out[key_id].records + 1, std::max(out[key_id].newest_ms, time)};
      return out;
    };
    parts.records_under = [this](const std::vector<std::uint32_t>& keys) -> Result<std::vector<std::int64_t>> {
      std::vector<std::int64_t> out;
      for (std::size_t i = 0; i < records.size(); ++i)
        for (const auto id : keys)
          if (records[i].first == id) out.push_back(static_cast<std::int64_t>(i));
      return out;
    };
    parts.key_of = [this](std::int64_t index) -> Result<std::uint32_t> {
      if (index >= static_cast<std::int64_t>(records.size())) return Error(ErrorCode::not_found, "no record");
      return records[static_cast<std::size_t>(index)].first;
    };
    parts.stream_items = [this](const TenantId&, std::int64_t before, bool remove) -> Result<std::int64_t> {
      streams_before = before;
      streams_removed = streams_removed || remove;
      return 3;
    };
    parts.uploads = [this](const TenantId&, std::int64_t, const std::vector<std::string>& held, bool remove) -> Result<std::int64_t> {
      uploads_removed = uploads_removed || remove;
      return 5 - static_cast<std::int64_t>(held.size());
    };
    return Retention(*read_retention(policy_text(terms), "r.toml"), std::move(parts), clock);
  }
  /// One record now, under the key in force.
  std::uint32_t record(const std::string& subject = "", const std::string& tenant = "bank", const char* purpose = store::conversation_keys) {
    const auto made = *keyring->current(TenantId(tenant), subject, {.purpose = purpose, .not_before_ms = clock.now - 30 * day});
    records.emplace_back(made.id, clock.now);
    return made.id;
  }
  bool readable(std::uint32_t id) { return keyring->by_id(id).ok(); }
  void hold(const std::string& subject, std::int64_t until = 0) {
    SubjectErasure erasure({*keyring, *pool, *ratings, audit, {}, {}}, clock);
    ASSERT_TRUE(erasure.hold(who, subject, "lawsuit", until).ok());
  }
  std::int64_t rows(store::Pool& from, const char* sql) { return *(*from.reader())->query_integer(sql); }
  std::filesystem::path folder;
  store::SecretKey key = store::SecretKey::random();
  SetClock clock;
  NotingAudit audit;
  std::unique_ptr<store::Pool> pool, ratings;
  std::unique_ptr<store::Keyring> keyring;
  std::vector<std::pair<std::uint32_t, std::int64_t>> records;
  std::int64_t streams_before = 0;
  bool streams_removed = false, uploads_removed = false;
  const Principal who = [] {
    Principal out;
    out.tenant = TenantId("bank");
    out.user = UserId("dpo");
    return out;
  }();
};

TEST_F(RetentionTest, KeysOfOldConversationsGoAndThoseInUseStay) {
  const auto old = record(), of_subject = record("C-1"), elsewhere = record("", "shop"), office = record("", "bank", "");
  clock.now += 40 * day;
  const auto middle = record();
  EXPECT_NE(middle, old) << "a key serves thirty days";
  clock.now += 70 * day;
  const auto fresh = record();
  auto subject = retention(term("conversations", 100));
  const auto planned = *subject.plan(who);
  ASSERT_EQ(planned.size(), 1u);
  EXPECT_EQ(planned[0].due, 2);
  for (const auto id : {old, of_subject, middle, fresh, elsewhere, office}) EXPECT_TRUE(readable(id)) << "a plan changes nothing";
  EXPECT_TRUE(audit.notes.empty());
  ASSERT_TRUE(subject.run(who).ok());
  EXPECT_FALSE(readable(old));
  EXPECT_FALSE(readable(of_subject));
  for (const auto id : {middle, fresh, elsewhere, office}) EXPECT_TRUE(readable(id)) << id;
  ASSERT_EQ(audit.notes.size(), 2u);
  EXPECT_EQ(audit.notes[0].substr(0, 10), "retention ");
  EXPECT_NE(audit.notes[1].find("conversations: 2"), std::string::npos);
  EXPECT_EQ(subject.plan(who)->at(0).due, 0);
}

TEST_F(RetentionTest, AKeyWithOneYoungRecordStaysWhole) {
  const auto shared = record();
  clock.now += 29 * day;
  EXPECT_EQ(record(), shared);
  clock.now += 80 * day;   // the first is 109 days old, the second 80
  auto subject = retention(term("conversations", 100));
  EXPECT_EQ(subject.plan(who)->at(0).due, 0);
  clock.now += 21 * day;
  EXPECT_EQ(subject.plan(who)->at(0).due, 2);
}

TEST_F(RetentionTest, HoldsKeepSubjectsRecordsAndEverything) {
  const auto held = record("C-1"), plain = record(), other = record("C-2");
  clock.now += 200 * day;
  auto subject = retention(term("conversations", 100));
  hold("C-1");
  hold("record:1");
  hold("record:999");
  auto planned = *subject.plan(who);
  EXPECT_EQ(planned[0].due, 1);
  EXPECT_EQ(planned[0].held, 2);
  hold("*", clock.now + day);
  planned = *subject.plan(who);
  EXPECT_EQ(planned[0].due, 0);
  EXPECT_EQ(planned[0].held, 3);
  ASSERT_TRUE(subject.run(who).ok());
  EXPECT_TRUE(readable(other));
  clock.now += 2 * day;   // that hold has run out
  ASSERT_TRUE(subject.run(who).ok());
  EXPECT_FALSE(readable(other));
  EXPECT_TRUE(readable(held));
  EXPECT_TRUE(readable(plain));
}

TEST_F(RetentionTest, RowsGoByTheirAgeUnlessHeld) {
  record("C-1");   // record 0
  hold("C-1");
  const auto tag = *keyring->subject_tag(TenantId("bank"), "C-1");
  const std::int64_t old = clock.now - 20 * day, young = clock.now - 5 * day;
  for (const auto time : {old, young})
    for (const std::string tenant : {"bank", "shop"})
      for (const std::string subject : {"", "C-1"}) {
        auto writer = *pool->writer();
        ASSERT_TRUE(writer->run("INSERT INTO vault_item VALUES (?, ?, ?)", tenant, subject.empty() ? subject : tag, time).ok());
        ASSERT_TRUE(writer->run("INSERT INTO unmask_request VALUES (?, ?, 'R', ?)", tenant, subject.empty() ? subject : tag, time).ok());
        for (const int state : {0, 1}) ASSERT_TRUE(writer->run("INSERT INTO review VALUES ('R', ?, ?, ?, ?, ?)", tenant, subject, 7, time, state).ok());
        auto other = *ratings->writer();
        ASSERT_TRUE(other->run("INSERT INTO rating VALUES (?, ?, ?)", tenant, subject.empty() ? 5 : 0, time).ok());
      }
  auto subject = retention(term("vault", 10) + term("reviews", 10) + term("feedback", 10) + term("stream_items", 10) + term("uploads", 10));
  const auto done = subject.run(who);
  ASSERT_TRUE(done.ok()) << done.error().message;
  const std::vector<std::pair<std::int64_t, std::int64_t>> expected = {{1, 1}, {2, 2}, {1, 1}, {3, 0}, {4, 1}};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(done->at(i).due, expected[i].first) << to_string(done->at(i).term.kind);
    EXPECT_EQ(done->at(i).held, expected[i].second) << to_string(done->at(i).term.kind);
  }
  EXPECT_EQ(rows(*pool, "SELECT COUNT(*) FROM vault_item"), 7);
  EXPECT_EQ(rows(*pool, "SELECT COUNT(*) FROM unmask_request"), 7);
  EXPECT_EQ(rows(*pool, "SELECT COUNT(*) FROM review"), 15) << "what waits for a decision stays";
  EXPECT_EQ(rows(*ratings, "SELECT COUNT(*) FROM rating"), 7);
  EXPECT_EQ(rows(*pool, "SELECT COUNT(*) FROM vault_item WHERE tenant = 'shop'"), 4);
  EXPECT_TRUE(streams_removed && uploads_removed);
  EXPECT_EQ(streams_before, clock.now - 10 * day);
}

TEST_F(RetentionTest, WithoutTheLedgerOrAPolicyNothingGoes) {
  const auto old = record();
  clock.now += 200 * day;
  audit.full = true;
  auto subject = retention(term("conversations", 100) + term("uploads", 1));
  EXPECT_FALSE(subject.run(who).ok());
  EXPECT_TRUE(readable(old));
  EXPECT_FALSE(uploads_removed);
  RetentionParts parts{.keyring = *keyring, .govern = *pool, .ratings = *ratings, .audit = audit};
  EXPECT_EQ(Retention({}, parts, clock).plan(who).error().code, ErrorCode::not_found);
  EXPECT_EQ(Retention({}, parts, clock).run(who).error().code, ErrorCode::not_found);
}

TEST_F(RetentionTest, AHeldRecordForbidsTheErasureOfItsSubject) {
  const auto mine = record("C-1");
  record("C-2");
  SubjectErasure erasure({*keyring, *pool, *ratings, audit, [](const TenantId&, const std::string&) -> Result<int> { return 0; },
                          [this](const std::vector<std::uint32_t>& keys) -> Result<std::vector<std::int64_t>> {
                            std::vector<std::int64_t> out;
                            for (std::size_t i = 0; i < records.size(); ++i)
                              if (std::find(keys.begin(), keys.end(), records[i].first) != keys.end()) out.push_back(static_cast<std::int64_t>(i));
                            return out;
                          }},
                         clock);
  hold("record:0");
  EXPECT_EQ(erasure.erase(who, "C-1", "request").error().code, ErrorCode::policy_denied);
  EXPECT_TRUE(readable(mine));
  EXPECT_TRUE(erasure.erase(who, "C-2", "request").ok());
  hold("*");
  EXPECT_EQ(erasure.erase(who, "C-3", "request").error().code, ErrorCode::policy_denied);
}

}  // namespace
}  // namespace heng::erasure
