#include <algorithm>

#include <fmt/format.h>

#include "flow.h"
#include "release.h"
#include "words.h"

namespace heng::pipeline {
namespace {

bool anything_released(const Flow& flow) { return !flow.released.empty(); }

std::string abstention(const Flow& flow) {
  std::vector<std::string> missing = flow.evidence.missing;
  if (missing.size() > 5) missing.resize(5);
  if (flow.chinese()) {
    std::string out = "现有资料中没有足够的依据回答这个问题。";
    if (!missing.empty()) out += fmt::format("资料里缺少：{}。", text::join(missing, "、"));
    return out + "请补充相关文件，或换一种问法。";
  }
  std::string out = "The documents at hand do not hold enough to answer this question.";
  if (!missing.empty()) out += fmt::format(" Missing: {}.", text::join(missing, ", "));
  return out + " Add the documents it needs, or ask in other words.";
}

void quote_instead(Flow& flow) {
  constexpr int most_quotes = 2;
  for (auto& sentence : flow.ports.verifier.extract(flow.question, flow.passages, most_quotes)) {
    if (sentence.status != SentenceStatus::extracted && sentence.status != SentenceStatus::supported) continue;
    sentence.status = SentenceStatus::extracted;
    release(flow, std::move(sentence), true);
  }
}

}  // namespace

Result<void> settle(Flow& flow) {
  flow.tell_stage("verify");
  // what the model could not find although the evidence is strong is quoted; with weak evidence its word stands
  const bool strong = flow.evidence.strength >= (flow.model_found_nothing ? flow.settings.strong_evidence : flow.settings.weak_evidence);
  bool quoted = false;
  if (!anything_released(flow) && !flow.nothing_found && strong) {
    quote_instead(flow);
    quoted = anything_released(flow);
  }
  AskAnswer& answer = flow.answer;
  if (!anything_released(flow)) {
    answer.abstained = true;
    answer.verdict = AnswerVerdict::abstained;
    answer.answer = abstention(flow);
    answer.citations.clear();
    answer.figures.clear();
    flow.note("answer", "abstain", text::join(flow.evidence.missing, ", "));
    return {};
  }
  const bool some_withheld = std::any_of(answer.sentences.begin(), answer.sentences.end(),
                                         [](const VerifiedSentence& s) { return s.status == SentenceStatus::withheld; });
  answer.verdict = quoted ? AnswerVerdict::extractive : some_withheld ? AnswerVerdict::partial : AnswerVerdict::released;
  answer.answer = flow.released;
  return {};
}

}  // namespace heng::pipeline
