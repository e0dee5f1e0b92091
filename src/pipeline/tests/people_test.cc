// Reviews and stop buttons in the flow: what needs a person never reaches the user first, what is halted never runs on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes.h"
#include "heng/pipeline/asker.h"
#include "heng/pipeline/chatter.h"

namespace heng::pipeline {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class BoxOfDrafts final : public Reviews {
 public:
  std::optional<std::string> standing;
  bool broken = false;
  std::vector<ReviewDraft> drafts;
  std::optional<std::string> required(const Principal&, std::string_view, const std::string&) const override { return standing; }
  Result<ReviewItem> submit(const Principal&, const ReviewDraft& draft) override {
    if (broken) return Error(ErrorCode::unavailable, "the queue is down");
    drafts.push_back(draft);
    ReviewItem item;
    item.id = ReviewId("R1");
    return item;
  }
  Result<std::vector<ReviewItem>> list(const Principal&, std::optional<ReviewState>, int) override { return unused(); }
  Result<ReviewItem> get(const Principal&, const ReviewId&) override { return unused(); }
  Result<ReviewItem> decide(const Principal&, const ReviewId&, const ReviewChoice&) override { return unused(); }
  Result<ReviewItem> redeem(const Principal&, const ReviewId&, const std::string&) override { return unused(); }
  Result<ReviewItem> plant(const Principal&, const ReviewDraft&, ReviewDecision) override { return unused(); }
  Result<ReviewQuality> quality(const Principal&) override { return unused(); }
  Result<std::vector<ReviewItem>> of_record(const Principal&, std::int64_t) override { return unused(); }

 private:
  static Error unused() { return {ErrorCode::unsupported, "not part of the flow"}; }
};

class Buttons final : public Stops {
 public:
  std::string model;                 ///< Halted.
  mutable int asked = 0;
  int halt_after = 1 << 30;          ///< Presses itself at this question.
  mutable std::vector<StopQuestion> questions;
  Result<void> check(const StopQuestion& q) const override {
    questions.push_back(q);
    if (++asked > halt_after || (!model.empty() && q.model == model)) return Error(ErrorCode::policy_denied, "stopped: drill");
    return {};
  }
  Result<StopInfo> stop(const Principal&, StopKind, const std::string&, const std::string&) override { return Error(ErrorCode::unsupported, ""); }
  Result<StopInfo> resume(const Principal&, std::int64_t, const std::string&) override { return Error(ErrorCode::unsupported, ""); }
  Result<std::vector<StopInfo>> list(const Principal&, bool) override { return Error(ErrorCode::unsupported, ""); }
};

/// Sends sentences that hold a word to a reviewer.
class ReviewGuard final : public Guard {
 public:
  std::string word = "guarantee", masked_word = "\x01";
  Result<GuardVerdict> check_input(const Principal&, const std::string&) const override { return GuardVerdict{}; }
  Result<GuardVerdict> check_output(const Principal&, const std::string& s) const override {
    GuardVerdict out;
    if (s.find(word) != std::string::npos) {
      out.action = GuardAction::review;
      out.reason = "a promise";
      out.findings.push_back({"marketing", "guarantee", "marketing.guarantee", "1", 0, 1});
    } else if (const auto at = s.find(masked_word); at != std::string::npos) {
      out.action = GuardAction::mask;
      out.findings.push_back({"pii", "phone", "pii.phone", "1", at, at + masked_word.size()});
    }
    return out;
  }
};

struct PeopleTest : testing::Test {
  fakes::Journal journal;
  fakes::ScriptedInference inference{journal};
  fakes::ShelfKnowledge knowledge{journal};
  fakes::MemoryAudit audit{journal};
  ReviewGuard guard;
  fakes::FigureVerifier verifier{journal};
  fakes::TableCalculator calculator;
  fakes::FixedRandom random;
  fakes::OpenGate gate;
  BoxOfDrafts reviews;
  Buttons stops;
  AskRequest request;
  ChatTurn turn;
  std::string streamed;

