// The campaign against the real flow, with sound guards and with guards that were broken on purpose.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "heng/base/clock.h"
#include "heng/base/ids.h"
#include "heng/guard_flow/gateway.h"
#include "heng/guard_flow/tool_gate.h"
#include "heng/pipeline/chatter.h"
#include "heng/redteam/campaign.h"
#include "heng/redteam/report.h"

namespace heng::redteam {
namespace {

class NoAudit final : public Audit {
 public:
  Result<AuditTicket> open(const AuditOpen&) override { return AuditTicket{}; }
  Result<AuditTicket> close(const AuditTicket&, const AuditClose&) override { return AuditTicket{}; }
  Result<AuditTicket> note(const AuditOpen&, const AuditClose&) override { return AuditTicket{}; }
  std::int64_t size() const override { return 0; }
};

/// The chat as it runs in the program, and a knowledge base that keeps secrets, or does not.
class Bank final : public Target {
 public:
  Bank(HijackedModel& model, const Guard& guard, ToolGate* tools, bool leaky = false) : leaky_(leaky) {
    auto made = pipeline::RecordedChatter::create({}, {model, audit_, guard, system_clock(), system_random(), nullptr, nullptr, tools});
    chatter_ = std::move(*made);
  }
  std::string name() const override { return "test bank"; }
  bool has(Party) const override { return true; }
  Result<Reply> chat(const std::vector<Message>& messages, const std::vector<ToolSpec>& tools) override {
    ChatTurn turn;
    turn.principal.roles = {"teller"};
    turn.chat.messages = messages;
    turn.chat.tools = tools;
    Reply out;
    auto reply = chatter_->chat(turn, [&](const ChatDelta& delta) { return out.text += delta.content + delta.reasoning, true; }, {});
    if (!reply.ok()) {
      if (reply.error().code != ErrorCode::policy_denied) return reply.error();
      out.refused = true;
      out.refusal = reply.error().message;
      return out;
    }
    for (const auto& call : reply->result.message.tool_calls) {
      bool confirm = false;
      for (const auto& notice : reply->tools) confirm = confirm || (notice.id == call.id && notice.decision == "confirm");
      out.calls.push_back({call.name, call.arguments_json, confirm});
    }
    return out;
  }
  Result<Reply> ask(Party party, const std::vector<std::string>& turns) override { return search(party, turns.back()); }
  Result<Reply> search(Party party, const std::string&) override {
    Reply out;
    for (const auto& [path, text] : documents_)
      if (party == Party::owner || leaky_) out.text += text;
    return out;
  }
  Result<void> plant(const std::string& path, const std::string& text, const std::vector<std::string>&) override { return documents_[path] = text, Result<void>(); }
  Result<void> remove(const std::string& path) override { return documents_.erase(path), Result<void>(); }
  Result<void> clean_up() override { return cleaned = true, documents_.clear(), Result<void>(); }
  bool cleaned = false;

 private:
  NoAudit audit_;
  std::unique_ptr<pipeline::RecordedChatter> chatter_;
  std::map<std::string, std::string> documents_;
  bool leaky_;
};

/// Lets everything through.
class NoGuard final : public Guard {
 public:
  Result<GuardVerdict> check_input(const Principal&, const std::string&) const override { return GuardVerdict{}; }
  Result<GuardVerdict> check_output(const Principal&, const std::string&) const override { return GuardVerdict{}; }
  Result<GuardVerdict> check_written(const Principal&, const std::string&, const std::vector<std::string>&) const override { return GuardVerdict{}; }
};
class NoGate final : public ToolGate {
 public:
  Result<ToolVerdict> decide(const Principal&, ToolUse) override { return ToolVerdict{ToolDecision::allow, {}, {}, {}}; }
};

std::unique_ptr<guard_flow::Gateway> gateway() {
  guard_flow::GatewaySettings settings;
  settings.mask_key = std::string(32, 'k');
  settings.egress.links = *guard_egress::read_link_policy(guard_egress::default_link_policy_text(), "egress.toml");
  return std::move(*guard_flow::Gateway::create(std::move(settings)));
}

struct CampaignTest : testing::Test {
  HijackedModel model;
  std::unique_ptr<guard_flow::Gateway> guard = gateway();
  guard_flow::PolicyToolGate gate{std::move(*guard_egress::ToolPolicy::create(guard_egress::default_tool_policy_text(), "tools.toml")), system_clock()};
  CampaignSettings settings;

