// Fault injection: checks that fail in every way, at every place, at every moment. Through the real flow of a chat nothing may leave that no
// sound verdict has let through.
#include <gtest/gtest.h>

#include <atomic>
#include <new>
#include <stdexcept>

#include "heng/base/clock.h"
#include "heng/base/ids.h"
#include "heng/contracts/audit.h"
#include "heng/guard_flow/gateway.h"
#include "heng/pipeline/chatter.h"

namespace heng::guard_flow {
namespace {

enum class Fault { error, exception, out_of_memory, strange };
constexpr Fault faults[] = {Fault::error, Fault::exception, Fault::out_of_memory, Fault::strange};

/// Works for a number of calls in its direction, then fails for good.
class FailingCheck final : public Check {
 public:
  FailingCheck(Fault fault, Direction direction, int sound_calls) : fault_(fault), direction_(direction), left_(sound_calls) {}
  std::string_view name() const override { return "personal_data"; }   // the one that what is kept depends on
  Result<void> look(const Principal&, const std::string& text, Direction direction, GuardVerdict&) const override {
    if (direction != direction_) return {};
    if (left_-- > 0) {
      seen_ = text.size();
      return {};
    }
    switch (fault_) {
      case Fault::error: return {ErrorCode::internal, "out of order"};
      case Fault::exception: throw std::runtime_error("out of order");
      case Fault::out_of_memory: throw std::bad_alloc();
      case Fault::strange: throw 42;
    }
    return {};
  }
  std::size_t seen() const { return seen_; }   ///< Bytes of the last text that was judged soundly.

