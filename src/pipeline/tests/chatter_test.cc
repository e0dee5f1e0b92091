#include "heng/pipeline/chatter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes.h"
#include "heng/contracts/sharing.h"

namespace heng::pipeline {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

struct ChatterTest : testing::Test {
  fakes::Journal journal;
  fakes::ScriptedInference inference{journal};
  fakes::MemoryAudit audit{journal};
  fakes::WordGuard guard{journal};
  fakes::FixedRandom random;
  fakes::OpenGate gate;
  ChatterSettings settings;
  ChatTurn turn;
  std::string streamed;
  std::stop_source stop;

  ChatterTest() {
    turn.principal.tenant = TenantId("bank");
    turn.chat.tenant = TenantId("another");
    turn.chat.messages = {{.role = "user", .content = "Say hello"}};
  }
  Result<ChatReply> chat() {
    auto chatter = RecordedChatter::create(settings, {inference, audit, guard, system_clock(), random, nullptr, nullptr, &gate});
    EXPECT_TRUE(chatter.ok());
    return (*chatter)->chat(turn, [&](const ChatDelta& d) { streamed += d.content; return true; }, stop.get_token());
  }
};

TEST_F(ChatterTest, RunsInOrderAndStreamsEverything) {
  const std::string said = "你好，这是一段很长的回答，" + std::string(200, 'x') + "完。";
  inference.script = {said};
  auto reply = chat();
  ASSERT_TRUE(reply.ok()) << reply.error().message;
  EXPECT_EQ(streamed, said);
  EXPECT_EQ(reply->result.message.content, said);
  EXPECT_EQ(journal.front(), "audit.open");
  EXPECT_EQ(journal[1], "guard.in");
  EXPECT_EQ(journal[2], "inference.chat");
  EXPECT_EQ(journal.back(), "audit.close");
  EXPECT_EQ(audit.closes[0].output, said);
  EXPECT_EQ(inference.asked[0].tenant.value, "bank\n\n0") << "the tenant is the principal's, whatever the request says";
}

TEST(SharingDomain, IsOfOneTenantDeskClearanceAndRoles) {
  const auto who = [](const char* tenant, const char* desk, DataClass clearance, std::vector<std::string> roles) {
    Principal out;
    out.tenant = TenantId(tenant);
    out.desk = desk;
    out.clearance = clearance;
    out.roles = std::move(roles);
    return sharing_domain(out);
  };
  const auto domain = who("bank", "loans", DataClass::c2, {"a", "b"});
  EXPECT_EQ(domain, who("bank", "loans", DataClass::c2, {"b", "a"}));
  for (const auto& other : {who("shop", "loans", DataClass::c2, {"a", "b"}), who("bank", "cards", DataClass::c2, {"a", "b"}), who("bank", "loans", DataClass::c3, {"a", "b"}),
                            who("bank", "loans", DataClass::c2, {"a"}), who("bank", "loans", DataClass::c2, {"a", "b", "c"})})
    EXPECT_NE(domain, other) << other.value;
}

TEST_F(ChatterTest, NothingRunsWhenTheRecordCannotBeOpened) {
  audit.open_fails = true;
  auto reply = chat();
  ASSERT_FALSE(reply.ok());
  EXPECT_THAT(journal, ElementsAre("audit.open"));
}

TEST_F(ChatterTest, TheReplyIsWithheldWhenTheRecordCannotBeClosed) {
  audit.close_fails = true;
  inference.script = {std::string("hello")};
  auto reply = chat();
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(reply.error().code, ErrorCode::storage_full);
}

TEST_F(ChatterTest, ASecretNeverLeavesNotEvenItsBeginning) {
  guard.denied_out = "TOP-SECRET-0123456789";
  inference.script = {std::string(120, 'a') + " TOP-SECRET-0123456789 and more"};
  inference.piece_bytes = 3;
  auto reply = chat();
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(reply.error().code, ErrorCode::policy_denied);
  EXPECT_THAT(streamed, Not(HasSubstr("TOP")));
  EXPECT_EQ(audit.closes[0].outcome, "refused");
}

TEST_F(ChatterTest, MaskedTextIsMaskedInTheStreamToo) {
  guard.masked_out = "13800138000";
  inference.script = {"Call me at 13800138000 " + std::string(150, 'b')};
  inference.piece_bytes = 2;
  auto reply = chat();
  ASSERT_TRUE(reply.ok());
  EXPECT_THAT(streamed, HasSubstr("Call me at *********** b"));
  EXPECT_EQ(streamed, reply->result.message.content);
}

TEST_F(ChatterTest, WholeModeSendsNothingBeforeTheEnd) {
  settings.output_guard = OutputGuard::whole;
  guard.denied_out = "bad end";
  inference.script = {std::string(500, 'c') + " bad end"};
  auto reply = chat();
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(streamed, "");
}

TEST_F(ChatterTest, AnInputThatIsRefusedReachesNoModel) {
  guard.denied_in = "hello";
  auto reply = chat();
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(reply.error().code, ErrorCode::policy_denied);
  EXPECT_TRUE(inference.asked.empty());
  EXPECT_EQ(audit.closes[0].outcome, "refused");
}

TEST_F(ChatterTest, ErrorsAndCancellationsAreRecorded) {
  inference.script = {Error(ErrorCode::overloaded, "queue full"), std::string("one two three")};
  auto reply = chat();
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(audit.closes[0].outcome, "error:overloaded");
  stop.request_stop();
  reply = chat();
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(reply.error().code, ErrorCode::cancelled);
  EXPECT_EQ(audit.closes[1].outcome, "cancelled");
}

TEST_F(ChatterTest, BrokenTextIsRefusedAndRecordedAsValidText) {
  turn.chat.messages[0].content = "a\xff";
  auto reply = chat();
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(reply.error().code, ErrorCode::malformed_input);
  EXPECT_TRUE(text::is_valid_utf8(audit.opens[0].subject));
}

TEST_F(ChatterTest, AGuardThatBreaksWithholds) {
  guard.broken_out = true;
  inference.script = {std::string(300, 'd')};
  auto reply = chat();
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(streamed, "");
}

}  // namespace
}  // namespace heng::pipeline
