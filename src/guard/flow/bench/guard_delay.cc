// What the guards add to an answer: the same conversations through the real flow with the gateway and with a guard that does nothing, around a model
// that writes at once. All the guards' work counts, although a real model writes on meanwhile. Prints p50, p95, p99 in ms.
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "heng/base/clock.h"
#include "heng/base/ids.h"
#include "heng/base/text.h"
#include "heng/contracts/audit.h"
#include "heng/guard_flow/gateway.h"
#include "heng/guard_flow/tool_gate.h"
#include "heng/pipeline/chatter.h"

namespace {

using namespace heng;

struct Talk {
  const char* question;
  std::vector<const char*> sentences;
};
const std::vector<Talk> talks = {
    {"海港金卡的年费是多少？", {"海港金卡的年费为每年300元，全年消费满12次可免次年年费。", "附属卡年费为每年150元。", "年费在每个周年的首月入账。"}},
    {"What is the annual fee of the Harbour Gold card?", {"The Harbour Gold card has an annual fee of 300 yuan.", "It is waived after 12 purchases in the year.", "A supplementary card costs 150 yuan a year."}},
    {"定期存款提前支取怎么计息？", {"提前支取的部分按支取日挂牌公告的活期存款利率计付利息。", "未支取的部分仍按原定利率计息，但剩余金额不得低于50元。", "办理时请携带本人有效身份证件，代办的还须提供代办人证件。"}},
    {"By how much did net revenue fall from 2014 to 2015, and why?",
     {"Net revenue went from $5,506 million in 2014 to $3,991 million in 2015, a decrease of 27.52%.", "The decrease came mainly from lower unit shipments to OEMs and lower sales of desktop processors.",
      "Sales of game console products fell in the second half of the year.", "Gross margin was 27% in 2015 and 33% in 2014."}},
    {"我在上海分行的客户经理王建国说，办理房贷要准备哪些材料？",
     {"办理个人住房贷款须提供身份证、户口簿、婚姻证明、收入证明和购房合同。", "收入证明须由单位盖章，月收入应不低于月供的两倍。", "首付款凭证和银行流水须覆盖最近六个月。", "贷款期限最长30年，且借款人年龄与期限之和不超过70年。"}},
    {"How do I block my card 4111 1111 1111 1111, and whom do I call?",
     {"You can block the card at once in the app under Cards, or by telephone at any hour.", "A blocked card cannot be used for purchases, cash or transfers.", "A replacement card is sent to the address on record within five working days and costs 20 yuan."}},
    {"外币兑换每天的限额是多少？", {"境内个人每年结汇和购汇的便利化额度分别为等值5万美元。", "当日外币现钞提取累计等值1万美元以下的，凭本人有效身份证件办理。", "超过额度的须提供有交易额的真实性凭证。"}},
    {"Summarise the complaint procedure.",
     {"Complaints can be made in the branch, by telephone, in writing or in the app.", "The bank confirms receipt within two working days and answers within fifteen.", "Complex cases may take up to sixty days; the customer is told the reason.",
      "Whoever is not content with the answer can turn to the mediation centre of the banking association.", "All steps are recorded and kept for five years."}},
};

class Writer final : public Inference {
 public:
  std::string content;
  Result<ChatResult> chat(const ChatRequest&, const ChatSink& sink, std::stop_token) override {
    ChatResult out;
    out.message.role = "assistant";
    out.message.content = content;
    // about a token at a time
    for (std::size_t at = 0; at < content.size();) {
      std::size_t size = std::min<std::size_t>(4, content.size() - at);
      while (at + size < content.size() && (static_cast<unsigned char>(content[at + size]) & 0xC0) == 0x80) ++size;
      ChatDelta delta;
      delta.content = content.substr(at, size);
      at += size;
      if (!sink(delta)) break;
    }
    return out;
  }
  Result<ScoreResult> score(const ScoreRequest&, std::stop_token) override { return {ErrorCode::unsupported, "no"}; }
  Result<EmbedResult> embed(const EmbedRequest&, std::stop_token) override { return {ErrorCode::unsupported, "no"}; }
  Result<ReplayResult> replay(const ReplayRequest&, std::stop_token) override { return {ErrorCode::unsupported, "no"}; }
  Result<std::vector<std::int32_t>> tokenize(const std::string&, const std::string&) override { return std::vector<std::int32_t>{}; }
  std::vector<ModelInfo> models() const override { return {}; }
  std::vector<InferenceStats> stats() const override { return {}; }
};
class NoAudit final : public Audit {
 public:
  Result<AuditTicket> open(const AuditOpen&) override { return AuditTicket{}; }
  Result<AuditTicket> close(const AuditTicket&, const AuditClose&) override { return AuditTicket{}; }
  Result<AuditTicket> note(const AuditOpen&, const AuditClose&) override { return AuditTicket{}; }
  std::int64_t size() const override { return 0; }
};
class NoGuard final : public Guard {
 public:
  Result<GuardVerdict> check_input(const Principal&, const std::string&) const override { return GuardVerdict{}; }
  Result<GuardVerdict> check_output(const Principal&, const std::string&) const override { return GuardVerdict{}; }
};

Principal user(int i) { return {.tenant = TenantId("t"), .user = UserId("u" + std::to_string(i % 50))}; }

/// One answered question as ask does it: the question looked at three times, each sentence once.
double ask_ms(const Guard& guard, const Talk& talk, int i) {
  const SteadyTime start = system_clock().steady();
  const Principal who = user(i);
  (void)guard.check_record(who, talk.question);
  (void)guard.check_input(who, talk.question);
  (void)guard.score_conversation(who, {talk.question});
  for (const char* sentence : talk.sentences) (void)guard.check_written(who, sentence, {"5f3a9c01"});
  return elapsed_ms(start);
}

double chat_ms(const Guard& guard, ToolGate& gate, pipeline::OutputGuard when, const Talk& talk, int i) {
  Writer model;
  for (const char* sentence : talk.sentences) model.content += sentence;
  NoAudit audit;
  auto chatter = pipeline::RecordedChatter::create({.output_guard = when}, {model, audit, guard, system_clock(), system_random(), nullptr, nullptr, &gate});
  ChatTurn turn;
  turn.principal = user(i);
  turn.chat.messages = {{.role = "system", .content = "You work for Harbour Bank. Reference canary-k7m2p9x4w1q8t5."}, {.role = "user", .content = talk.question}};
  const SteadyTime start = system_clock().steady();
  (void)(*chatter)->chat(turn, [](const ChatDelta&) { return true; }, {});
  return elapsed_ms(start);
}

double at(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1, static_cast<std::size_t>(share * static_cast<double>(values.size())))];
}

