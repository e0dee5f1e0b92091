#include "heng/pipeline/chatter.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "heng/base/hash.h"
#include "heng/base/text.h"
#include "heng/guard_label/label.h"
#include "heng/contracts/sharing.h"
#include "halt_watch.h"
#include "keep.h"
#include "release.h"
#include "tool_calls.h"

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

/// The chat with each message as `check` of the guard lets it stand. What cannot be judged stands as its hash.
template <class Check>
ChatRequest cleaned(const ChatRequest& chat, const Check& check) {
  ChatRequest out = chat;
  const auto clean = [&](std::string& s) {
    if (s.empty()) return;
    auto verdict = text::is_valid_utf8(s) ? check(s) : Result<GuardVerdict>(ErrorCode::malformed_input, "not UTF-8");
    s = verdict.ok() ? masked(s, *verdict) : fmt::format("({} bytes, sha256 {})", s.size(), sha256_hex(s));
  };
  for (auto& message : out.messages) clean(message.content);
  clean(out.raw_prompt);
  return out;
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

struct ChatHold {
  std::string rule, reason;
};

/// Lets text leave only behind the guard. The guard always sees all text so far, so that a rule sees an entity whole; what
/// may still become part of one is held back.
class Gate {
 public:
  Gate(const ChatterPorts& ports, const ChatterSettings& settings, const Principal& principal, const ChatSink& sink, std::vector<std::string> canaries)
      : ports_(ports), settings_(settings), principal_(principal), sink_(sink), canaries_(std::move(canaries)) {}

  /// False: stop the model.
  bool feed(const ChatDelta& delta) {
    text_ += delta.content;
    waiting_.reasoning += delta.reasoning;
    waiting_.tokens.insert(waiting_.tokens.end(), delta.tokens.begin(), delta.tokens.end());
    for (const auto& call : delta.tool_calls) side_text_ += call.arguments_part;
    side_text_ += delta.reasoning;
    if (settings_.output_guard == OutputGuard::whole) return true;
    if (text_.size() + side_text_.size() < checked_bytes_ + 24) return true;
    return check() && send(false);
  }
  /// The rest of the text, and the tool calls that were let through: whole, because a call is judged by all of its arguments.
  bool finish(const std::vector<ToolCall>& calls) {
    if (!check()) return false;
    for (std::size_t i = 0; i < calls.size(); ++i) waiting_.tool_calls.push_back({static_cast<int>(i), calls[i].id, calls[i].name, calls[i].arguments_json});
    return send(true);
  }
  bool denied() const { return denied_; }
  /// A person must see the text before the user does; set before the first word, or by the guard.
  void hold(std::string rule, std::string reason) {
    if (!hold_) hold_ = ChatHold{std::move(rule), std::move(reason)};
  }
  const std::optional<ChatHold>& held() const { return hold_; }
  const std::string& text() const { return text_; }
  const std::string& sent() const { return sent_text_; }
  bool masked_any() const { return masked_; }
  bool say(const std::string& notice) {
    ChatDelta out;
    out.content = notice;
    if (sink_ && !sink_(out)) client_gone_ = true;
    return !client_gone_;
  }
  bool client_gone() const { return client_gone_; }
  const std::string& reason() const { return reason_; }
  const std::string& clean() const { return clean_; }
  bool vault_failed() const { return vault_failed_; }
  bool vaulted() const { return vaulted_; }
  /// Values whose tokens begin in the first `until` bytes of the clean text go into the vault before it leaves. False: withhold.
  bool keep(std::size_t until) {
    std::vector<VaultItem> items;
    for (const auto& item : vault_) {
      const auto at = clean_.find(item.token);
      if (at == std::string::npos || at >= until || !kept_.insert(item.token).second) continue;
      items.push_back(item);
    }
    auto done = keep_values(ports_.vault, principal_, items);
    if (done.ok()) return true;
    denied_ = vault_failed_ = true;
    reason_ = done.error().message;
    return false;
  }
  std::string kept() const {
    std::string out;
    for (const auto& token : kept_) out += (out.empty() ? "" : " ") + token;
    return out;
  }

 private:
  bool check() {
    checked_bytes_ = text_.size() + side_text_.size();
    auto verdict = ports_.guard.check_written(principal_, text_, canaries_);
    if (verdict.ok() && verdict->action == GuardAction::review && ports_.reviews) {
      hold(verdict->findings.empty() ? "guard_out" : verdict->findings.front().rule, verdict->reason);
      // a reviewer sees no more of a person than the user would
      GuardVerdict shown;
      if (!verdict->masked.empty() && verdict->masked != text_) shown.action = GuardAction::mask;
      shown.masked = std::move(verdict->masked);
      shown.vault = std::move(verdict->vault);
      verdict = std::move(shown);
    }
    auto beside = side_text_.empty() ? Result<GuardVerdict>(GuardVerdict{}) : ports_.guard.check_written(principal_, side_text_, canaries_);
    // what a tool or a thought would carry cannot be masked without breaking it, so there a finding withholds
    const bool beside_ok = beside.ok() && beside->action == GuardAction::release;
    denied_ = !lets_pass(verdict) || !beside_ok;
    if (denied_) {
      reason_ = lets_pass(verdict) ? reason_of(beside) : reason_of(verdict);
      return false;
    }
    clean_ = masked(text_, *verdict);
    masked_ = masked_ || verdict->action == GuardAction::mask;
    vault_ = verdict->vault;
    vaulted_ = vaulted_ || !vault_.empty();
    return true;
  }
  bool send(bool all) {
    if (hold_) return true;
    const std::size_t total = text::code_points(clean_);
    const auto held = static_cast<std::size_t>(settings_.hold_back_code_points);
    const std::size_t until = all ? total : total > held ? total - held : 0;
    ChatDelta out = std::move(waiting_);
    waiting_ = {};
    if (until > sent_) {
      const std::size_t begin = text::byte_offset(clean_, sent_), end = text::byte_offset(clean_, until);
      if (!keep(end)) return false;
      out.content = clean_.substr(begin, end - begin);
      sent_text_ += out.content;
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
  std::vector<std::string> canaries_;
  std::string text_, side_text_, clean_, reason_, sent_text_;
  ChatDelta waiting_;
  std::size_t checked_bytes_ = 0, sent_ = 0;
  bool denied_ = false, client_gone_ = false, masked_ = false, vault_failed_ = false, vaulted_ = false;
  std::vector<VaultItem> vault_;
  std::set<std::string> kept_;
  std::optional<ChatHold> hold_;
};

ReviewDraft draft_of(const ChatRequest& chat, const ChatResult& result, const Gate& gate, std::int64_t audit_index) {
  ReviewDraft draft;
  draft.resource = result.model;
  for (const auto& message : chat.messages)
    if (message.role == "user") draft.question = message.content;
  if (chat.messages.empty()) draft.question = chat.raw_prompt;
  draft.proposed = gate.clean();
  for (const auto& call : result.message.tool_calls) draft.proposed += "\n" + call.name + " " + call.arguments_json;
  draft.language = text::language_of(draft.proposed) == text::Language::chinese ? "zh" : "en";
  draft.rule = gate.held()->rule;
  draft.reason = gate.held()->reason;
  draft.audit_index = audit_index;
  return draft;
}

Result<AuditTicket> open(const ChatterPorts& ports, const ChatTurn& turn, RequestId& request) {
  AuditOpen record;
  record.time_ms = ports.clock.unix_ms();
  record.request = request = new_request_id(record.time_ms, ports.random);
  record.principal = turn.principal;
  record.action = "chat";
  record.subject = as_json(cleaned(turn.chat, [&](const std::string& s) { return ports.guard.check_record(turn.principal, s); }));
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

/// Puts the text into the queue and a notice into its place. `chat`: as the guard let it in.
Result<ChatReply> send_to_review(const ChatterPorts& ports, const ChatTurn& turn, const ChatRequest& chat, Gate& gate, ChatResult result, std::int64_t audit_index, AuditClose& record) {
  if (!gate.keep(gate.clean().size())) return {ErrorCode::unavailable, gate.reason()};
  auto draft = draft_of(chat, result, gate, audit_index);
  const bool chinese = draft.language == "zh";
  auto item = ports.reviews->submit(turn.principal, draft);
  if (!item.ok()) {
    record.verdicts.push_back({"review", "1", "withhold", "the queue failed: " + item.error().message});
    return {ErrorCode::unavailable, "the answer needs a reviewer and could not be sent to one, so it is withheld: " + item.error().message};
  }
  record.verdicts.push_back({"review", "1", "review", fmt::format("{}: {}; {}", item->id.value, gate.held()->rule, gate.held()->reason)});
  const std::string sent = gate.sent();
  const std::string notice = (sent.empty() ? "" : "\n") + review_notice(item->id.value, chinese, !sent.empty());
  gate.say(notice);
  ChatReply reply{std::move(result), audit_index, {}, item->id.value, {}, {}, 0};
  reply.result.message = Message{};
  reply.result.message.role = "assistant";
  reply.result.message.content = sent + notice;
  reply.result.tokens.clear();
  reply.result.finish = FinishReason::stop;
  record.output = reply.result.message.content;
  return reply;
}

/// Takes out of the result what the gate denies, and puts its word on every proposed call on record.
std::vector<ToolNotice> apply_tool_policy(const ChatterPorts& ports, const Principal& principal, const ChatRequest& chat, ChatResult& result, AuditClose& record) {
  auto& calls = result.message.tool_calls;
  if (calls.empty()) return {};
  auto notices = judge_calls(ports, principal, chat, calls);
  std::vector<ToolCall> kept;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const auto& notice = notices[i];
    std::string detail = notice.reason;
    if (!notice.untrusted.empty()) detail += "; untrusted: " + text::join(notice.untrusted, ", ");
    record.verdicts.push_back({"tool:" + notice.name, "1", notice.decision == "allow" ? "release" : notice.decision, std::move(detail)});
    if (notice.decision != "deny") kept.push_back(calls[i]);
  }
  calls = std::move(kept);
  if (calls.empty() && result.finish == FinishReason::tool_calls) result.finish = FinishReason::stop;
  return notices;
}

/// Everything between opening and closing the record.
Result<ChatReply> run(const ChatterSettings& settings, const ChatterPorts& ports, const ChatTurn& turn, const ChatSink& sink,
                      std::stop_token stop, std::int64_t audit_index, AuditClose& record) {
  const StopQuestion uses{turn.principal.tenant, turn.principal.desk, model_name(ports.inference, turn.chat.model), ""};
  if (ports.stops) {
    auto may = ports.stops->check(uses);
    if (!may.ok()) record.verdicts.push_back({"stop", "1", "deny", may.error().message});
    HENG_TRY(std::move(may));
  }
  const std::string in = all_text(turn.chat);
  if (const auto at = text::first_invalid_utf8(in); at != std::string_view::npos)
    return {ErrorCode::malformed_input, fmt::format("the messages are not UTF-8 at byte {}", at), "messages"};
  auto verdict = ports.guard.check_input(turn.principal, in);
  const auto conversation = ports.guard.score_conversation(turn.principal, user_turns(turn.chat.messages));
  if (!conversation.ok()) verdict = conversation.error();
  const char* in_word = !lets_pass(verdict) ? "deny" : verdict->action == GuardAction::mask ? "mask" : "release";
  std::string detail = lets_pass(verdict) ? verdict->reason : reason_of(verdict);
  const double attack = verdict.ok() ? std::max(verdict->injection_score, *conversation) : 0;
  if (attack >= 0.5) detail += fmt::format("{}reads like an attack: {:.2f}{}", detail.empty() ? "" : "; ", attack, *conversation > verdict->injection_score ? ", over the conversation" : "");
  record.verdicts.push_back({"guard_in", "1", in_word, detail});
  if (!lets_pass(verdict)) return {ErrorCode::policy_denied, "the request was refused: " + reason_of(verdict)};
  ChatRequest chat = turn.chat;
  if (verdict->action == GuardAction::mask) {
    std::optional<Error> not_kept;
    std::string kept;
    chat = cleaned(turn.chat, [&](const std::string& s) -> Result<GuardVerdict> {
      auto each = ports.guard.check_input(turn.principal, s);
      if (!each.ok() || each->vault.empty()) return each;
      if (auto done = keep_values(ports.vault, turn.principal, each->vault); !done.ok()) not_kept = done.error();
      kept += (kept.empty() ? "" : " ") + tokens_of(each->vault);
      return each;
    });
    if (not_kept) record.verdicts.push_back({"vault", "1", "deny", not_kept->message});
    if (not_kept) return *not_kept;
    if (!kept.empty()) record.verdicts.push_back({"vault", "1", "keep", kept});
  }
  chat.tenant = sharing_domain(turn.principal);
  record.prompt_sha256 = sha256_hex(in);
  Gate gate(ports, settings, turn.principal, sink, canaries_of(turn.chat));
  if (ports.reviews)
    if (auto rule = ports.reviews->required(turn.principal, "chat", uses.model)) gate.hold(*rule, "every answer of this model is reviewed");
  std::optional<Error> halted;
  const auto feed = [&](const ChatDelta& delta) {
    if (ports.stops && !halted)
      if (auto may = ports.stops->check(uses); !may.ok()) halted = may.error();
    return !halted && gate.feed(delta);
  };
  const HaltWatch watch(ports.stops, uses, stop);
  auto result = ports.inference.chat(chat, feed, watch.token());
  if (result.ok()) keep(record, chat, *result);
  if (!halted) halted = watch.halted();
  std::vector<ToolNotice> notices;
  if (!halted && result.ok()) {
    notices = apply_tool_policy(ports, turn.principal, chat, *result, record);
    if (!gate.denied() && !gate.client_gone()) gate.finish(result->message.tool_calls);
  }
  // the tokens would spell out what only the vault may hold
  if (gate.vaulted()) record.output_tokens.clear();
  if (halted) {
    record.verdicts.push_back({"stop", "1", "deny", halted->message});
    record.output = gate.sent();
    return *halted;
  }
  if (!result.ok()) return result.error();
  record.verdicts.push_back({"guard_out", "1", gate.denied() ? "withhold" : "release", gate.reason()});
  if (gate.denied()) return {gate.vault_failed() ? ErrorCode::unavailable : ErrorCode::policy_denied, "the answer was withheld: " + gate.reason()};
  if (gate.client_gone() || stop.stop_requested()) {
    record.output = gate.clean();
    return {ErrorCode::cancelled, "the request was cancelled"};
  }
  const ContentLabel label{std::string(guard_label::visible_label(text::language_of(gate.clean()) == text::Language::chinese)), settings.provider, {}};
  if (gate.held()) {
    auto held = send_to_review(ports, turn, chat, gate, std::move(*result), audit_index, record);
    if (held.ok()) held->label = label, held->injection_score = attack;
    return held;
  }
  if (const auto kept = gate.kept(); !kept.empty()) record.verdicts.push_back({"vault", "1", "keep", kept});
  result->message.content = gate.clean();
  // log-probabilities would spell out what was masked
  if (gate.masked_any()) result->tokens.clear();
  record.output = gate.clean();
  return ChatReply{std::move(*result), audit_index, {}, {}, label, std::move(notices), attack};
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
  auto result = run(settings_, ports_, turn, sink, stop, opened.index, record);
  record.time_ms = ports_.clock.unix_ms();
  record.total_ms = std::chrono::duration<double, std::milli>(ports_.clock.steady() - start).count();
  record.outcome = "ok";
  if (!result.ok()) {
    const ErrorCode code = result.error().code;
    record.outcome = code == ErrorCode::cancelled       ? "cancelled"
                     : code == ErrorCode::policy_denied ? !record.verdicts.empty() && record.verdicts.back().rule == "stop" ? "stopped" : "refused"
                                                        : fmt::format("error:{}", to_string(code));
  }
  auto closed = ports_.audit.close(opened, record);
  if (!result.ok()) return result.error();
  if (!closed.ok()) {
    const ErrorCode code = closed.error().code == ErrorCode::storage_full ? ErrorCode::storage_full : ErrorCode::unavailable;
    return {code, "the audit record could not be closed, so the end of the answer is withheld: " + closed.error().message};
  }
  result->request = reply.request;
  result->label.content_id = reply.request.value;
  return std::move(*result);
}

}  // namespace heng::pipeline
