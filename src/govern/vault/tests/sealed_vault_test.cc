#include "heng/base/set_clock.h"
#include "heng/vault/sealed_vault.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <sstream>

#include "heng/base/hash.h"
#include "heng/erasure/subject_erasure.h"
#include "heng/review/migrations.h"
#include "heng/review/review_queue.h"

namespace heng::vault {
namespace {

constexpr const char* planted = "6222020200112233446";
constexpr const char* token = "[BANK_CARD:0011223344556677aabb]";

class NotingAudit final : public Audit {
 public:
  Result<AuditTicket> open(const AuditOpen&) override { return Error(ErrorCode::internal, "not used"); }
  Result<AuditTicket> close(const AuditTicket&, const AuditClose&) override { return Error(ErrorCode::internal, "not used"); }
  Result<AuditTicket> note(const AuditOpen& open, const AuditClose& close) override {
    if (full || open.action == fails_at) return Error(ErrorCode::storage_full, "no space left");
    text += open.action + "|" + open.subject + "|" + open.resource + "|" + close.outcome + "|" + close.output + "\n";
    ++notes;
    return AuditTicket{notes, open.request, open.principal.tenant};
  }
  std::int64_t size() const override { return notes; }
  std::string text, fails_at;
  std::int64_t notes = 0;
  bool full = false;
};

Principal person(const std::string& user, std::vector<std::string> roles = {}, const std::string& tenant = "bank", const std::string& subject = "") {
  Principal who;
  who.tenant = TenantId(tenant);
  who.user = UserId(user);
  who.roles = std::move(roles);
  who.data_subject = subject;
  return who;
}

class VaultTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "heng-vault-XXXXXX").string();
    folder = mkdtemp(pattern.data());
    std::vector<store::Migration> govern = review::migrations();
    govern.push_back({.version = 2, .name = "another room's", .sql = ""});
    for (const auto& migration : erasure::migrations()) govern.push_back(migration);
    for (int other = 4; other < migrations()[0].version; ++other) govern.push_back({.version = other, .name = "another room's", .sql = ""});
    for (const auto& migration : migrations()) govern.push_back(migration);
    pool = std::move(*store::Pool::open({.database = {.path = folder / "govern.db", .key = key}}, govern));
    ratings = std::move(*store::Pool::open({.database = {.path = folder / "heng.db", .key = key}}, {{.version = 1, .name = "r", .sql = "CREATE TABLE rating (tenant TEXT, audit_index INTEGER);"}}));
    keyring = std::move(*store::Keyring::open(folder / "keyring", key, clock));
    queue = std::move(*review::ReviewQueue::create({}, *pool, audit, clock));
    vault = std::move(*SealedVault::create({.valid = std::chrono::minutes(60)}, *pool, *keyring, *queue, audit, clock));
  }
  void TearDown() override {
    vault.reset();
    queue.reset();
    pool.reset();
    ratings.reset();
    std::filesystem::remove_all(folder);
  }
  void keep(const std::string& subject = "", const std::string& tenant = "bank") {
    const auto kept = vault->keep(person("asker", {}, tenant, subject), {{token, "bank_card", planted}});
    ASSERT_TRUE(kept.ok()) << kept.error().message;
  }
  UnmaskRequest asked(const Principal& who) {
    auto made = vault->request(who, token, "fraud case 12");
    EXPECT_TRUE(made.ok()) << made.error().message;
    return *made;
  }
  std::string bytes_on_disk() {
    { EXPECT_TRUE((*pool->writer())->checkpoint().ok()); }
    std::string all;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      if (!entry.is_regular_file()) continue;
      std::ifstream in(entry.path(), std::ios::binary);
      std::ostringstream out;
      out << in.rdbuf();
      all += out.str();
    }
    return all;
  }
  Result<erasure::ErasureReport> erase(const std::string& subject) {
    return erasure::SubjectErasure({*keyring, *pool, *ratings, audit, [](const TenantId&, const std::string&) -> Result<int> { return 0; },
                                    [](const std::vector<std::uint32_t>&) -> Result<std::vector<std::int64_t>> { return std::vector<std::int64_t>{}; }},
                                   clock)
        .erase(person("dpo", {"privacy"}), subject, "request");
  }
  std::filesystem::path folder;
  store::SecretKey key = store::SecretKey::random();
  SetClock clock;
  NotingAudit audit;
  std::unique_ptr<store::Pool> pool, ratings;
  std::unique_ptr<store::Keyring> keyring;
  std::unique_ptr<review::ReviewQueue> queue;
  std::unique_ptr<SealedVault> vault;
  const Principal ana = person("ana", {"risk"}), dpo = person("dpo", {"privacy"}), chief = person("chief", {"supervisor"}), rev = person("rev", {"reviewer"}),
                  stranger = person("dpo", {"privacy", "supervisor", "admin"}, "shop");
};