  PeopleTest() {
    request.principal.tenant = turn.principal.tenant = TenantId("bank");
    request.principal.desk = turn.principal.desk = "wealth";
    request.kb = KbName("demo");
    request.question = "What is the monthly fee?";
    turn.chat.messages = {{.role = "user", .content = "Sell me the fund"}};
    knowledge.shelf = {fakes::passage(101, "Fees", "The monthly fee of the account is 12 yuan. We guarantee the fee for 12 months."),
                       fakes::passage(102, "Terms", "Accounts are opened at every branch.")};
  }
  Result<AskAnswer> ask(bool with_queue = true) {
    AskerPorts ports{inference, knowledge, audit, guard, verifier, calculator, system_clock(), random, with_queue ? &reviews : nullptr, &stops, &gate};
    return (*DocumentAsker::create({}, ports))->ask(request, [&](const AskEvent& e) {
      if (e.sentence) streamed += e.sentence->text;
      return true;
    }, {});
  }
  Result<ChatReply> chat(bool with_queue = true, ChatterSettings settings = {}) {
    ChatterPorts ports{inference, audit, guard, system_clock(), random, with_queue ? &reviews : nullptr, &stops, &gate};
    return (*RecordedChatter::create(settings, ports))->chat(turn, [&](const ChatDelta& d) {
      streamed += d.content;
      for (const auto& call : d.tool_calls) streamed += call.arguments_part;
      return true;
    }, {});
  }
};

TEST_F(PeopleTest, ASentenceThatNeedsAPersonAndAllBehindItGoToTheQueue) {
  inference.script = {std::string("The monthly fee is 12 yuan [1]. We guarantee the fee for 12 months [1]. Accounts are opened at every branch [2].")};
  auto answer = ask();
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_EQ(answer->verdict, AnswerVerdict::review);
  EXPECT_EQ(answer->review, "R1");
  EXPECT_THAT(answer->answer, HasSubstr("12 yuan. [1]\nThe rest of this answer was sent to a reviewer, number R1"));
  EXPECT_THAT(answer->answer, Not(HasSubstr("guarantee")));
  EXPECT_THAT(answer->answer, Not(HasSubstr("branch")));
  EXPECT_THAT(streamed, Not(HasSubstr("guarantee")));
  EXPECT_THAT(streamed, Not(HasSubstr("branch")));
  for (const auto& s : answer->sentences) EXPECT_THAT(s.text, Not(HasSubstr("guarantee")));
  EXPECT_EQ(answer->citations.size(), 1u);
  ASSERT_EQ(reviews.drafts.size(), 1u);
  const auto& draft = reviews.drafts[0];
  EXPECT_THAT(draft.proposed, HasSubstr("We guarantee the fee for 12 months. [1] Accounts are opened at every branch. [2]"));
  EXPECT_EQ(draft.rule, "marketing.guarantee");
  ASSERT_EQ(draft.evidence.size(), 2u);
  EXPECT_THAT(draft.evidence[0].text, HasSubstr("monthly fee"));
  EXPECT_EQ(draft.evidence[0].sha256.size(), 64u);
  ASSERT_EQ(audit.closes.size(), 1u);
  EXPECT_EQ(audit.closes[0].output, answer->answer);
  EXPECT_EQ(audit.closes[0].verdicts.front().rule, "guard_in");
  EXPECT_TRUE(std::any_of(audit.closes[0].verdicts.begin(), audit.closes[0].verdicts.end(), [](const AuditVerdict& v) { return v.rule == "review" && v.verdict == "review"; }));
}

TEST_F(PeopleTest, AStandingPolicyHoldsAnAnswerFromItsFirstWord) {
  reviews.standing = "review.knowledge_bases";
  guard.word = "\x01";
  inference.script = {std::string("The monthly fee is 12 yuan [1].")};
  auto answer = ask();
  ASSERT_TRUE(answer.ok());
  EXPECT_THAT(streamed, IsEmpty());
  EXPECT_THAT(answer->answer, HasSubstr("This answer was sent to a reviewer, number R1"));
  EXPECT_THAT(answer->answer, Not(HasSubstr("12")));
  EXPECT_TRUE(answer->sentences.empty() && answer->citations.empty() && answer->figures.empty());
}

TEST_F(PeopleTest, WithoutAQueueOrWithABrokenOneNothingNeedingAPersonIsShown) {
  inference.script = {std::string("We guarantee the fee for 12 months [1].")};
  auto answer = ask(false);
  ASSERT_TRUE(answer.ok());
  EXPECT_THAT(answer->answer, Not(HasSubstr("guarantee")));
  for (const auto& s : answer->sentences) EXPECT_THAT(s.text, Not(HasSubstr("guarantee")));
  inference.script = {std::string("We guarantee the fee for 12 months [1].")};
  reviews.broken = true;
  auto broken = ask();
  ASSERT_FALSE(broken.ok());
  EXPECT_EQ(broken.error().code, ErrorCode::unavailable);
  EXPECT_THAT(streamed, Not(HasSubstr("guarantee")));
  EXPECT_EQ(audit.closes.size(), 2u);
}

TEST_F(PeopleTest, AHaltedModelDoesNotAnswerAndTheRefusalIsRecorded) {
  stops.model = "qwen";
  request.model = "qwen";
  auto answer = ask();
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, ErrorCode::policy_denied);
  EXPECT_EQ(audit.closes[0].outcome, "stopped");
  EXPECT_EQ(std::count(journal.begin(), journal.end(), "inference.chat"), 0);
  EXPECT_EQ(stops.questions[0].desk, "wealth");
  EXPECT_EQ(stops.questions[0].tenant.value, "bank");
}

