#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "cutter.h"
#include "flow.h"
#include "heng/base/hash.h"
#include "heng/contracts/sharing.h"
#include "release.h"
#include "words.h"

namespace heng::pipeline {
namespace {

bool says_not_found(const std::string& sentence) {
  const std::string lower = text::lower(sentence);
  for (const char* phrase : {"not found", "资料中没有", "资料中未", "没有提到", "没有相关", "未提及", "无法确定", "does not provide", "do not provide",
                             "not mentioned", "does not mention", "does not contain", "do not contain", "no information", "not specified",
                             "does not specify", "cannot be determined", "无法回答", "没有提供", "未提供", "并未"})
    if (contains(lower, phrase)) return true;
  return false;
}

bool in_wrong_language(const std::string& sentence, bool chinese) {
  const std::string plain = strip_marks(sentence);
  const auto language = text::language_of(plain);
  return chinese ? language == text::Language::english && key_terms(plain).size() >= 4 : language == text::Language::chinese;
}

/// Judges each sentence as it completes; says when to stop the model.
class Judge {
 public:
  explicit Judge(Flow& flow) : flow_(flow) {}

  void take(const DraftSentence& draft) {
    if (done_) return;
    const std::string plain = strip_marks(draft.text);
    if (key_terms(plain).empty()) return;
    if (says_not_found(plain)) {
      if (released_ == 0) flow_.model_found_nothing = true;
      flow_.note("draft", "abstain", "the model found no answer: " + plain);
      done_ = true;
      return;
    }
    if (!seen_.insert(text::join(key_terms(plain), " ")).second) {
      flow_.note("draft", "stop", "the model repeats itself");
      done_ = true;
      return;
    }
    if (in_wrong_language(draft.text, flow_.chinese())) {
      withhold(plain, "not in the question's language");
      if (++strays_ >= 2) done_ = true;
      return;
    }
    judge(draft);
  }
  bool done() const { return done_ || flow_.stopped(); }

 private:
  void judge(const DraftSentence& draft) {
    auto verified = flow_.ports.verifier.verify({flow_.question, draft.text, flow_.passages, flow_.computed});
    if (verified.status == SentenceStatus::withheld) {
      verified.text = strip_marks(draft.text);
      show_withheld(flow_, std::move(verified));
      if (++withheld_in_a_row_ >= 4) done_ = true;
      return;
    }
    withheld_in_a_row_ = 0;
    release(flow_, std::move(verified), draft.new_line);
    if (flow_.answer.sentences.back().status != SentenceStatus::withheld) ++released_;
    if (released_ >= flow_.settings.most_sentences) done_ = true;
  }
  void withhold(const std::string& plain, const char* reason) {
    VerifiedSentence s;
    s.text = plain;
    s.reason = reason;
    show_withheld(flow_, std::move(s));
  }

  Flow& flow_;
  std::set<std::string> seen_;
  int released_ = 0, strays_ = 0, withheld_in_a_row_ = 0;
  bool done_ = false;
};

std::string task(const Flow& flow) {
  std::string out;
  for (const auto& figure : flow.computed)
    out += flow.chinese() ? fmt::format("计算器结果：{} = {}\n", figure.formula, figure.text)
                          : fmt::format("Calculator result: {} = {}\n", figure.formula, figure.text);
  out += flow.chinese() ? "请用中文直接回答，每句话后面写资料编号，如[1]。" : "Answer in English, directly, with the number of the material behind each sentence, like [1].";
  if (flow.evidence.strength < flow.settings.strong_evidence)
    out += flow.chinese() ? "资料里没有答案就只写：资料中没有。" : " If the material does not hold the answer, write only: NOT FOUND.";
  return out;
}

std::string prompt_hash(const std::vector<Message>& messages) {
  std::string all;
  for (const auto& message : messages) all += message.role + "\n" + message.content + "\n";
  return sha256_hex(all);
}

void keep_for_record(Flow& flow, const ChatRequest& chat, const ChatResult& result) {
  flow.record.sampling = chat.sampling;
  flow.record.model = result.model;
  flow.record.model_sha256 = result.model_sha256;
  flow.record.lora_sha256 = result.lora_sha256;
  flow.record.prompt_tokens = result.prompt_tokens;
  flow.record.output_tokens = result.tokens;
  flow.answer.model = result.model;
  flow.answer.model_sha256 = result.model_sha256;
}

}  // namespace

Result<void> write_answer(Flow& flow) {
  if (flow.nothing_found) return {};
  for (auto& sentence : flow.prepared) release(flow, sentence, false);
  if (!flow.needs_model) return {};
  flow.tell_stage("write");
  ChatRequest chat;
  chat.model = flow.model();
  chat.tenant = sharing_domain(flow.request.principal);
  chat.priority = flow.request.priority;
  chat.deadline = flow.request.deadline;
  chat.max_tokens = flow.request.max_tokens;
  chat.messages = flow.prompt;
  chat.messages.back().content += task(flow);
  flow.record.prompt_sha256 = prompt_hash(chat.messages);

  Judge judge(flow);
  SentenceCutter cutter;
  auto result = flow.ports.inference.chat(
      chat,
      [&](const ChatDelta& delta) {
        flow.ask_stops();
        for (const auto& draft : cutter.feed(delta.content)) judge.take(draft);
        return !judge.done();
      },
      flow.stop);
  if (!result.ok()) return result.error();
  flow.add_usage(result->usage);
  keep_for_record(flow, chat, *result);
  if (flow.stopped()) return {};
  const bool broken_off = result->finish == FinishReason::length || result->finish == FinishReason::deadline || judge.done();
  for (const auto& draft : cutter.finish(broken_off)) judge.take(draft);
  return {};
}

}  // namespace heng::pipeline