TEST_F(VaultTest, ASecondPersonLetsOnePersonReadOnce) {
  keep();
  const auto listed = *vault->list(ana, {});
  ASSERT_EQ(listed.size(), 1u);
  EXPECT_EQ(listed[0].token, token);
  EXPECT_FALSE(listed[0].of_subject);
  const auto made = asked(ana);
  EXPECT_EQ(made.sha256, sha256_hex(made.text));
  EXPECT_NE(made.text.find("fraud case 12"), std::string::npos);
  EXPECT_EQ(vault->show(ana, made.id).error().code, ErrorCode::conflict) << "nobody has agreed";
  const auto approved = vault->decide(dpo, made.id, true, made.sha256, "");
  ASSERT_TRUE(approved.ok()) << approved.error().message;
  EXPECT_EQ(approved->state, UnmaskState::approved);
  EXPECT_EQ(vault->show(dpo, made.id).error().code, ErrorCode::not_found) << "the approver asked for nothing";
  const auto shown = vault->show(ana, made.id);
  ASSERT_TRUE(shown.ok()) << shown.error().message;
  EXPECT_EQ(shown->value, planted);
  EXPECT_EQ(vault->show(ana, made.id).error().code, ErrorCode::conflict) << "a replay";
  EXPECT_EQ(vault->requests(ana, 10)->at(0).state, UnmaskState::shown);
  for (const char* action : {"vault.request|", "review.submit|", "vault.approve|", "review.redeem|", "vault.show|"}) EXPECT_NE(audit.text.find(action), std::string::npos) << action;
  EXPECT_EQ(audit.text.find(planted), std::string::npos) << "the ledger never learns the value";
}

TEST_F(VaultTest, NobodyApprovesTheOwnRequestAndReviewersOfAnswersDoNot) {
  keep();
  const auto own = person("dpo", {"privacy", "supervisor", "reviewer", "admin"});
  const auto made = asked(own);
  EXPECT_EQ(vault->decide(own, made.id, true, made.sha256, "").error().code, ErrorCode::permission_denied);
  EXPECT_EQ(queue->decide(own, ReviewId(made.review), {ReviewDecision::approve, made.sha256, "", ""}).error().code, ErrorCode::permission_denied);
  EXPECT_EQ(vault->decide(rev, made.id, true, made.sha256, "").error().code, ErrorCode::not_found) << "reviewers of answers do not even see it";
  EXPECT_FALSE(queue->decide(rev, ReviewId(made.review), {ReviewDecision::approve, made.sha256, "", ""}).ok());
  EXPECT_TRUE(queue->list(rev, {}, 10)->empty());
  EXPECT_EQ(vault->decide(person("boss", {"admin"}), made.id, true, made.sha256, "").error().code, ErrorCode::permission_denied);
  EXPECT_FALSE(vault->show(own, made.id).ok());
  EXPECT_EQ(queue->decide(chief, ReviewId(made.review), {ReviewDecision::edit, made.sha256, "{}", "x"}).error().code, ErrorCode::invalid_argument);
  // a privacy officer decides on unmasking only
  const auto answer = *queue->submit(ana, {.resource = "kb", .question = "q", .proposed = "text"});
  const auto officer = person("officer", {"privacy"});
  EXPECT_EQ(queue->decide(officer, answer.id, {ReviewDecision::approve, sha256_hex("text"), "", ""}).error().code, ErrorCode::not_found);
  EXPECT_TRUE(vault->decide(chief, made.id, true, made.sha256, "").ok());
}

