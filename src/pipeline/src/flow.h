#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "heng/pipeline/asker.h"
#include "keep.h"

namespace heng::pipeline {

/// Why the rest of an answer goes to a reviewer, and how much had left before.
struct Hold {
  std::string rule, reason;
  std::size_t text = 0, sentences = 0, citations = 0, figures = 0;
};

/// Everything one question gathers on its way through the stages. Lives on the stack of ask(); one thread.
struct Flow {
  const AskerSettings& settings;
  const AskerPorts& ports;
  const AskRequest& request;
  const AskSink& sink;
  std::stop_token stop;

  std::optional<AuditTicket> opened;
  AuditClose record;                        ///< Filled as the stages go.
  AskAnswer answer;
  std::string question;                     ///< Standalone, after the rewrite.
  std::vector<Message> history;             ///< Earlier turns as the guard lets them in.
  AnswerVerifier::Evidence evidence;
  std::vector<Passage> passages;            ///< Passage n-1 is [n] in the prompt.
  std::vector<Figure> computed;             ///< What the calculator made.
  std::vector<VerifiedSentence> prepared;   ///< Sentences the system wrote itself, citing passage numbers.
  std::vector<Message> prompt;
  std::string material;                     ///< The user message up to the task, shared by compute and write.
  bool needs_model = true;
  bool nothing_found = false;               ///< An abstention: by the evidence check, or the model says so.
  bool model_found_nothing = false;  ///< The model's own word, before anything was released.
  bool client_gone = false;
  std::vector<int> numbers;                 ///< numbers[n-1]: citation number given to passage n, 0: not cited yet.
  std::string released;                     ///< Text that has left, or would have but for the hold, to compose the answer.
  std::optional<Hold> hold;                 ///< From here on a person decides.
  std::optional<Error> halted;              ///< A stop button was pressed meanwhile.
  std::vector<std::string> canaries = {};   ///< Words that stand only in the prompts; the outgoing guard lets none through.
  DataClass question_class = DataClass::c1; ///< The most sensitive data that policy let stand in the question.
  std::map<std::string, std::int64_t> tool_calls = {};   ///< Made so far, by tool.
  std::string asked_model;                  ///< Of the request, or the default.
  std::string recorded_question;            ///< The question as it stands in the record: masked where policy says.
  bool vaulted = false;                     ///< A value of the answer belongs in the vault: the tokens that spell it may not stand in the record.

  bool chinese() const { return answer.language == "zh"; }
  const std::string& model() const { return request.model; }
  bool stopped() const { return stop.stop_requested() || client_gone || halted; }
  /// Asks the stop buttons; what is halted ends like a cancellation, with the stop's own error.
  void ask_stops() {
    if (halted || !ports.stops) return;
    const auto& who = request.principal;
    if (auto may = ports.stops->check({who.tenant, who.desk, answer.model.empty() ? asked_model : answer.model, ""}); !may.ok()) halted = may.error();
  }
  void hold_back(std::string rule, std::string reason) {
    if (hold) return;
    hold = Hold{std::move(rule), std::move(reason), released.size(), answer.sentences.size(), answer.citations.size(), answer.figures.size()};
  }
  /// Tells the client; a client that does not listen any more stops the flow.
  void tell(const AskEvent& event) {
    if (sink && !sink(event)) client_gone = true;
  }
  void tell_stage(std::string name) {
    AskEvent event;
    event.kind = AskEvent::Kind::stage;
    event.stage = std::move(name);
    tell(event);
  }
  void note(std::string rule, std::string verdict, std::string detail) {
    record.verdicts.push_back({std::move(rule), "1", std::move(verdict), std::move(detail)});
  }
  void add_usage(const Usage& usage) {
    answer.usage.prompt_tokens += usage.prompt_tokens;
    answer.usage.cached_tokens += usage.cached_tokens;
    answer.usage.completion_tokens += usage.completion_tokens;
  }
};

// The stages; their order and its reasons stand in stages.cc.
Result<void> open_record(Flow& flow);
Result<void> check_stops(Flow& flow);
Result<void> guard_in(Flow& flow);
Result<void> rewrite(Flow& flow);
Result<void> search(Flow& flow);
Result<void> weigh_evidence(Flow& flow);
Result<void> build_prompt(Flow& flow);
Result<void> compute(Flow& flow);
Result<void> write_answer(Flow& flow);
Result<void> settle(Flow& flow);
Result<void> send_to_review(Flow& flow);
Result<void> close_record(Flow& flow);

}  // namespace heng::pipeline
