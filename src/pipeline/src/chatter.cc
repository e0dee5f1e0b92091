#include "heng/pipeline/chatter.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "heng/base/hash.h"
#include "heng/base/text.h"

namespace heng::pipeline {
namespace {

std::string as_json(const ChatRequest& chat) {
  nlohmann::json messages = nlohmann::json::array();
  for (const auto& m : chat.messages) messages.push_back({{"role", m.role}, {"content", text::replace_invalid_utf8(m.content)}});
  nlohmann::json out = {{"messages", std::move(messages)}, {"max_tokens", chat.max_tokens}};
  if (!chat.raw_prompt.empty()) out["prompt"] = text::replace_invalid_utf8(chat.raw_prompt);
  for (const auto& tool : chat.tools) out["tools"].push_back(tool.name);
  if (!chat.json_schema.empty()) out["json_schema"] = text::replace_invalid_utf8(chat.json_schema);
  return out.dump();
}

std::string all_text(const ChatRequest& chat) {
  std::string out = chat.raw_prompt;
  for (const auto& m : chat.messages) out += (out.empty() ? "" : "\n") + m.content;
  return out;
}

bool lets_pass(const Result<GuardVerdict>& verdict) {
  return verdict.ok() && (verdict->action == GuardAction::release || verdict->action == GuardAction::mask);
}
std::string reason_of(const Result<GuardVerdict>& verdict) { return verdict.ok() ? verdict->reason : "the guard failed: " + verdict.error().message; }

std::string masked(const std::string& s, const GuardVerdict& verdict) {
  if (verdict.action != GuardAction::mask) return s;
  std::u32string wide = text::to_utf32(s);
  for (const auto& finding : verdict.findings)
    for (std::size_t i = finding.begin; i < finding.end && i < wide.size(); ++i) wide[i] = U'*';
  return text::from_utf32(wide);
}

/// Lets text leave only behind the guard. The guard always sees all text so far, so that a rule sees an entity whole; what
/// may still become part of one is held back.
class Gate {
 public:
  Gate(const ChatterPorts& ports, const ChatterSettings& settings, const Principal& principal, const ChatSink& sink)
      : ports_(ports), settings_(settings), principal_(principal), sink_(sink) {}

  /// False: stop the model.
  bool feed(const ChatDelta& delta) {
    text_ += delta.content;
    waiting_.reasoning += delta.reasoning;
    waiting_.tool_calls.insert(waiting_.tool_calls.end(), delta.tool_calls.begin(), delta.tool_calls.end());
    waiting_.tokens.insert(waiting_.tokens.end(), delta.tokens.begin(), delta.tokens.end());
    for (const auto& call : delta.tool_calls) side_text_ += call.arguments_part;
    side_text_ += delta.reasoning;
    if (settings_.output_guard == OutputGuard::whole) return true;
    if (text_.size() + side_text_.size() < checked_bytes_ + 24) return true;
    return check() && send(false);
  }
  bool finish() { return check() && send(true); }
  bool denied() const { return denied_; }
  bool client_gone() const { return client_gone_; }
  const std::string& reason() const { return reason_; }
  const std::string& clean() const { return clean_; }

 private:
  bool check() {
    checked_bytes_ = text_.size() + side_text_.size();
    auto verdict = ports_.guard.check_output(principal_, text_);
    auto beside = side_text_.empty() ? Result<GuardVerdict>(GuardVerdict{}) : ports_.guard.check_output(principal_, side_text_);
    // what a tool or a thought would carry cannot be masked without breaking it, so there a finding withholds
    const bool beside_ok = beside.ok() && beside->action == GuardAction::release;
    denied_ = !lets_pass(verdict) || !beside_ok;
    if (denied_) {
      reason_ = lets_pass(verdict) ? reason_of(beside) : reason_of(verdict);
      return false;
    }
    clean_ = masked(text_, *verdict);
    return true;
  }
  bool send(bool all) {
    const std::size_t total = text::code_points(clean_);
    const auto held = static_cast<std::size_t>(settings_.hold_back_code_points);
    const std::size_t until = all ? total : total > held ? total - held : 0;
    ChatDelta out = std::move(waiting_);
    waiting_ = {};
    if (until > sent_) {
      const std::size_t begin = text::byte_offset(clean_, sent_);
      out.content = clean_.substr(begin, text::byte_offset(clean_, until) - begin);
      sent_ = until;
    } else if (!all && out.tool_calls.empty() && out.reasoning.empty()) {
      waiting_ = std::move(out);  // tokens alone wait for their text
      return true;
    }
    const bool empty = out.content.empty() && out.reasoning.empty() && out.tool_calls.empty() && out.tokens.empty();
    if (!empty && sink_ && !sink_(out)) client_gone_ = true;
    return !client_gone_;
  }