TEST_F(VaultTest, TimeRunsOut) {
  keep();
  const auto late = asked(ana);
  clock.now += 60 * 60'000;
  EXPECT_EQ(vault->decide(dpo, late.id, true, late.sha256, "").error().code, ErrorCode::policy_denied);
  EXPECT_EQ(vault->requests(ana, 10)->at(0).state, UnmaskState::expired);
  const auto made = asked(ana);
  ASSERT_TRUE(vault->decide(dpo, made.id, true, made.sha256, "").ok());
  clock.now += 60 * 60'000;
  EXPECT_EQ(vault->show(ana, made.id).error().code, ErrorCode::policy_denied);
  EXPECT_NE(audit.text.find("vault.show|the request expired"), std::string::npos) << "the refusal is recorded";
}

TEST_F(VaultTest, AnotherTenantHasNothing) {
  keep();
  const auto made = asked(ana);
  EXPECT_TRUE(vault->list(stranger, {})->empty());
  EXPECT_EQ(vault->request(stranger, token, "x").error().code, ErrorCode::not_found);
  EXPECT_EQ(vault->decide(stranger, made.id, true, made.sha256, "").error().code, ErrorCode::not_found);
  ASSERT_TRUE(vault->decide(dpo, made.id, true, made.sha256, "").ok());
  EXPECT_EQ(vault->show(person("ana", {"admin"}, "shop"), made.id).error().code, ErrorCode::not_found);
  EXPECT_TRUE(vault->requests(stranger, 10)->empty());
  // a row carried over to the other tenant does not open there
  { ASSERT_TRUE((*pool->writer())->execute("INSERT INTO vault_item SELECT 'shop', token, subject_tag, type, key, sealed, first_ms, last_ms FROM vault_item").ok()); }
  const auto stolen = *vault->request(person("eve", {"privacy"}, "shop"), token, "x");
  ASSERT_TRUE(vault->decide(stranger, stolen.id, true, stolen.sha256, "").ok());
  EXPECT_EQ(vault->show(person("eve", {"privacy"}, "shop"), stolen.id).error().code, ErrorCode::corrupt);
}

TEST_F(VaultTest, AnApprovalServesForWhatWasApprovedOnly) {
  keep();
  const char* other = "[BANK_CARD:ffffffffffffffffffff]";
  ASSERT_TRUE(vault->keep(person("asker"), {{other, "bank_card", "4111111111111111"}}).ok());
  const auto made = asked(ana);
  EXPECT_EQ(vault->decide(dpo, made.id, true, sha256_hex("something else"), "").error().code, ErrorCode::conflict);
  ASSERT_TRUE(vault->decide(dpo, made.id, true, made.sha256, "").ok());
  // whoever can write the database points the approved request to another value, another person or another time
  for (const char* change : {"token = '[BANK_CARD:ffffffffffffffffffff]'", "reason = 'curiosity'", "expires_ms = expires_ms + 1000000"}) {
    { ASSERT_TRUE((*pool->writer())->execute("CREATE TABLE saved AS SELECT * FROM unmask_request").ok()); }
    { ASSERT_TRUE((*pool->writer())->execute(std::string("UPDATE unmask_request SET ") + change).ok()); }
    const auto shown = vault->show(ana, made.id);
    EXPECT_EQ(shown.error().code, ErrorCode::conflict) << change;
    { ASSERT_TRUE((*pool->writer())->execute("DELETE FROM unmask_request; INSERT INTO unmask_request SELECT * FROM saved; DROP TABLE saved").ok()); }
  }
  { ASSERT_TRUE((*pool->writer())->execute("UPDATE unmask_request SET requester = 'eve'").ok()); }
  EXPECT_FALSE(vault->show(person("eve", {"risk"}), made.id).ok());
  { ASSERT_TRUE((*pool->writer())->execute("UPDATE unmask_request SET requester = 'ana'").ok()); }
  // nor does a row moved under the approved token open
  { ASSERT_TRUE((*pool->writer())->run("UPDATE vault_item SET sealed = (SELECT sealed FROM vault_item WHERE token = ?) WHERE token = ?", other, token).ok()); }
  EXPECT_EQ(vault->show(ana, made.id).error().code, ErrorCode::corrupt);
}