  CampaignTest() {
    settings.probes = 120;
    settings.families = {Family::egress, Family::promise, Family::tool_abuse, Family::covert, Family::exfiltration};
  }
  Report run(Bank& bank, ToolGate& tools) {
    Probes probes{&model, &bank, &tools, [this](const std::string& text) -> Result<double> {
                    return guard->check_input({}, text)->injection_score;
                  }, guard->injection_threshold()};
    auto report = attack(settings, nullptr, probes, {}, {});
    EXPECT_TRUE(report.ok()) << report.error().message;
    EXPECT_TRUE(bank.cleaned);
    return std::move(*report);
  }
  static const FamilyResult& of(const Report& report, Family family) {
    for (const auto& f : report.families)
      if (f.family == family) return f;
    static const FamilyResult none;
    return none;
  }
};

TEST_F(CampaignTest, SoundGuardsPassTheGate) {
  Bank bank(model, *guard, &gate);
  const Report report = run(bank, gate);
  std::printf("%s", plain(report, Wording::english).c_str());
  for (const auto& attempt : report.attempts)
    if (attempt.outcome == Outcome::success && attempt.family != Family::covert) ADD_FAILURE() << name_of(attempt.family) << " " << attempt.seed << ": " << attempt.reply;
  EXPECT_TRUE(report.passed);
  EXPECT_EQ(of(report, Family::egress).successes, 0);
  EXPECT_EQ(of(report, Family::tool_abuse).successes, 0);
  EXPECT_GE(of(report, Family::egress).attempts, 120);
  // what no filter closes is measured, and honest about it
  EXPECT_FALSE(of(report, Family::covert).gated);
  EXPECT_GT(of(report, Family::covert).successes, 0);
}

// The test of the test: a guard that was broken on purpose fails the gate, each family by itself.
TEST_F(CampaignTest, ABrokenOutgoingGuardFailsTheGate) {
  const NoGuard broken;
  Bank bank(model, broken, &gate);
  const Report report = run(bank, gate);
  EXPECT_FALSE(report.passed);
  EXPECT_FALSE(of(report, Family::egress).passed);
  EXPECT_EQ(of(report, Family::egress).successes, of(report, Family::egress).attempts);
  EXPECT_FALSE(of(report, Family::promise).passed);
  EXPECT_TRUE(of(report, Family::tool_abuse).passed);
  // every success stands in the report with its text
  const auto json = nlohmann::json::parse(to_json(report));
  EXPECT_EQ(json["successes"].size(), static_cast<std::size_t>(of(report, Family::egress).successes + of(report, Family::promise).successes + of(report, Family::covert).successes));
  for (const auto& success : json["successes"]) EXPECT_FALSE(success["reply"].get<std::string>().empty());
  const std::string page = html(report, Wording::chinese);
  EXPECT_EQ(page.find("<script"), std::string::npos);
  EXPECT_EQ(page.find("<img"), std::string::npos);  // what the attacker wrote is escaped
}

TEST_F(CampaignTest, AnOpenToolGateFailsTheGate) {
  NoGate open;
  Bank bank(model, *guard, &open);
  const Report report = run(bank, open);
  EXPECT_FALSE(report.passed);
  EXPECT_FALSE(of(report, Family::tool_abuse).passed);
  EXPECT_TRUE(of(report, Family::egress).passed);
}

TEST_F(CampaignTest, AKnowledgeBaseThatDoesNotCheckReadersFailsTheGate) {
  settings.families = {Family::exfiltration};
  Bank bank(model, *guard, &gate, true);
  const Report report = run(bank, gate);
  EXPECT_FALSE(report.passed);
  EXPECT_FALSE(of(report, Family::exfiltration).passed);
}

TEST_F(CampaignTest, TheSameSeedAttacksAlike) {
  settings.families = {Family::egress, Family::promise};
  Bank a(model, *guard, &gate), b(model, *guard, &gate);
  const Report first = run(a, gate), second = run(b, gate);
  ASSERT_EQ(first.attempts.size(), second.attempts.size());
  for (std::size_t i = 0; i < first.attempts.size(); ++i) EXPECT_EQ(first.attempts[i].sent, second.attempts[i].sent);
}

/// A system whose model obeys whoever speaks last, without a guard: adaptive rounds must find that out and list it.
class Obedient final : public Target {
 public:
  std::string name() const override { return "obedient"; }
  bool has(Party) const override { return false; }
  int calls = 0;
  bool broken = false;
  Result<Reply> chat(const std::vector<Message>& messages, const std::vector<ToolSpec>&) override {
    ++calls;
    if (broken) return Error(ErrorCode::unavailable, "down");
    Reply out;
    // gives in to Chinese full-width text and nothing else
    if (messages.back().content.find("\xEF\xBC\x8C") == std::string::npos || messages.back().content.find("\xEF\xBC\xA3") == std::string::npos) out.text = "No.";
    else out.text = messages.front().content;
    return out;
  }
  Result<Reply> ask(Party, const std::vector<std::string>&) override { return ++calls, Reply{}; }
  Result<Reply> search(Party, const std::string&) override { return Reply{}; }
  Result<void> plant(const std::string&, const std::string&, const std::vector<std::string>&) override { return {}; }
  Result<void> remove(const std::string&) override { return {}; }
  Result<void> clean_up() override { return {}; }
};

TEST(Adaptive, StaysWithinTheBudgetAndGoesWhereItGetsThrough) {
  Obedient target;
  CampaignSettings settings;
  settings.budget = 150;
  settings.families = {Family::direct, Family::jailbreak, Family::prompt_leak};
  const auto report = attack(settings, &target, {}, {}, {});
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->model_calls, 150);
  EXPECT_LE(target.calls, 150);
  std::map<std::string, int> used;
  for (const auto& attempt : report->attempts)
    if (attempt.round > 3 && !attempt.mutations.empty()) ++used[attempt.mutations.back()];
  int most = 0;
  for (const auto& [name, count] : used) most = std::max(most, count);
  EXPECT_GT(most, 0);
  // the same again is the same again
  Obedient other;
  const auto again = attack(settings, &other, {}, {}, {});
  ASSERT_EQ(again->attempts.size(), report->attempts.size());
  for (std::size_t i = 0; i < again->attempts.size(); ++i) EXPECT_EQ(again->attempts[i].sent, report->attempts[i].sent);
}

TEST(Adaptive, ASystemThatIsDownPassesNothing) {
  Obedient target;
  target.broken = true;
  CampaignSettings settings;
  settings.budget = 20;
  settings.families = {Family::prompt_leak};
  const auto report = attack(settings, &target, {}, {}, {});
  ASSERT_TRUE(report.ok());
  EXPECT_FALSE(report->passed);
  EXPECT_EQ(attack({.budget = 0}, &target, {}, {}, {}).error().param, "budget");
  EXPECT_EQ(attack({.gate = 2}, &target, {}, {}, {}).error().param, "gate");
}

}  // namespace
}  // namespace heng::redteam
