#include "redteam_target.h"

#include <fmt/format.h>

#include <map>

#include "heng/base/clock.h"
#include "heng/base/text.h"
#include "heng/guard_flow/gateway.h"
#include "heng/pipeline/asker.h"
#include "heng/pipeline/chatter.h"
#include "signals.h"

namespace heng::app {

std::string scratch_name() { return "redteam-" + random_hex(system_random(), 4); }

namespace {

/// Takes records and keeps none.
class NoLedger final : public Audit {
 public:
  Result<AuditTicket> open(const AuditOpen& opened) override { return AuditTicket{count_++, opened.request}; }
  Result<AuditTicket> close(const AuditTicket& ticket, const AuditClose&) override { return ticket; }
  Result<AuditTicket> note(const AuditOpen& opened, const AuditClose&) override { return open(opened); }
  std::int64_t size() const override { return count_; }

 private:
  std::int64_t count_ = 0;
};

bool says_no(const Error& error) {
  return error.code == ErrorCode::policy_denied || error.code == ErrorCode::permission_denied || error.code == ErrorCode::not_found || error.code == ErrorCode::invalid_argument ||
         error.code == ErrorCode::too_large || error.code == ErrorCode::malformed_input;
}

/// A refusal is an answer; what breaks is an error.
Result<redteam::Reply> refused(const Error& error, redteam::Reply seen) {
  if (!says_no(error)) return error;
  seen.refused = true;
  seen.refusal = error.message;
  return seen;
}

std::string shown(const Passage& passage) { return fmt::format("{} {} {}\n{}\n", passage.document_title, passage.document_path, passage.heading, passage.text); }

class ProcessTarget final : public redteam::Target {
 public:
  ProcessTarget(Assembly& assembly, std::string name, std::string model) : assembly_(assembly), name_(std::move(name)), model_(std::move(model)), kb_(scratch_name()) {}

  /// Puts a hijacked model in the model's place.
  Result<void> hijack(redteam::HijackedModel& model) {
    ledger_ = std::make_unique<NoLedger>();
    own_asker_ = HENG_TRY(pipeline::DocumentAsker::create({}, {model, assembly_.knowledge(), *ledger_, assembly_.gateway(), assembly_.verifier(), assembly_.calculator(), system_clock(), system_random(), nullptr,
                                                               nullptr, &assembly_.tool_gate()}));
    own_chatter_ = HENG_TRY(pipeline::RecordedChatter::create({}, {model, *ledger_, assembly_.gateway(), system_clock(), system_random(), nullptr, nullptr, &assembly_.tool_gate()}));
    return {};
  }

  std::string name() const override { return name_; }
  bool has(redteam::Party) const override { return true; }

  Result<redteam::Reply> chat(const std::vector<Message>& messages, const std::vector<ToolSpec>& tools) override {
    ChatTurn turn;
    turn.principal = who(redteam::Party::owner);
    turn.principal.roles.push_back("teller");
    turn.chat.model = model_;
    turn.chat.messages = messages;
    turn.chat.tools = tools;
    turn.chat.max_tokens = 200;
    redteam::Reply seen;
    Chatter& chatter = own_chatter_ ? *own_chatter_ : assembly_.chatter();
    auto reply = chatter.chat(turn, [&](const ChatDelta& delta) {
      seen.text += delta.content + delta.reasoning;
      return true;
    }, stop_signal());
    if (!reply.ok()) return refused(reply.error(), std::move(seen));
    seen.refused = !reply->review.empty();
    if (seen.refused) seen.refusal = "sent to a reviewer";
    for (const auto& call : reply->result.message.tool_calls) {
      redteam::Reply::Call made{call.name, call.arguments_json, false};
      for (const auto& notice : reply->tools) made.needs_person = made.needs_person || (notice.id == call.id && notice.name == call.name && notice.decision == "confirm");
      seen.calls.push_back(std::move(made));
    }
    if (seen.calls.empty())
      for (const auto& notice : reply->tools)
        if (notice.decision == "deny") seen.refused = true, seen.refusal = notice.reason;
    return seen;
  }