TEST_F(VaultTest, NothingOnDiskHoldsTheValue) {
  keep();
  keep("C-1");
  const auto made = asked(ana);
  ASSERT_TRUE(vault->decide(dpo, made.id, true, made.sha256, "").ok());
  ASSERT_TRUE(vault->show(ana, made.id).ok());
  const std::string all = bytes_on_disk();
  ASSERT_GT(all.size(), 10'000u);
  EXPECT_EQ(all.find(planted), std::string::npos);
  // and inside the decrypted database it is still sealed
  auto reader = *pool->reader();
  auto row = *reader->prepare("SELECT sealed FROM vault_item");
  int rows = 0;
  while (*row.step()) {
    EXPECT_EQ(std::string(row.blob(0)).find(planted), std::string::npos);
    ++rows;
  }
  EXPECT_EQ(rows, 2);
}

TEST_F(VaultTest, AnErasedSubjectIsGoneEvenFromACopyOfTheRows) {
  keep("C-1");
  keep("C-2");
  const auto who = person("ana", {"risk"}, "bank", "C-1");
  const auto made = asked(who);
  ASSERT_TRUE(vault->decide(dpo, made.id, true, made.sha256, "").ok());
  { ASSERT_TRUE((*pool->writer())->execute("CREATE TABLE stolen AS SELECT * FROM vault_item").ok()); }
  ASSERT_TRUE(erase("C-1").ok());
  EXPECT_FALSE(vault->show(who, made.id).ok());
  EXPECT_EQ(vault->list(ana, {})->size(), 1u) << "the other subject's stays";
  // rows put back from a copy do not open: the key is gone
  { ASSERT_TRUE((*pool->writer())->execute("INSERT OR IGNORE INTO vault_item SELECT * FROM stolen").ok()); }
  const auto again = asked(who);
  ASSERT_TRUE(vault->decide(dpo, again.id, true, again.sha256, "").ok());
  EXPECT_EQ(vault->show(who, again.id).error().code, ErrorCode::permission_denied);
  // the subject who comes back gets a new key, and a new row
  keep("C-1");
  const auto fresh = asked(who);
  ASSERT_TRUE(vault->decide(dpo, fresh.id, true, fresh.sha256, "").ok());
  EXPECT_EQ(vault->show(who, fresh.id)->value, planted);
}

TEST_F(VaultTest, WithoutTheLedgerNothingIsShown) {
  keep();
  const auto made = asked(ana);
  ASSERT_TRUE(vault->decide(dpo, made.id, true, made.sha256, "").ok());
  audit.fails_at = "vault.show";
  const auto shown = vault->show(ana, made.id);
  EXPECT_EQ(shown.error().code, ErrorCode::storage_full);
  audit.full = true;
  EXPECT_FALSE(vault->request(ana, token, "x").ok());
}

TEST_F(VaultTest, KeepsOnceAndRefusesWhatIsNoValue) {
  for (int i = 0; i < 3; ++i) keep();
  EXPECT_EQ(vault->list(ana, {})->size(), 1u);
  EXPECT_FALSE(vault->keep(person("a", {}, ""), {{token, "t", "v"}}).ok());
  EXPECT_FALSE(vault->keep(person("a"), {{token, "t", ""}}).ok());
  EXPECT_FALSE(vault->keep(person("a"), {{"", "t", "v"}}).ok());
  EXPECT_TRUE(vault->keep(person("a"), {}).ok());
  EXPECT_EQ(vault->request(ana, "[X:1]", "why").error().code, ErrorCode::not_found);
  EXPECT_EQ(vault->request(ana, "", "why").error().code, ErrorCode::not_found);
  EXPECT_EQ(vault->request(ana, token, "  ").error().param, "reason");
  EXPECT_FALSE(SealedVault::create({.valid = std::chrono::minutes(0)}, *pool, *keyring, *queue, audit, clock).ok());
  EXPECT_FALSE(vault->decide(dpo, asked(ana).id, false, "", "").ok());
}

}  // namespace
}  // namespace heng::vault
