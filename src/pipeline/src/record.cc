#include <algorithm>

#include <fmt/format.h>

#include "flow.h"
#include "heng/base/hash.h"
#include "heng/guard_label/label.h"
#include "release.h"
#include "tool_calls.h"
#include "words.h"

namespace heng::pipeline {
namespace {

/// What the ledger keeps of a question that is too long or broken: valid UTF-8, cut, with the hash of the whole.
std::string recordable(const std::string& question, std::size_t most_bytes) {
  std::string out = text::replace_invalid_utf8(std::string_view(question).substr(0, most_bytes));
  if (question.size() > most_bytes) out += fmt::format(" … ({} bytes, sha256 {})", question.size(), sha256_hex(question));
  return out;
}

/// The question as it may be kept: what policy masks does not stand in the record. What the guard cannot judge is kept as a hash.
std::string masked_for_record(const Flow& flow) {
  const auto most = static_cast<std::size_t>(flow.settings.most_question_bytes);
  const std::string question = recordable(flow.request.question, most);
  auto verdict = flow.ports.guard.check_record(flow.request.principal, question);
  if (!verdict.ok()) return fmt::format("({} bytes, sha256 {})", flow.request.question.size(), sha256_hex(flow.request.question));
  return masked(question, *verdict);
}

/// The question and the earlier turns as the guard lets them in, each masked by itself; what the vault must keep is kept first.
Result<void> let_in_masked(Flow& flow) {
  const auto clean = [&](const std::string& s) -> Result<std::string> {
    if (s.empty()) return s;
    auto verdict = flow.ports.guard.check_input(flow.request.principal, s);
    if (!verdict.ok() || verdict->action == GuardAction::withhold || verdict->action == GuardAction::review)
      return Error(ErrorCode::policy_denied, "the question was refused: " + (verdict.ok() ? verdict->reason : std::string("the incoming guard failed")));
    HENG_TRY(keep_values(flow.ports.vault, flow.request.principal, verdict->vault));
    if (!verdict->vault.empty()) flow.note("vault", "keep", tokens_of(verdict->vault));
    return masked(s, *verdict);
  };
  flow.question = HENG_TRY(clean(std::string(text::trim(flow.request.question))));
  for (auto& turn : flow.history) turn.content = HENG_TRY(clean(turn.content));
  return {};
}

}  // namespace

Result<void> open_record(Flow& flow) {
  AuditOpen open;
  open.time_ms = flow.ports.clock.unix_ms();
  open.request = new_request_id(open.time_ms, flow.ports.random);
  open.principal = flow.request.principal;
  open.action = "ask";
  open.subject = flow.recorded_question = masked_for_record(flow);
  open.resource = flow.request.kb.value;
  flow.answer.request = open.request;
  auto opened = flow.ports.audit.open(open);
  if (!opened.ok()) {
    const ErrorCode code = opened.error().code == ErrorCode::storage_full ? ErrorCode::storage_full : ErrorCode::unavailable;
    return {code, "the audit record could not be opened, so nothing was run: " + opened.error().message};
  }
  flow.opened = *opened;
  flow.answer.audit_index = opened->index;
  return {};
}

Result<void> check_stops(Flow& flow) {
  flow.ask_stops();
  if (!flow.halted) return {};
  flow.note("stop", "deny", flow.halted->message);
  return *flow.halted;
}

Result<void> guard_in(Flow& flow) {
  const std::string& question = flow.request.question;
  const auto most = static_cast<std::size_t>(flow.settings.most_question_bytes);
  if (question.size() > most)
    return {ErrorCode::too_large, fmt::format("the question has {} bytes, the limit is {}; shorten it", question.size(), most), "question"};
  if (const auto at = text::first_invalid_utf8(question); at != std::string_view::npos)
    return {ErrorCode::malformed_input, fmt::format("the question is not UTF-8 at byte {}", at), "question"};
  if (text::trim(question).empty()) return {ErrorCode::invalid_argument, "the question is empty", "question"};
  if (flow.request.passages < 1 || flow.request.passages > 50)
    return {ErrorCode::invalid_argument, fmt::format("passages is {}, must be 1 to 50", flow.request.passages), "passages"};
  if (flow.request.max_tokens < 1) return {ErrorCode::invalid_argument, "max_tokens must be at least 1", "max_tokens"};
  std::string all = question;
  for (const auto& turn : flow.request.history) {
    if (!text::is_valid_utf8(turn.content)) return {ErrorCode::malformed_input, "an earlier turn is not UTF-8", "history"};
    all += "\n" + turn.content;
  }
  auto verdict = flow.ports.guard.check_input(flow.request.principal, all);
  if (!verdict.ok()) {
    flow.note("guard_in", "deny", "the guard failed: " + verdict.error().message);
    return {ErrorCode::policy_denied, "the incoming guard failed, so the question was refused; ask the operator to look at the log"};
  }
  if (verdict->action == GuardAction::withhold || verdict->action == GuardAction::review) {
    flow.note("guard_in", "deny", verdict->reason);
    return {ErrorCode::policy_denied, "the question was refused: " + verdict->reason};
  }
  std::vector<std::string> turns = user_turns(flow.request.history);
  turns.push_back(question);
  const auto conversation = flow.ports.guard.score_conversation(flow.request.principal, turns);
  if (!conversation.ok()) {
    flow.note("guard_in", "deny", "the guard failed: " + conversation.error().message);
    return {ErrorCode::policy_denied, "the incoming guard failed, so the question was refused; ask the operator to look at the log"};
  }
  flow.answer.injection_score = std::max(verdict->injection_score, *conversation);
  for (const auto& finding : verdict->findings)
    if (finding.action == "allow") flow.question_class = std::max(flow.question_class, finding.data_class);
  std::string advice;
  if (flow.answer.injection_score >= 0.5)
    advice = fmt::format("reads like an attack: {:.2f}{}", flow.answer.injection_score, *conversation > verdict->injection_score ? ", over the conversation" : "");
  flow.note("guard_in", verdict->action == GuardAction::mask ? "mask" : "release", advice);
  if (flow.ports.reviews)
    if (auto rule = flow.ports.reviews->required(flow.request.principal, "answer", flow.request.kb.value))
      flow.hold_back(*rule, "every answer from this knowledge base is reviewed");
  flow.answer.language = answer_language(question);
  flow.answer.label = {std::string(guard_label::visible_label(flow.chinese())), flow.settings.provider, flow.answer.request.value};
  flow.question = std::string(text::trim(question));
  flow.history = flow.request.history;
  if (verdict->action == GuardAction::mask) HENG_TRY(let_in_masked(flow));
  return {};
}

Result<void> close_record(Flow& flow) {
  AuditClose& record = flow.record;
  record.time_ms = flow.ports.clock.unix_ms();
  if (record.outcome.empty()) record.outcome = flow.answer.abstained ? "abstained" : "ok";
  record.usage = flow.answer.usage;
  // the tokens would spell out what only the vault may hold
  if (flow.vaulted) record.output_tokens.clear();
  record.output = record.outcome == "ok" || record.outcome == "abstained" ? flow.answer.answer : flow.released;
  record.passages.clear();
  for (std::size_t i = 0; i < flow.passages.size(); ++i) {
    const Passage& p = flow.passages[i];
    record.passages.push_back({p.chunk, p.sha256, p.document_path, p.page, i < flow.numbers.size() ? flow.numbers[i] : 0});
  }
  // whoever reads the record needs the clearance that reading its passages took
  DataClass highest = DataClass::c1;
  for (const Passage& p : flow.passages) highest = std::max(highest, p.labels.data_class);
  if (highest != DataClass::c1) flow.note("data_class", highest == DataClass::c3 ? "C3" : "C2", "the highest class of the passages read");
  for (const auto& f : flow.answer.figures)
    flow.note("figure", f.status == FigureStatus::computed ? "computed" : f.status == FigureStatus::cited ? "cited" : "question",
              fmt::format("{} = {} {}{}{}", f.text, f.value, f.unit, f.citation ? fmt::format(" [{}]", f.citation) : "", f.formula.empty() ? "" : " = " + f.formula));
  for (const auto& s : flow.answer.sentences) {
    const bool withheld = s.status == SentenceStatus::withheld;
    flow.note("grounding", withheld ? "withhold" : "release",
              fmt::format("support {:.2f}{}{}", s.support, s.reason.empty() ? "" : "; " + s.reason, withheld ? ": " + s.text : ""));
  }
  auto closed = flow.ports.audit.close(*flow.opened, record);
  if (!closed.ok()) {
    const ErrorCode code = closed.error().code == ErrorCode::storage_full ? ErrorCode::storage_full : ErrorCode::unavailable;
    return {code, "the audit record could not be closed, so the answer is withheld: " + closed.error().message};
  }
  return {};
}

}  // namespace heng::pipeline