TEST_F(PeopleTest, AStopPressedMeanwhileEndsTheAnswerBetweenTokens) {
  inference.script = {std::string("The monthly fee is 12 yuan [1]. ") + std::string(4000, 'x')};
  stops.halt_after = 12;
  auto answer = ask();
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, ErrorCode::policy_denied);
  EXPECT_LT(inference.pieces_sent, 20);
  EXPECT_EQ(audit.closes[0].outcome, "stopped");

  inference.pieces_sent = 0;
  stops.asked = 0;
  stops.halt_after = 5;
  inference.script = {std::string(4000, 'y')};
  auto reply = chat();
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(reply.error().code, ErrorCode::policy_denied);
  EXPECT_LT(inference.pieces_sent, 10);
  EXPECT_EQ(audit.closes[1].outcome, "stopped");
}

TEST_F(PeopleTest, AChatThatNeedsAPersonStreamsNothingOfItOn) {
  const std::string before = std::string(200, 'a') + " ";
  inference.script = {before + "we guarantee ten percent for ever"};
  auto reply = chat();
  ASSERT_TRUE(reply.ok()) << reply.error().message;
  EXPECT_EQ(reply->review, "R1");
  EXPECT_THAT(streamed, Not(HasSubstr("guarantee")));
  EXPECT_THAT(streamed, Not(HasSubstr("percent")));
  EXPECT_EQ(reply->result.message.content, streamed);
  EXPECT_TRUE(reply->result.tokens.empty()) << "log-probabilities would spell it out";
  EXPECT_EQ(reviews.drafts[0].proposed, before + "we guarantee ten percent for ever");
  EXPECT_EQ(reviews.drafts[0].question, "Sell me the fund");
  EXPECT_THAT(audit.closes[0].output, Not(HasSubstr("guarantee")));
}

TEST_F(PeopleTest, AHeldChatDoesNotUnmaskWhatHadLeftMasked) {
  guard.masked_word = "13800138000";
  inference.script = {"call 13800138000 " + std::string(300, 'a') + " we guarantee it"};
  auto reply = chat();
  ASSERT_TRUE(reply.ok());
  EXPECT_EQ(reply->review, "R1");
  EXPECT_THAT(streamed, HasSubstr("call *********** aaa"));
  EXPECT_THAT(reply->result.message.content, Not(HasSubstr("13800138000")));
}

TEST_F(PeopleTest, MaskedChatsCarryNoTokens) {
  guard.masked_word = "13800138000";
  inference.script = {std::string("call 13800138000 now")};
  auto reply = chat();
  ASSERT_TRUE(reply.ok());
  EXPECT_EQ(reply->result.message.content, "call *********** now");
  EXPECT_TRUE(reply->result.tokens.empty());
  EXPECT_FALSE(audit.closes[0].output_tokens.empty()) << "the record keeps them for replay";
}

TEST_F(PeopleTest, AChatWithoutAQueueIsWithheld) {
  inference.script = {std::string("we guarantee ten percent")};
  EXPECT_EQ(chat(false).error().code, ErrorCode::policy_denied);
  inference.script = {std::string("we guarantee ten percent")};
  reviews.broken = true;
  EXPECT_EQ(chat().error().code, ErrorCode::unavailable);
  EXPECT_THAT(streamed, Not(HasSubstr("guarantee")));
}

}  // namespace
}  // namespace heng::pipeline
