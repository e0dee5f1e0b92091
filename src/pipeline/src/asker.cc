#include "heng/pipeline/asker.h"

#include <fmt/format.h>

#include "halt_watch.h"
#include "stages.h"

namespace heng::pipeline {
namespace {

Result<void> in_range(const char* name, double value, double least, double most) {
  if (value < least || value > most)
    return {ErrorCode::invalid_argument, fmt::format("{} is {}, must be {} to {}", name, value, least, most), name};
  return {};
}

Error cancelled() { return {ErrorCode::cancelled, "the request was cancelled"}; }

}  // namespace

Result<std::unique_ptr<DocumentAsker>> DocumentAsker::create(const AskerSettings& s, const AskerPorts& ports) {
  HENG_TRY(in_range("context_tokens", s.context_tokens, 512, 1 << 20));
  HENG_TRY(in_range("passage_tokens", s.passage_tokens, 128, s.context_tokens));
  HENG_TRY(in_range("history_tokens", s.history_tokens, 0, s.context_tokens));
  HENG_TRY(in_range("rewrite_tokens", s.rewrite_tokens, 16, 1024));
  HENG_TRY(in_range("most_sentences", s.most_sentences, 1, 100));
  HENG_TRY(in_range("most_question_bytes", s.most_question_bytes, 16, 1 << 20));
  HENG_TRY(in_range("weak_evidence", s.weak_evidence, 0, 1));
  HENG_TRY(in_range("least_evidence", s.least_evidence, 0, s.weak_evidence));
  return std::unique_ptr<DocumentAsker>(new DocumentAsker(s, ports));
}

DocumentAsker::DocumentAsker(const AskerSettings& settings, const AskerPorts& ports) : settings_(settings), ports_(ports) {}
DocumentAsker::~DocumentAsker() = default;

Result<AskAnswer> DocumentAsker::ask(const AskRequest& request, const AskSink& sink, std::stop_token stop) {
  const std::string model = model_name(ports_.inference, request.model);
  const HaltWatch watch(ports_.stops, {request.principal.tenant, request.principal.desk, model, ""}, std::move(stop));
  Flow flow{settings_, ports_, request, sink, watch.token(), {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, true, false, false, {}, {}, {}, {}};
  flow.asked_model = model;
  const SteadyTime start = ports_.clock.steady();
  std::optional<Error> failure;
  for (const Stage& stage : ask_stages()) {
    if (stage.runs == StageRuns::while_well && failure) continue;
    if (stage.runs == StageRuns::once_opened && !flow.opened) continue;
    if (stage.runs == StageRuns::once_opened) {
      flow.record.total_ms = std::chrono::duration<double, std::milli>(ports_.clock.steady() - start).count();
      if (failure)
        flow.record.outcome = failure->code == ErrorCode::cancelled ? "cancelled" : fmt::format("error:{}", to_string(failure->code));
      if (failure && failure->code == ErrorCode::policy_denied) flow.record.outcome = flow.halted ? "stopped" : "refused";
    }
    const SteadyTime begin = ports_.clock.steady();
    auto done = stage.run(flow);
    flow.answer.timings.push_back(
        {std::string(stage.name), std::chrono::duration<double, std::milli>(ports_.clock.steady() - begin).count()});
    if (!done.ok() && !failure) failure = done.error();
    // what a button stopped in the middle of a stage looks like a cancellation
    if (const auto halted = watch.halted(); halted && !flow.halted && stage.runs == StageRuns::while_well && (!failure || failure->code == ErrorCode::cancelled)) {
      flow.halted = halted;
      failure = halted;
      flow.note("stop", "deny", halted->message);
    }
    if (done.ok() && !failure && stage.runs == StageRuns::while_well) flow.ask_stops();
    if (done.ok() && !failure && flow.halted && stage.runs == StageRuns::while_well) failure = flow.halted;
    if (done.ok() && !failure && flow.stopped() && stage.runs == StageRuns::while_well) failure = cancelled();
  }
  if (failure) return *failure;
  return std::move(flow.answer);
}

}  // namespace heng::pipeline
