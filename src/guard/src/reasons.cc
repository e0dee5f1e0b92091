#include "reasons.h"

#include <fmt/core.h>

namespace heng::guard {

namespace {

const char* pick(text::Language language, const char* zh, const char* en) { return language == text::Language::chinese ? zh : en; }

}  // namespace

std::string reason_for(const CheckedFigure& figure, text::Language language) {
  const std::string& text = figure.figure.text;
  const bool zh = language == text::Language::chinese;
  switch (figure.problem) {
    case FigureProblem::not_found:
    case FigureProblem::question_only:
      if (!figure.seen.empty())
        return zh ? fmt::format("数字“{}”不在所引段落中，该处为“{}”。", text, figure.seen)
                  : fmt::format("The figure \"{}\" is not in the cited passage, which says \"{}\".", text, figure.seen);
      return zh ? fmt::format("数字“{}”不在所引段落中，也不是计算得出。", text)
                : fmt::format("The figure \"{}\" is neither in the cited passage nor computed.", text);
    case FigureProblem::other_unit:
      return zh ? fmt::format("数字“{}”的单位或量级与所引段落不符，该处为“{}”。", text, figure.seen)
                : fmt::format("The unit or scale of \"{}\" differs from the cited passage, which says \"{}\".", text, figure.seen);
    case FigureProblem::other_period:
      return zh ? fmt::format("数字“{}”在所引段落中属于另一期间（{}）。", text, figure.seen)
                : fmt::format("In the cited passage the figure \"{}\" belongs to another period ({}).", text, figure.seen);
    case FigureProblem::other_label:
      if (figure.seen.empty())
        return zh ? fmt::format("数字“{}”在所引段落中说的是另一事项。", text) : fmt::format("In the cited passage \"{}\" belongs to another subject.", text);
      return zh ? fmt::format("数字“{}”在所引段落中说的是另一事项，所述事项对应“{}”。", text, figure.seen)
                : fmt::format("In the cited passage \"{}\" measures something else; for this the passage gives \"{}\".", text, figure.seen);
    case FigureProblem::other_sign:
      return zh ? fmt::format("数字“{}”的增减方向或正负与所引段落相反。", text)
                : fmt::format("The direction or sign of \"{}\" is opposite to the cited passage.", text);
    case FigureProblem::other_bound:
      return zh ? fmt::format("“{}”的上下限与所引段落相反。", text)
                : fmt::format("\"{}\" is a limit of the opposite kind in the cited passage.", text);
    case FigureProblem::none: break;
  }
  return {};
}

std::string reason_for(Opposition opposition, text::Language language) {
  switch (opposition) {
    case Opposition::negation: return pick(language, "肯定与否定和所引段落相反。", "The sentence affirms what the cited passage denies, or the reverse.");
    case Opposition::direction: return pick(language, "增减方向与所引段落相反。", "The sentence gives the opposite direction of change to the cited passage.");
    case Opposition::modality: return pick(language, "“必须”“可以”“不得”与所引段落不一致。", "\"Must\", \"may\" or \"must not\" differs from the cited passage.");
    case Opposition::bound: return pick(language, "上限与下限和所引段落相反。", "The sentence turns an upper limit of the cited passage into a lower one, or the reverse.");
    case Opposition::order: return pick(language, "先后次序与所引段落相反。", "\"Before\" and \"after\" are exchanged against the cited passage.");
    case Opposition::antonym: return pick(language, "关键词与所引段落相反。", "A key word is the opposite of the cited passage's.");
    case Opposition::none: break;
  }
  return {};
}

std::string reason_for(Withheld reason, text::Language language, const std::string& detail) {
  const bool zh = language == text::Language::chinese;
  switch (reason) {
    case Withheld::unreadable: return pick(language, "句子编码有误，无法核对。", "The sentence is not valid text and cannot be checked.");
    case Withheld::too_long: return pick(language, "句子过长，无法核对。", "The sentence is too long to be checked.");
    case Withheld::no_content: return pick(language, "句子没有可核对的内容。", "The sentence says nothing that can be checked.");
    case Withheld::no_passages: return pick(language, "没有可供核对的段落。", "There is no passage to check the sentence against.");
    case Withheld::says_nothing_found: return pick(language, "句子称资料中没有答案。", "The sentence says that the documents hold no answer.");
    case Withheld::unknown_name:
      return zh ? fmt::format("所引段落中没有“{}”。", detail) : fmt::format("The cited passage does not mention \"{}\".", detail);
    case Withheld::too_little_support:
      return zh ? fmt::format("所引段落只支持这句话内容的 {}%。", detail) : fmt::format("The cited passage supports only {}% of what the sentence says.", detail);
    case Withheld::other_language:
      return pick(language, "句子与所引段落语言不同，含义未能核对。", "The sentence is in another language than its passage and its meaning could not be checked.");
    case Withheld::instruction: return pick(language, "句子是指令或向读者索取信息，不是资料内容。", "The sentence gives instructions or asks for data; it is not content of the documents.");
  }
  return {};
}

}  // namespace heng::guard
