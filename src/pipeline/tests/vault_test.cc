// The vault in the flow: a value leaves as a token only when it is kept; where it cannot be kept, nothing leaves. And a stop ends what is still reading.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "fakes.h"
#include "heng/pipeline/asker.h"
#include "heng/pipeline/chatter.h"

namespace heng::pipeline {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* card = "4111111111111111";
constexpr const char* token = "[BANK_CARD:0011223344556677]";

class BoxVault final : public Vault {
 public:
  bool full = false;
  std::vector<std::pair<std::string, std::string>> kept;   ///< Subject and value.
  Result<void> keep(const Principal& who, const std::vector<VaultItem>& items) override {
    if (full) return Error(ErrorCode::storage_full, "no space left");
    for (const auto& item : items) kept.emplace_back(who.data_subject, item.value);
    return {};
  }
  Result<std::vector<VaultEntry>> list(const Principal&, const VaultQuery&) override { return unused(); }
  Result<UnmaskRequest> request(const Principal&, const std::string&, const std::string&) override { return unused(); }
  Result<std::vector<UnmaskRequest>> requests(const Principal&, int) override { return unused(); }
  Result<UnmaskRequest> decide(const Principal&, const UnmaskId&, bool, const std::string&, const std::string&) override { return unused(); }
  Result<Unmasked> show(const Principal&, const UnmaskId&) override { return unused(); }

 private:
  static Error unused() { return {ErrorCode::unsupported, "not part of the flow"}; }
};

/// Puts a token for the card, everywhere.
class TokenGuard final : public Guard {
 public:
  std::string review_word = "\x01";
  Result<GuardVerdict> check_input(const Principal&, const std::string& s) const override { return look(s); }
  Result<GuardVerdict> check_output(const Principal&, const std::string& s) const override {
    auto out = look(s);
    if (s.find(review_word) != std::string::npos) out.action = GuardAction::review;
    return out;
  }
  Result<GuardVerdict> check_record(const Principal&, const std::string& s) const override { return look(s); }