  Result<redteam::Reply> ask(redteam::Party party, const std::vector<std::string>& turns) override {
    AskRequest request;
    request.principal = who(party);
    request.kb = KbName(kb_);
    request.question = turns.back();
    request.model = model_;
    for (std::size_t i = 0; i + 1 < turns.size(); ++i) {
      request.history.push_back({.role = "user", .content = turns[i]});
      request.history.push_back({.role = "assistant", .content = "OK"});
    }
    redteam::Reply seen;
    Asker& asker = own_asker_ ? *own_asker_ : assembly_.asker();
    auto answer = asker.ask(request, [&](const AskEvent& event) {
      if (event.sentence) seen.text += event.sentence->text + "\n";
      return true;
    }, stop_signal());
    if (!answer.ok()) return refused(answer.error(), std::move(seen));
    seen.text = answer->answer;
    // a stranger must not see passages either; to the owner they are his own documents
    if (party != redteam::Party::owner) {
      for (const auto& citation : answer->citations) seen.text += "\n" + citation.document_title + " " + citation.quote;
      for (const auto& passage : answer->passages) seen.text += "\n" + shown(passage);
    }
    seen.refused = answer->abstained;
    if (answer->abstained) seen.refusal = "no answer: the documents do not carry one";
    return seen;
  }

  Result<redteam::Reply> search(redteam::Party party, const std::string& query) override {
    redteam::Reply seen;
    auto found = assembly_.knowledge().search({who(party), KbName(kb_), query, 10, SearchMode::hybrid}, stop_signal());
    if (!found.ok() && found.error().code == ErrorCode::unavailable) found = assembly_.knowledge().search({who(party), KbName(kb_), query, 10, SearchMode::words}, stop_signal());
    if (!found.ok()) return refused(found.error(), std::move(seen));
    for (const auto& passage : *found) seen.text += shown(passage);
    return seen;
  }

  Result<void> plant(const std::string& path, const std::string& text, const std::vector<std::string>& readers) override {
    if (!made_) HENG_TRY(assembly_.knowledge().create(who(redteam::Party::owner), KbName(kb_), "mixed"));
    made_ = true;
    const auto report = HENG_TRY(assembly_.knowledge().ingest(who(redteam::Party::owner), KbName(kb_), {path, text}, readers, stop_signal()));
    if (report.error) return *report.error;
    documents_[path] = report.document;
    return {};
  }
  Result<void> remove(const std::string& path) override {
    const auto found = documents_.find(path);
    if (found == documents_.end()) return {};
    HENG_TRY(assembly_.knowledge().remove_document(who(redteam::Party::owner), KbName(kb_), found->second));
    documents_.erase(found);
    return {};
  }
  Result<void> clean_up() override {
    if (!made_) return {};
    HENG_TRY(assembly_.knowledge().remove(who(redteam::Party::owner), KbName(kb_)));
    made_ = false;
    return {};
  }

 private:
  Principal who(redteam::Party party) const {
    Principal out = assembly_.local_principal();
    out.purpose = "red_team";
    if (party == redteam::Party::owner) {
      out.roles.push_back("redteam_board");
      return out;
    }
    out.user = UserId("redteam");
    out.roles = {"analyst"};
    out.clearance = DataClass::c1;
    if (party == redteam::Party::foreign) out.tenant = TenantId("redteam-foreign");
    return out;
  }

  Assembly& assembly_;
  std::string name_, model_, kb_;
  std::unique_ptr<NoLedger> ledger_;
  std::unique_ptr<pipeline::DocumentAsker> own_asker_;
  std::unique_ptr<pipeline::RecordedChatter> own_chatter_;
  std::map<std::string, DocumentId> documents_;
  bool made_ = false;
};

}  // namespace

Result<std::unique_ptr<redteam::Target>> assembly_target(Assembly& assembly, const std::string& model) {
  std::string used = model;
  for (const auto& info : assembly.inference().models())
    if (used.empty() && info.is_default && info.kind == ModelInfo::Kind::chat) used = info.name;
  return std::unique_ptr<redteam::Target>(std::make_unique<ProcessTarget>(assembly, "in process, " + used, model));
}

Result<std::unique_ptr<redteam::Target>> hijacked_target(Assembly& assembly, redteam::HijackedModel& model) {
  auto out = std::make_unique<ProcessTarget>(assembly, "in process, hijacked model", "");
  HENG_TRY(out->hijack(model));
  return std::unique_ptr<redteam::Target>(std::move(out));
}

}  // namespace heng::app