 private:
  Fault fault_;
  Direction direction_;
  mutable std::atomic<int> left_;
  mutable std::atomic<std::size_t> seen_{0};
};

class Talker final : public Inference {
 public:
  std::string content, reasoning;
  bool asked = false;
  Result<ChatResult> chat(const ChatRequest&, const ChatSink& sink, std::stop_token) override {
    asked = true;
    ChatResult out;
    out.message.role = "assistant";
    out.message.content = content;
    for (std::size_t at = 0; at < content.size(); at += 9) {
      ChatDelta delta;
      delta.content = content.substr(at, 9);
      if (!sink(delta)) return out;
    }
    ChatDelta thought;
    thought.reasoning = reasoning;
    if (!reasoning.empty()) sink(thought);
    return out;
  }
  Result<ScoreResult> score(const ScoreRequest&, std::stop_token) override { return {ErrorCode::unsupported, "no"}; }
  Result<EmbedResult> embed(const EmbedRequest&, std::stop_token) override { return {ErrorCode::unsupported, "no"}; }
  Result<ReplayResult> replay(const ReplayRequest&, std::stop_token) override { return {ErrorCode::unsupported, "no"}; }
  Result<std::vector<std::int32_t>> tokenize(const std::string&, const std::string&) override { return std::vector<std::int32_t>{}; }
  std::vector<ModelInfo> models() const override { return {}; }
  std::vector<InferenceStats> stats() const override { return {}; }
};

class Shelf final : public Audit {
 public:
  std::vector<AuditOpen> opens;
  std::vector<AuditClose> closes;
  Result<AuditTicket> open(const AuditOpen& o) override { return opens.push_back(o), AuditTicket{}; }
  Result<AuditTicket> close(const AuditTicket&, const AuditClose& c) override { return closes.push_back(c), AuditTicket{}; }
  Result<AuditTicket> note(const AuditOpen&, const AuditClose&) override { return AuditTicket{}; }
  std::int64_t size() const override { return 0; }
};

struct Outcome {
  Result<ChatReply> reply = Error(ErrorCode::internal, "not run");
  std::string left;
  bool model_asked = false;
  std::size_t judged = 0;
  std::vector<AuditClose> closes;
  std::vector<AuditOpen> opens;
};

Outcome chat_with(Fault fault, Direction direction, int sound_calls, pipeline::OutputGuard when, bool thinks = false) {
  auto check = std::make_unique<FailingCheck>(fault, direction, sound_calls);
  const FailingCheck& watched = *check;
  std::vector<std::unique_ptr<Check>> checks;
  checks.push_back(std::move(check));
  const Gateway gateway(std::move(checks));
  Talker model;
  for (int i = 0; i < 60; ++i) model.content += "sentence " + std::to_string(i) + " of the answer. ";
  if (thinks) model.content.clear(), model.reasoning = "a thought with a secret";
  Shelf audit;
  Outcome run;
  auto chatter = pipeline::RecordedChatter::create({.output_guard = when}, {model, audit, gateway, system_clock(), system_random()});
  ChatTurn turn;
  turn.chat.messages = {{.role = "user", .content = "a question with the word swordfish"}};
  run.reply = (*chatter)->chat(turn, [&](const ChatDelta& d) {
    run.left += d.content + d.reasoning;
    return true;
  }, {});
  run.model_asked = model.asked;
  run.judged = watched.seen();
  run.closes = audit.closes;
  run.opens = audit.opens;
  return run;
}

TEST(Faults, AFailingCheckOfTheQuestionKeepsItFromTheModel) {
  for (const Fault fault : faults) {
    const Outcome run = chat_with(fault, Direction::prompt, 0, pipeline::OutputGuard::stream);
    ASSERT_FALSE(run.reply.ok());
    EXPECT_EQ(run.reply.error().code, ErrorCode::policy_denied);
    EXPECT_FALSE(run.model_asked);
    EXPECT_TRUE(run.left.empty());
    ASSERT_EQ(run.closes.size(), 1u);
    EXPECT_EQ(run.closes[0].outcome, "refused");
    // what cannot be judged does not stand in the record either
    EXPECT_EQ(run.opens[0].subject.find("swordfish"), std::string::npos);
  }
}

TEST(Faults, AFailingCheckOfTheAnswerLetsNothingMoreLeave) {
  for (const Fault fault : faults)
    for (const auto when : {pipeline::OutputGuard::stream, pipeline::OutputGuard::whole})
      for (int sound = 0; sound < 40; sound += 3) {
        const Outcome run = chat_with(fault, Direction::answer, sound, when);
        if (run.reply.ok()) {
          EXPECT_EQ(when, pipeline::OutputGuard::whole);  // one check of the whole is enough there
          EXPECT_GT(sound, 0);
          continue;
        }
        EXPECT_EQ(run.reply.error().code, ErrorCode::policy_denied);
        EXPECT_LE(run.left.size(), run.judged) << "text left that no sound verdict had seen";
        if (when == pipeline::OutputGuard::whole || sound == 0) {
          EXPECT_TRUE(run.left.empty());
        }
        ASSERT_EQ(run.closes.size(), 1u);
        EXPECT_EQ(run.closes[0].outcome, "refused");
      }
}

TEST(Faults, ThoughtsAreNoWayAround) {
  for (const Fault fault : faults) {
    const Outcome run = chat_with(fault, Direction::answer, 0, pipeline::OutputGuard::stream, true);
    EXPECT_FALSE(run.reply.ok());
    EXPECT_TRUE(run.left.empty());
  }
}

/// Throws past every wall: a guard that is not the gateway.
class ThrowingGuard final : public Guard {
 public:
  Result<GuardVerdict> check_input(const Principal&, const std::string&) const override { throw std::runtime_error("in"); }
  Result<GuardVerdict> check_output(const Principal&, const std::string&) const override { throw std::runtime_error("out"); }
};

TEST(Faults, AGuardThatThrowsEndsTheRequest) {
  const ThrowingGuard guard;
  Talker model;
  model.content = "secret";
  Shelf audit;
  std::string left;
  auto chatter = pipeline::RecordedChatter::create({}, {model, audit, guard, system_clock(), system_random()});
  ChatTurn turn;
  turn.chat.messages = {{.role = "user", .content = "hello"}};
  EXPECT_THROW((void)(*chatter)->chat(turn, [&](const ChatDelta& d) { return left += d.content, true; }, {}), std::runtime_error);
  EXPECT_TRUE(left.empty());
  EXPECT_FALSE(model.asked);
}

}  // namespace
}  // namespace heng::guard_flow