  const ChatterPorts& ports_;
  const ChatterSettings& settings_;
  const Principal& principal_;
  const ChatSink& sink_;
  std::string text_, side_text_, clean_, reason_;
  ChatDelta waiting_;
  std::size_t checked_bytes_ = 0, sent_ = 0;
  bool denied_ = false, client_gone_ = false;
};

Result<AuditTicket> open(const ChatterPorts& ports, const ChatTurn& turn, RequestId& request) {
  AuditOpen record;
  record.time_ms = ports.clock.unix_ms();
  record.request = request = new_request_id(record.time_ms, ports.random);
  record.principal = turn.principal;
  record.action = "chat";
  record.subject = as_json(turn.chat);
  record.resource = turn.chat.model;
  auto opened = ports.audit.open(record);
  if (opened.ok()) return opened;
  const ErrorCode code = opened.error().code == ErrorCode::storage_full ? ErrorCode::storage_full : ErrorCode::unavailable;
  return {code, "the audit record could not be opened, so nothing was run: " + opened.error().message};
}

void keep(AuditClose& record, const ChatRequest& chat, const ChatResult& result) {
  record.sampling = chat.sampling;
  record.model = result.model;
  record.model_sha256 = result.model_sha256;
  record.lora_sha256 = result.lora_sha256;
  record.prompt_tokens = result.prompt_tokens;
  record.output_tokens = result.tokens;
  record.usage = result.usage;
  for (const auto& call : result.message.tool_calls) record.tools.push_back({"proposed:" + call.name, call.arguments_json, ""});
}

/// Everything between opening and closing the record.
Result<ChatResult> run(const ChatterSettings& settings, const ChatterPorts& ports, const ChatTurn& turn, const ChatSink& sink,
                       std::stop_token stop, AuditClose& record) {
  const std::string in = all_text(turn.chat);
  if (const auto at = text::first_invalid_utf8(in); at != std::string_view::npos)
    return {ErrorCode::malformed_input, fmt::format("the messages are not UTF-8 at byte {}", at), "messages"};
  auto verdict = ports.guard.check_input(turn.principal, in);
  record.verdicts.push_back({"guard_in", "1", lets_pass(verdict) ? "release" : "deny", lets_pass(verdict) ? "" : reason_of(verdict)});
  if (!lets_pass(verdict)) return {ErrorCode::policy_denied, "the request was refused: " + reason_of(verdict)};
  ChatRequest chat = turn.chat;
  chat.tenant = turn.principal.tenant;
  record.prompt_sha256 = sha256_hex(in);
  Gate gate(ports, settings, turn.principal, sink);
  auto result = ports.inference.chat(chat, [&](const ChatDelta& delta) { return gate.feed(delta); }, stop);
  if (result.ok()) keep(record, chat, *result);
  if (!result.ok()) return result.error();
  if (!gate.denied() && !gate.client_gone()) gate.finish();
  record.verdicts.push_back({"guard_out", "1", gate.denied() ? "withhold" : "release", gate.reason()});
  if (gate.denied()) return {ErrorCode::policy_denied, "the answer was withheld: " + gate.reason()};
  if (gate.client_gone() || stop.stop_requested()) {
    record.output = gate.clean();
    return {ErrorCode::cancelled, "the request was cancelled"};
  }
  result->message.content = gate.clean();
  record.output = gate.clean();
  return result;
}

}  // namespace

Result<std::unique_ptr<RecordedChatter>> RecordedChatter::create(const ChatterSettings& settings, const ChatterPorts& ports) {
  if (settings.hold_back_code_points < 0 || settings.hold_back_code_points > 4096)
    return {ErrorCode::invalid_argument, fmt::format("hold_back_code_points is {}, must be 0 to 4096", settings.hold_back_code_points), "hold_back_code_points"};
  return std::unique_ptr<RecordedChatter>(new RecordedChatter(settings, ports));
}

RecordedChatter::RecordedChatter(const ChatterSettings& settings, const ChatterPorts& ports) : settings_(settings), ports_(ports) {}
RecordedChatter::~RecordedChatter() = default;

Result<ChatReply> RecordedChatter::chat(const ChatTurn& turn, const ChatSink& sink, std::stop_token stop) {
  ChatReply reply;
  const SteadyTime start = ports_.clock.steady();
  const AuditTicket opened = HENG_TRY(open(ports_, turn, reply.request));
  reply.audit_index = opened.index;
  AuditClose record;
  auto result = run(settings_, ports_, turn, sink, stop, record);
  record.time_ms = ports_.clock.unix_ms();
  record.total_ms = std::chrono::duration<double, std::milli>(ports_.clock.steady() - start).count();
  record.outcome = "ok";
  if (!result.ok()) {
    const ErrorCode code = result.error().code;
    record.outcome = code == ErrorCode::cancelled       ? "cancelled"
                     : code == ErrorCode::policy_denied ? "refused"
                                                        : fmt::format("error:{}", to_string(code));
  }
  auto closed = ports_.audit.close(opened, record);
  if (!result.ok()) return result.error();
  if (!closed.ok()) {
    const ErrorCode code = closed.error().code == ErrorCode::storage_full ? ErrorCode::storage_full : ErrorCode::unavailable;
    return {code, "the audit record could not be closed, so the end of the answer is withheld: " + closed.error().message};
  }
  reply.result = std::move(*result);
  return reply;
}

}  // namespace heng::pipeline