void print(const char* name, const std::vector<double>& added) {
  std::printf("%-28s p50 %.2f ms, p95 %.2f ms, p99 %.2f ms (%zu answers)\n", name, at(added, 0.5), at(added, 0.95), at(added, 0.99), added.size());
}

}  // namespace

int main() {
  guard_flow::GatewaySettings settings;
  settings.mask_key = std::string(32, 'k');
  auto gateway = guard_flow::Gateway::create(std::move(settings));
  auto policy = guard_egress::ToolPolicy::create(guard_egress::default_tool_policy_text(), "tools.toml");
  if (!gateway.ok() || !policy.ok()) return 1;
  guard_flow::PolicyToolGate gate(std::move(*policy), system_clock());
  const NoGuard none;
  constexpr int rounds = 60;
  std::vector<double> ask, stream, whole;
  for (int i = 0; i < rounds; ++i)
    for (const Talk& talk : talks) {
      ask.push_back(ask_ms(**gateway, talk, i) - ask_ms(none, talk, i));
      stream.push_back(chat_ms(**gateway, gate, pipeline::OutputGuard::stream, talk, i) - chat_ms(none, gate, pipeline::OutputGuard::stream, talk, i));
      whole.push_back(chat_ms(**gateway, gate, pipeline::OutputGuard::whole, talk, i) - chat_ms(none, gate, pipeline::OutputGuard::whole, talk, i));
    }
  print("ask", ask);
  print("chat, streamed", stream);
  print("chat, checked whole", whole);
  return 0;
}
