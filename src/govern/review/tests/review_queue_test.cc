#include "heng/review/review_queue.h"

#include "../src/agreement.h"
#include "fixture.h"
#include "heng/base/hash.h"

namespace heng::review {
namespace {

class QueueTest : public GovernTest {
 protected:
  void SetUp() override {
    GovernTest::SetUp();
    make({});
  }
  void make(QueueSettings settings) { queue = std::move(*ReviewQueue::create(std::move(settings), *pool, audit, clock)); }
  ReviewDraft draft(const std::string& text = "年化收益率为3.2%。") {
    ReviewDraft out;
    out.resource = "wealth";
    out.question = "收益率是多少？";
    out.proposed = text;
    out.rule = "marketing.guarantee";
    out.reason = "looks like a promise";
    out.evidence.push_back({"条款.md", 2, sha256_hex("业绩比较基准3.2%"), "业绩比较基准3.2%"});
    out.audit_index = 7;
    return out;
  }
  ReviewItem submitted(const std::string& text = "年化收益率为3.2%。") { return *queue->submit(asker, draft(text)); }
  Result<ReviewItem> approve(const Principal& who, const ReviewId& id, const std::string& text) {
    return queue->decide(who, id, {ReviewDecision::approve, sha256_hex(text), "", ""});
  }
  std::unique_ptr<ReviewQueue> queue;
  const std::string proposed = "年化收益率为3.2%。";
  const Principal asker = person("asker", {"analyst"}), one = person("one", {"reviewer"}), two = person("two", {"reviewer"}), three = person("three", {"reviewer"}),
                  chief = person("chief", {"supervisor"}), auditor = person("auditor", {"auditor"}), stranger = person("one", {"reviewer", "supervisor", "admin"}, "shop");
};

TEST_F(QueueTest, ShowsEvidenceToReviewersAndNothingHeldBackToTheAuthor) {
  const auto item = submitted();
  EXPECT_TRUE(item.text.empty());
  EXPECT_TRUE(item.sha256.empty());
  const auto mine = *queue->get(asker, item.id);
  EXPECT_EQ(mine.state, ReviewState::waiting);
  EXPECT_TRUE(mine.text.empty());
  EXPECT_TRUE(mine.reason.empty());
  const auto seen = *queue->get(one, item.id);
  EXPECT_EQ(seen.text, proposed);
  EXPECT_EQ(seen.sha256, sha256_hex(proposed));
  ASSERT_EQ(seen.evidence.size(), 1u);
  EXPECT_EQ(seen.evidence[0].page, 2);
  EXPECT_TRUE(seen.author.empty());
  EXPECT_EQ(queue->get(stranger, item.id).error().code, ErrorCode::not_found);
  EXPECT_EQ(queue->get(person("other", {"analyst"}), item.id).error().code, ErrorCode::not_found);
  EXPECT_TRUE(queue->list(stranger, {}, 10)->empty());
  EXPECT_TRUE(queue->list(person("other", {"analyst"}), {}, 10)->empty());
  EXPECT_EQ(queue->list(asker, {}, 10)->size(), 1u);
}

TEST_F(QueueTest, ReleasesExactlyWhatWasApprovedAndForATimeOnly) {
  const auto id = submitted().id;
  EXPECT_EQ(approve(one, id, "another text").error().code, ErrorCode::conflict);
  const auto done = approve(one, id, proposed);
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_EQ(done->state, ReviewState::approved);
  EXPECT_EQ(queue->get(asker, id)->text, proposed);
  EXPECT_EQ(approve(two, id, proposed).error().code, ErrorCode::conflict);
  clock.now = done->valid_until_ms;
  EXPECT_TRUE(queue->get(asker, id)->text.empty());
}

TEST_F(QueueTest, TheAuthorNeverApproves) {
  const auto both = person("asker", {"analyst", "reviewer", "supervisor", "admin"});
  const auto id = queue->submit(both, draft())->id;
  EXPECT_EQ(approve(both, id, proposed).error().code, ErrorCode::permission_denied);
  EXPECT_TRUE(queue->get(both, id)->text.empty());
  EXPECT_EQ(approve(auditor, id, proposed).error().code, ErrorCode::not_found);
  EXPECT_EQ(approve(person("boss", {"admin"}), id, proposed).error().code, ErrorCode::permission_denied);
  EXPECT_EQ(approve(stranger, id, proposed).error().code, ErrorCode::not_found);
  EXPECT_TRUE(approve(one, id, proposed).ok());
}

TEST_F(QueueTest, AnEditorIsAnAuthorToo) {
  const auto id = submitted().id;
  const std::string better = "业绩比较基准为3.2%，不代表实际收益。";
  EXPECT_EQ(queue->decide(one, id, {ReviewDecision::edit, sha256_hex(proposed), better, ""}).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(queue->decide(one, id, {ReviewDecision::edit, sha256_hex(proposed), " ", "x"}).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(queue->decide(one, id, {ReviewDecision::edit, sha256_hex(proposed), proposed, "x"}).error().code, ErrorCode::invalid_argument);
  const auto edited = queue->decide(one, id, {ReviewDecision::edit, sha256_hex(proposed), better, "a benchmark is no promise"});
  ASSERT_TRUE(edited.ok());
  EXPECT_EQ(edited->state, ReviewState::waiting);
  EXPECT_EQ(edited->sha256, sha256_hex(better));
  EXPECT_EQ(approve(one, id, better).error().code, ErrorCode::permission_denied);
  EXPECT_EQ(approve(two, id, proposed).error().code, ErrorCode::conflict);
  ASSERT_TRUE(approve(two, id, better).ok());
  EXPECT_EQ(queue->get(asker, id)->text, better);
}

TEST_F(QueueTest, ARejectionNeedsAReasonAndReleasesNothing) {
  const auto id = submitted().id;
  EXPECT_EQ(queue->decide(one, id, {ReviewDecision::reject, sha256_hex(proposed), "", ""}).error().code, ErrorCode::invalid_argument);
  ASSERT_TRUE(queue->decide(one, id, {ReviewDecision::reject, sha256_hex(proposed), "", "promises a return"}).ok());
  const auto mine = *queue->get(asker, id);
  EXPECT_EQ(mine.state, ReviewState::rejected);
  EXPECT_TRUE(mine.text.empty());
  ASSERT_EQ(mine.votes.size(), 1u);
  EXPECT_EQ(mine.votes[0].reason, "promises a return");
}

TEST_F(QueueTest, FourEyesAreTwoPeopleWhoDoNotSeeEachOther) {
  make({.four_eyes = {"marketing.guarantee"}});
  const auto id = submitted().id;
  ASSERT_TRUE(approve(one, id, proposed).ok());
  EXPECT_EQ(queue->get(asker, id)->state, ReviewState::waiting);
  EXPECT_EQ(approve(one, id, proposed).error().code, ErrorCode::conflict);
  EXPECT_TRUE(queue->get(two, id)->votes.empty());
  EXPECT_EQ(queue->get(two, id)->approvals, 0);
  EXPECT_EQ(queue->get(one, id)->votes.size(), 1u);
  EXPECT_EQ(approve(two, id, proposed)->state, ReviewState::approved);

  // a second person's edit takes the first one's approval away
  const auto other = submitted("甲").id;
  ASSERT_TRUE(approve(one, other, "甲").ok());
  ASSERT_EQ(queue->decide(two, other, {ReviewDecision::edit, sha256_hex("甲"), "乙", "x"})->state, ReviewState::waiting);
  EXPECT_EQ(approve(one, other, "乙")->state, ReviewState::approved);

  // both say their word, then it is rejected
  const auto third = submitted("丙").id;
  ASSERT_EQ(queue->decide(one, third, {ReviewDecision::reject, sha256_hex("丙"), "", "x"})->state, ReviewState::waiting);
  EXPECT_EQ(approve(one, third, "丙").error().code, ErrorCode::conflict);
  EXPECT_EQ(approve(two, third, "丙")->state, ReviewState::rejected);
}

TEST_F(QueueTest, EscalatesWhatIsLateAndNeverReleasesWhatHasExpired) {
  make({.due = std::chrono::minutes(10), .expires = std::chrono::minutes(60)});
  const auto late = submitted("甲").id;
  clock.now += 5 * 60'000;
  const auto fresh = submitted("乙").id;
  clock.now += 5 * 60'000;
  const auto waiting = *queue->list(chief, ReviewState::waiting, 10);
  ASSERT_EQ(waiting.size(), 2u);
  EXPECT_EQ(waiting[0].id, late);
  EXPECT_TRUE(waiting[0].escalated);
  EXPECT_FALSE(waiting[1].escalated);
  EXPECT_EQ(queue->list(chief, ReviewState::waiting, 10)->size(), 2u);
  EXPECT_EQ(audit.count("review.escalate"), 1);
  clock.now += 50 * 60'000;
  EXPECT_EQ(approve(one, late, "甲").error().code, ErrorCode::conflict);
  EXPECT_EQ(queue->get(asker, late)->state, ReviewState::expired);
  EXPECT_TRUE(approve(one, fresh, "乙").ok());
  EXPECT_EQ(audit.count("review.expire"), 1);
}

TEST_F(QueueTest, AnActionsApprovalServesOnceForExactlyItsText) {
  auto action = draft(R"({"tool":"transfer","amount":"100.00"})");
  action.kind = "action";
  const auto id = queue->submit(asker, action)->id;
  const auto hash = sha256_hex(action.proposed);
  EXPECT_EQ(queue->redeem(asker, id, hash).error().code, ErrorCode::conflict);
  ASSERT_TRUE(approve(one, id, action.proposed).ok());
  EXPECT_EQ(queue->redeem(asker, id, sha256_hex(R"({"tool":"transfer","amount":"100000.00"})")).error().code, ErrorCode::conflict);
  EXPECT_EQ(queue->redeem(person("thief", {"analyst"}), id, hash).error().code, ErrorCode::not_found);
  EXPECT_EQ(queue->redeem(person("asker", {}, "shop"), id, hash).error().code, ErrorCode::not_found);
  ASSERT_TRUE(queue->redeem(asker, id, hash).ok());
  EXPECT_EQ(queue->redeem(asker, id, hash).error().code, ErrorCode::conflict);
  const auto late = queue->submit(asker, action)->id;
  const auto approved = *approve(one, late, action.proposed);
  clock.now = approved.valid_until_ms;
  EXPECT_EQ(queue->redeem(asker, late, hash).error().code, ErrorCode::policy_denied);
}

TEST_F(QueueTest, WhatTheLedgerCannotNoteDoesNotHappen) {
  audit.full = true;
  EXPECT_FALSE(queue->submit(asker, draft()).ok());
  audit.full = false;
  EXPECT_TRUE(queue->list(one, {}, 10)->empty());
  const auto id = submitted().id;
  audit.full = true;
  EXPECT_FALSE(approve(one, id, proposed).ok());
  audit.full = false;
  EXPECT_EQ(queue->get(one, id)->state, ReviewState::waiting);
  ASSERT_TRUE(approve(one, id, proposed).ok());
  EXPECT_EQ(audit.count("review.approve"), 1);
}

TEST_F(QueueTest, PlantedErrorsMeasureReviewersWithoutShowing) {
  EXPECT_EQ(queue->plant(one, draft("bad"), ReviewDecision::reject).error().code, ErrorCode::permission_denied);
  std::vector<ReviewId> planted;
  for (int i = 0; i < 4; ++i) planted.push_back(queue->plant(chief, draft("bad " + std::to_string(i)), ReviewDecision::reject)->id);
  const auto real = submitted();
  const auto a = *queue->get(one, planted[0]), b = *queue->get(one, real.id);
  EXPECT_EQ(a.author, b.author);
  EXPECT_EQ(a.audit_index, b.audit_index);
  EXPECT_EQ(a.due_ms, b.due_ms);
  EXPECT_EQ(a.id.value.size(), b.id.value.size());
  EXPECT_EQ(approve(chief, planted[0], "bad 0").error().code, ErrorCode::permission_denied);
  ASSERT_TRUE(approve(one, planted[0], "bad 0").ok());
  for (int i : {1, 2, 3}) ASSERT_TRUE(queue->decide(one, planted[static_cast<std::size_t>(i)], {ReviewDecision::reject, sha256_hex("bad " + std::to_string(i)), "", "wrong"}).ok());
  EXPECT_EQ(queue->quality(one).error().code, ErrorCode::permission_denied);
  const auto quality = *queue->quality(chief);
  ASSERT_EQ(quality.reviewers.size(), 1u);
  EXPECT_EQ(quality.reviewers[0].planted, 4);
  EXPECT_EQ(quality.reviewers[0].caught, 3);
  EXPECT_NEAR(quality.reviewers[0].catch_low, 0.3006, 5e-4);  // Wilson for 3 of 4
  EXPECT_NEAR(quality.reviewers[0].catch_high, 0.9544, 5e-4);
  // an approved planted error reaches nobody
  EXPECT_TRUE(queue->list(asker, {}, 10)->size() == 1u);
  EXPECT_EQ(queue->redeem(chief, planted[0], sha256_hex("bad 0")).error().code, ErrorCode::not_found);
  EXPECT_TRUE(queue->of_record(auditor, 7)->size() == 1u);
}

TEST_F(QueueTest, ReportsAgreement) {
  make({.four_eyes = {"*"}});
  const auto vote = [&](const Principal& who, const ReviewId& id, const std::string& text, bool good) {
    ASSERT_TRUE(queue->decide(who, id, {good ? ReviewDecision::approve : ReviewDecision::reject, sha256_hex(text), "", "because"}).ok());
  };
  // 20 both approve, 5 only one, 10 only two, 15 both reject: kappa 0.4 (the usual textbook table)
  int n = 0;
  for (const auto& [count, first, second] : {std::tuple(20, true, true), std::tuple(5, true, false), std::tuple(10, false, true), std::tuple(15, false, false)})
    for (int i = 0; i < count; ++i) {
      const std::string text = "t" + std::to_string(n++);
      const auto id = submitted(text).id;
      vote(one, id, text, first);
      vote(two, id, text, second);
    }
  const auto quality = *queue->quality(auditor);
  EXPECT_EQ(quality.pairs, 50);
  EXPECT_DOUBLE_EQ(quality.agreement, 0.7);
  ASSERT_TRUE(quality.kappa);
  EXPECT_NEAR(*quality.kappa, 0.4, 1e-12);
}

TEST_F(QueueTest, BadInputNamesWhat) {
  EXPECT_EQ(queue->submit(asker, draft("  ")).error().param, "proposed");
  EXPECT_EQ(queue->submit(asker, draft("\xff")).error().code, ErrorCode::malformed_input);
  EXPECT_EQ(queue->submit(asker, draft(std::string(300'000, 'x'))).error().code, ErrorCode::too_large);
  EXPECT_EQ(queue->get(one, ReviewId("' OR 1=1 --")).error().code, ErrorCode::not_found);
  EXPECT_FALSE(ReviewQueue::create({.double_share = 2}, *pool, audit, clock).ok());
  EXPECT_FALSE(ReviewQueue::create({.due = std::chrono::minutes(0)}, *pool, audit, clock).ok());
  make({.most_waiting = 1});
  submitted();
  EXPECT_EQ(queue->submit(asker, draft()).error().code, ErrorCode::overloaded);
}

TEST_F(QueueTest, TheStandingPolicyNamesWhatGoesToPeople) {
  make({.knowledge_bases = {"wealth"}, .models = {"*"}});
  EXPECT_TRUE(queue->required(asker, "answer", "wealth"));
  EXPECT_FALSE(queue->required(asker, "answer", "fees"));
  EXPECT_TRUE(queue->required(asker, "chat", "any"));
}

TEST(Agreement, KappaOfNothingAndOfChance) {
  EXPECT_FALSE(cohen_kappa({}, 3).kappa);
  EXPECT_FALSE(cohen_kappa({{0, 0}, {0, 0}}, 3).kappa);
  EXPECT_NEAR(*cohen_kappa({{0, 1}, {1, 0}}, 3).kappa, -1, 1e-12);
  EXPECT_EQ(wilson(0, 0).second, 1);
  EXPECT_NEAR(wilson(0, 112).second, 0.0331, 1e-3);
}

}  // namespace
}  // namespace heng::review