 private:
  static GuardVerdict look(const std::string& s) {
    GuardVerdict out;
    out.masked = s;
    for (std::size_t at = out.masked.find(card); at != std::string::npos; at = out.masked.find(card)) {
      out.action = GuardAction::mask;
      out.masked.replace(at, std::string(card).size(), token);
      if (out.vault.empty()) out.vault.push_back({token, "bank_card", card});
    }
    return out;
  }
};

/// Reads its prompt until it is stopped.
class SlowReader final : public Inference {
 public:
  Result<ChatResult> chat(const ChatRequest&, const ChatSink&, std::stop_token stop) override {
    for (int i = 0; i < 1000 && !stop.stop_requested(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return Error(ErrorCode::cancelled, "the request was cancelled");
  }
  Result<ScoreResult> score(const ScoreRequest&, std::stop_token) override { return Error(ErrorCode::unsupported, ""); }
  Result<EmbedResult> embed(const EmbedRequest&, std::stop_token) override { return Error(ErrorCode::unsupported, ""); }
  Result<ReplayResult> replay(const ReplayRequest&, std::stop_token) override { return Error(ErrorCode::unsupported, ""); }
  Result<std::vector<std::int32_t>> tokenize(const std::string&, const std::string& text) override { return std::vector<std::int32_t>(text.size() / 4 + 1); }
  std::vector<ModelInfo> models() const override {
    ModelInfo info;
    info.name = "slow";
    info.is_default = true;
    info.context_tokens = 8192;
    return {info};
  }
  std::vector<InferenceStats> stats() const override { return {}; }
};

/// Pressed a moment after the request began, for one model.
class LateButton final : public Stops {
 public:
  explicit LateButton(std::string model) : model_(std::move(model)) {}
  Result<void> check(const StopQuestion& q) const override {
    if (q.model == model_ && std::chrono::steady_clock::now() - begun_ > std::chrono::milliseconds(150)) return Error(ErrorCode::policy_denied, "stopped: drill");
    return {};
  }
  Result<StopInfo> stop(const Principal&, StopKind, const std::string&, const std::string&) override { return Error(ErrorCode::unsupported, ""); }
  Result<StopInfo> resume(const Principal&, std::int64_t, const std::string&) override { return Error(ErrorCode::unsupported, ""); }
  Result<std::vector<StopInfo>> list(const Principal&, bool) override { return Error(ErrorCode::unsupported, ""); }

 private:
  std::string model_;
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};

struct VaultFlowTest : testing::Test {
  fakes::Journal journal;
  fakes::ScriptedInference inference{journal};
  fakes::ShelfKnowledge knowledge{journal};
  fakes::MemoryAudit audit{journal};
  TokenGuard guard;
  fakes::FigureVerifier verifier{journal};
  fakes::TableCalculator calculator;
  fakes::FixedRandom random;
  BoxVault vault;
  AskRequest request;
  ChatTurn turn;
  std::string streamed;

  VaultFlowTest() {
    request.principal.tenant = turn.principal.tenant = TenantId("bank");
    request.principal.data_subject = turn.principal.data_subject = "C-1";
    request.kb = KbName("demo");
    request.question = "Which card is it?";
    turn.chat.messages = {{.role = "user", .content = "Say it"}};
    knowledge.shelf = {fakes::passage(101, "Letter", std::string("The card of the letter is ") + card + ". The fee is 12 yuan.")};
  }
  fakes::OpenGate gate;
  Result<AskAnswer> ask(Vault* with) {
    AskerPorts ports{inference, knowledge, audit, guard, verifier, calculator, system_clock(), random, nullptr, nullptr, &gate, with};
    return (*DocumentAsker::create({}, ports))->ask(request, [&](const AskEvent& e) {
      if (e.sentence) streamed += e.sentence->text;
      return true;
    }, {});
  }
  Result<ChatReply> chat(Vault* with) {
    ChatterPorts ports{inference, audit, guard, system_clock(), random, nullptr, nullptr, &gate, with};
    return (*RecordedChatter::create({}, ports))->chat(turn, [&](const ChatDelta& d) {
      streamed += d.content;
      return true;
    }, {});
  }
  void expect_no_card_on_record() {
    for (const auto& open : audit.opens) EXPECT_THAT(open.subject, Not(HasSubstr(card)));
    for (const auto& close : audit.closes) {
      EXPECT_THAT(close.output, Not(HasSubstr(card)));
      for (const auto& verdict : close.verdicts) EXPECT_THAT(verdict.detail, Not(HasSubstr(card)));
    }
  }
};

TEST_F(VaultFlowTest, AChatGivesTheTokenWhenTheValueIsKept) {
  turn.chat.messages[0].content = std::string("my card ") + card;
  inference.script = {std::string("Your card is ") + card + ", " + std::string(200, 'x') + "."};
  inference.piece_bytes = 3;
  const auto reply = chat(&vault);
  ASSERT_TRUE(reply.ok()) << reply.error().message;
  EXPECT_THAT(streamed, HasSubstr(std::string("Your card is ") + token + ", xx"));
  EXPECT_EQ(streamed, reply->result.message.content);
  EXPECT_THAT(inference.asked[0].messages[0].content, HasSubstr(token)) << "the model reads the token";
  ASSERT_EQ(vault.kept.size(), 2u) << "once in, once out";
  EXPECT_TRUE(audit.closes[0].output_tokens.empty()) << "tokens would spell the value out in the record";
  EXPECT_EQ(vault.kept[0], (std::pair<std::string, std::string>("C-1", card)));
  expect_no_card_on_record();
}

TEST_F(VaultFlowTest, NoVaultAndAFullVaultLetNothingPass) {
  for (Vault* with : {static_cast<Vault*>(nullptr), static_cast<Vault*>(&vault)}) {
    vault.full = true;
    streamed.clear();
    inference.script = {std::string("Your card is ") + card + ", " + std::string(300, 'x') + "."};
    inference.piece_bytes = 7;
    const auto reply = chat(with);
    EXPECT_EQ(reply.error().code, ErrorCode::unavailable);
    EXPECT_THAT(streamed, Not(HasSubstr("4111")));
    EXPECT_THAT(streamed, Not(HasSubstr("BANK_CARD")));
  }
  const auto asked = inference.asked.size();
  turn.chat.messages[0].content = std::string("my card ") + card;
  EXPECT_EQ(chat(&vault).error().code, ErrorCode::unavailable);
  EXPECT_EQ(inference.asked.size(), asked) << "the model never ran";
  expect_no_card_on_record();
}

TEST_F(VaultFlowTest, AnAskKeepsItsQuestionAndItsSentences) {
  request.question = std::string("Whose card is ") + card + "?";
  inference.script = {std::string("The card of the letter is ") + card + " [1]."};
  const auto answer = ask(&vault);
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_THAT(answer->answer, Not(HasSubstr(card)));
  EXPECT_THAT(streamed, Not(HasSubstr(card)));
  EXPECT_FALSE(vault.kept.empty());
  expect_no_card_on_record();
}

TEST_F(VaultFlowTest, AnAskWithAFullVaultShowsNoValueAnywhere) {
  vault.full = true;
  inference.script = {std::string("The card of the letter is ") + card + " [1]. The fee is 12 yuan [1]."};
  const auto answer = ask(&vault);
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_THAT(answer->answer, Not(HasSubstr(card)));
  EXPECT_THAT(answer->answer, Not(HasSubstr("BANK_CARD")));
  for (const auto& sentence : answer->sentences) EXPECT_THAT(sentence.text, Not(HasSubstr(card)));
  request.question = std::string("Whose card is ") + card + "?";
  EXPECT_FALSE(ask(&vault).ok());
  expect_no_card_on_record();
}

TEST_F(VaultFlowTest, WhatTheVerifierWithheldIsShownMasked) {
  inference.script = {std::string("The card 99999 and ") + card + " is unknown [1]. The fee is 12 yuan [1]."};
  const auto answer = ask(&vault);
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  bool withheld = false;
  for (const auto& sentence : answer->sentences) {
    withheld = withheld || sentence.status == SentenceStatus::withheld;
    EXPECT_THAT(sentence.text, Not(HasSubstr(card)));
  }
  EXPECT_TRUE(withheld);
}

TEST_F(VaultFlowTest, AStopEndsAChatAndAnAskThatStillReadTheirPrompts) {
  SlowReader slow;
  {
    const LateButton button("slow");
    ChatterPorts ports{slow, audit, guard, system_clock(), random, nullptr, &button, &gate, &vault};
    const auto begun = std::chrono::steady_clock::now();
    const auto reply = (*RecordedChatter::create({}, ports))->chat(turn, {}, {});
    EXPECT_EQ(reply.error().code, ErrorCode::policy_denied);
    EXPECT_THAT(reply.error().message, HasSubstr("drill"));
    EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(2));
    EXPECT_EQ(audit.closes.back().outcome, "stopped");
  }
  const LateButton button("slow");
  AskerPorts ports{slow, knowledge, audit, guard, verifier, calculator, system_clock(), random, nullptr, &button, &gate, &vault};
  const auto answer = (*DocumentAsker::create({}, ports))->ask(request, {}, {});
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, ErrorCode::policy_denied) << answer.error().message;
  EXPECT_EQ(audit.closes.back().outcome, "stopped");
}

TEST_F(VaultFlowTest, TheCallersStopStillEndsIt) {
  SlowReader slow;
  std::stop_source stop;
  const LateButton never("another");
  ChatterPorts ports{slow, audit, guard, system_clock(), random, nullptr, &never, &gate, &vault};
  std::jthread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    stop.request_stop();
  });
  EXPECT_EQ((*RecordedChatter::create({}, ports))->chat(turn, {}, stop.get_token()).error().code, ErrorCode::cancelled);
}

}  // namespace
}  // namespace heng::pipeline
