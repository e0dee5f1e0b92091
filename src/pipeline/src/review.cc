#include <fmt/format.h>

#include "flow.h"
#include "release.h"
#include "words.h"

namespace heng::pipeline {
namespace {

ReviewDraft draft_of(const Flow& flow) {
  ReviewDraft draft;
  draft.resource = flow.request.kb.value;
  draft.question = flow.recorded_question;
  draft.proposed = flow.answer.answer;
  draft.language = flow.answer.language;
  draft.rule = flow.hold->rule;
  draft.reason = flow.hold->reason;
  draft.audit_index = flow.answer.audit_index;
  // what the answer cites first, in the order of its marks, then what else was read
  std::vector<const Passage*> order(flow.answer.citations.size(), nullptr);
  std::vector<const Passage*> others;
  for (std::size_t i = 0; i < flow.passages.size(); ++i) {
    const int n = i < flow.numbers.size() ? flow.numbers[i] : 0;
    if (n > 0 && static_cast<std::size_t>(n) <= order.size()) {
      order[static_cast<std::size_t>(n - 1)] = &flow.passages[i];
    } else {
      others.push_back(&flow.passages[i]);
    }
  }
  order.insert(order.end(), others.begin(), others.end());
  for (const Passage* p : order)
    if (p) draft.evidence.push_back({p->document_path, p->page, p->sha256, p->text});
  return draft;
}

}  // namespace

std::string review_notice(const std::string& id, bool chinese, bool some_left) {
  if (chinese) return fmt::format("{}已提交人工复核，编号 {}；复核通过后可凭编号查看。", some_left ? "其余内容" : "本回答", id);
  return fmt::format("{} was sent to a reviewer, number {}; ask for it with this number when it is approved.", some_left ? "The rest of this answer" : "This answer", id);
}

Result<void> send_to_review(Flow& flow) {
  AskAnswer& answer = flow.answer;
  // nothing is left to judge where the answer is an abstention in the system's own words
  if (!flow.hold || answer.abstained || !flow.ports.reviews) return {};
  auto item = flow.ports.reviews->submit(flow.request.principal, draft_of(flow));
  if (!item.ok()) {
    flow.note("review", "withhold", "the queue failed: " + item.error().message);
    return {ErrorCode::unavailable, "the answer needs a reviewer and could not be sent to one, so it is withheld: " + item.error().message};
  }
  const Hold& hold = *flow.hold;
  flow.note("review", "review", fmt::format("{}: {}; {}", item->id.value, hold.rule, hold.reason));
  answer.review = item->id.value;
  answer.verdict = AnswerVerdict::review;
  const std::string shown = flow.released.substr(0, hold.text);
  answer.answer = shown + (shown.empty() ? "" : "\n") + review_notice(answer.review, flow.chinese(), !shown.empty());
  answer.sentences.resize(std::min(answer.sentences.size(), hold.sentences));
  answer.citations.resize(std::min(answer.citations.size(), hold.citations));
  answer.figures.resize(std::min(answer.figures.size(), hold.figures));
  return {};
}

}  // namespace heng::pipeline
