#include "heng/guard/verifier.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "figures/match.h"
#include "grounding/support.h"
#include "reasons.h"

namespace heng::guard {

namespace {

constexpr std::size_t most_passages = 64;

bool says_nothing_found(const FoldedText& text) {
  const std::u32string_view all(text.folded);
  for (const auto phrase : {U"do not contain", U"does not contain", U"do not mention", U"does not mention", U"no information", U"not provided in", U"cannot find",
                            U"do not provide", U"does not provide", U"not found in the", U"i don't know", U"i cannot answer", U"not enough information",
                            U"没有提到", U"未提及", U"没有提及", U"未提到", U"没有相关", U"未找到", U"没有找到", U"无法回答", U"无法确定", U"没有说明", U"未说明"})
    if (all.find(phrase) != std::u32string_view::npos) return true;
  return false;
}

/// What injected text makes a model write: orders to the reader, requests for secrets, links to click.
bool is_instruction(const FoldedText& text) {
  const std::u32string_view all(text.folded);
  for (const auto phrase : {U"ignore previous", U"ignore all", U"ignore the above", U"disregard", U"system prompt", U"as an ai", U"your password", U"your pin", U"http://", U"https://",
                            U"click here", U"click the link", U"忽略以上", U"忽略之前", U"忽略上述", U"系统提示", U"作为ai", U"您的密码", U"你的密码", U"点击链接", U"点击此处", U"点击以下",
                            U"验证码发", U"验证码告"})
    if (all.find(phrase) != std::u32string_view::npos) return true;
  return false;
}

/// Everything that is known of a sentence while it is judged.
struct Draft {
  std::string plain;
  FoldedText folded;
  text::Language language = text::Language::other;
  std::vector<Word> words;
  std::vector<Clause> clauses;
  std::vector<ExtractedFigure> question;
  std::vector<Figure> computed;
};

struct Judgement {
  bool kept = false;
  double support = 0;
  std::string reason;
  std::vector<Figure> figures;
  std::vector<int> citations;
  bool computed = false;
  bool figures_hold = false;
};

class Judge {
 public:
  Judge(const VerifierSettings& settings, const VerifyInput& input, const std::vector<ReadPassage>& passages)
      : settings_(settings), input_(input), passages_(passages), weights_(weigh(passages)) {}

  /// `may_ask`: whether the scorers may be called.
  Judgement against(const Draft& draft, const std::vector<int>& numbers, bool may_ask) const;
  /// Against each passage alone, the best of them; `tried` was judged before.
  Judgement best_passage(const Draft& draft, const std::vector<int>& tried) const;

 private:
  void check_words(const Draft& draft, const std::vector<const ReadPassage*>& cited, const std::vector<int>& numbers, bool may_ask, Judgement& out) const;
  double foreign_share(const Draft& draft, const std::vector<const ReadPassage*>& cited) const;
  bool same_language(const Draft& draft, const std::vector<int>& numbers) const;
  void ask_scorers(const Draft& draft, const std::vector<int>& numbers, bool crossed, Judgement& out) const;
  std::vector<Clause> source_clauses(const Draft& draft, const std::vector<const ReadPassage*>& cited) const;
  void keep_useful_citations(const Draft& draft, const std::vector<const ReadPassage*>& cited, const std::vector<int>& numbers, Judgement& out) const;

  const VerifierSettings& settings_;
  const VerifyInput& input_;
  const std::vector<ReadPassage>& passages_;
  WordWeights weights_;
};

bool Judge::same_language(const Draft& draft, const std::vector<int>& numbers) const {
  for (const int n : numbers) {
    const auto language = text::language_of(input_.passages[static_cast<std::size_t>(n - 1)].text);
    if (language == draft.language || language == text::Language::other) return true;
  }
  return false;
}

std::vector<Clause> Judge::source_clauses(const Draft& draft, const std::vector<const ReadPassage*>& cited) const {
  std::vector<Clause> out;
  for (const auto* passage : cited)
    for (const std::size_t u : support_by(draft.words, *passage, weights_).units) {
      const auto& unit = passage->units[u];
      for (auto& clause : clauses_of(unit.judged)) out.push_back(std::move(clause));
    }
  return out;
}

void Judge::ask_scorers(const Draft& draft, const std::vector<int>& numbers, bool crossed, Judgement& out) const {
  std::vector<std::string> texts;
  for (const int n : numbers) {
    const auto& passage = input_.passages[static_cast<std::size_t>(n - 1)];
    texts.push_back((passage.heading.empty() ? "" : passage.heading + "\n") + passage.text);
  }
  if (crossed && settings_.scorers.similarity) {
    const auto similar = settings_.scorers.similarity(draft.plain, texts);
    if (similar.ok() && !similar->empty()) {
      const double best = *std::max_element(similar->begin(), similar->end());
      if (best >= settings_.similarity_least) out.support = std::max(out.support, settings_.support_least + (best - settings_.similarity_least));
      else out.support = std::min(out.support, settings_.support_least - 0.01);
    }
  }
  if (!settings_.scorers.entailment || out.support >= settings_.support_least + 0.15) return;
  if (!crossed && out.support >= settings_.support_least) return;
  if (out.support < settings_.uncertain_low) return;
  double best = 0;
  for (const auto& passage : texts) {
    const auto probability = settings_.scorers.entailment(draft.plain, passage);
    if (probability.ok()) best = std::max(best, *probability);
  }
  if (best >= settings_.entailment_least) out.support = std::max(out.support, settings_.support_least);
  else if (crossed) out.support = std::min(out.support, settings_.support_least - 0.01);
}

/// Weight of what the cited passages lack: words that another of the passages has (the sentence mixes two things up), and the
/// word the sentence begins with (it speaks of something else).
double Judge::foreign_share(const Draft& draft, const std::vector<const ReadPassage*>& cited) const {
  const auto known_by = [](const ReadPassage& passage, const std::string& stem) {
    if (coverage_of(stem, passage.context) > 0) return true;
    return std::any_of(passage.units.begin(), passage.units.end(), [&](const Unit& unit) { return coverage_of(stem, unit.set) > 0; });
  };
  double total = 0, foreign = 0;
  bool first = true;
  for (const auto& word : draft.words) {
    const double weight = weights_.weight(word);
    total += weight;
    const bool known = std::any_of(cited.begin(), cited.end(), [&](const auto* p) { return known_by(*p, word.stem); });
    if (!known && !word.generic) {
      if (first) foreign += 0.8;
      if (std::any_of(passages_.begin(), passages_.end(), [&](const ReadPassage& p) { return known_by(p, word.stem); })) foreign += weight;
    }
    if (!word.generic) first = false;
  }
  return total > 0 ? foreign / total : 0;
}

void Judge::check_words(const Draft& draft, const std::vector<const ReadPassage*>& cited, const std::vector<int>& numbers, bool may_ask, Judgement& out) const {
  const bool crossed = !same_language(draft, numbers);
  for (const auto* passage : cited) out.support = std::max(out.support, support_by(draft.words, *passage, weights_).share);
  if (cited.size() > 1) {
    // a sentence may be put together from several cited passages
    ReadPassage all;
    for (const auto* passage : cited) {
      all.units.insert(all.units.end(), passage->units.begin(), passage->units.end());
      all.context.insert(passage->context.begin(), passage->context.end());
    }
    out.support = std::max(out.support, 0.97 * support_by(draft.words, all, weights_).share);
  }
  // in another language only a name in Latin letters can be looked for
  const auto name = unknown_name(draft.folded, draft.words, cited);
  const bool latin = !name.empty() && static_cast<unsigned char>(name[0]) < 0x80;
  if (!name.empty() && (!crossed || (latin && draft.language == text::Language::chinese))) {
    out.reason = reason_for(Withheld::unknown_name, draft.language, name);
    return;
  }
  // the passage that holds a figure must also know whom the sentence names
  for (const auto& figure : out.figures)
    for (std::size_t i = 0; i < cited.size() && !crossed && cited.size() > 1; ++i)
      if (figure.status == FigureStatus::cited && figure.citation == numbers[i])
        if (const auto missing = unknown_name(draft.folded, draft.words, {cited[i]}); !missing.empty()) {
          out.reason = reason_for(Withheld::unknown_name, draft.language, missing);
          return;
        }
  if (!crossed) out.support = std::max(0.0, out.support - foreign_share(draft, cited));
  const double words_only = out.support;
  if (may_ask) ask_scorers(draft, numbers, crossed, out);
  double least = settings_.support_least;
  // a computed sentence speaks of "change" and "compared", which no passage says
  if (out.computed) least -= 0.15;
  if (out.support < least) {
    out.reason = crossed ? reason_for(Withheld::other_language, draft.language)
                         : reason_for(Withheld::too_little_support, draft.language, fmt::format("{:.0f}", std::floor(words_only * 100)));
    return;
  }
  if (!crossed) {
    auto clauses = draft.clauses;
    if (out.computed)
      for (auto& clause : clauses) clause.marks.direction = 0;
    if (const auto found = opposition(clauses, source_clauses(draft, cited), weights_); found != Opposition::none) {
      out.reason = reason_for(found, draft.language);
      return;
    }
  }
  out.kept = true;
}

void Judge::keep_useful_citations(const Draft& draft, const std::vector<const ReadPassage*>& cited, const std::vector<int>& numbers, Judgement& out) const {
  std::size_t best = 0;
  double best_share = -1;
  std::vector<double> shares;
  for (std::size_t i = 0; i < cited.size(); ++i) {
    shares.push_back(support_by(draft.words, *cited[i], weights_).share);
    if (shares.back() > best_share) {
      best_share = shares.back();
      best = i;
    }
  }
  for (std::size_t i = 0; i < cited.size(); ++i) {
    const bool holds_figure = std::any_of(out.figures.begin(), out.figures.end(), [&](const Figure& f) { return f.citation == numbers[i]; });
    if (i == best || holds_figure || shares[i] >= settings_.support_least || shares[i] >= 0.6 * best_share) out.citations.push_back(numbers[i]);
  }
}

Judgement Judge::against(const Draft& draft, const std::vector<int>& numbers, bool may_ask) const {
  Judgement out;
  std::vector<const ReadPassage*> cited;
  for (const int n : numbers) cited.push_back(&passages_[static_cast<std::size_t>(n - 1)]);
  FigureSources sources{cited, numbers, draft.question, draft.computed};
  for (auto& checked : check_figures(draft.folded, sources, weights_)) {
    if (checked.problem != FigureProblem::none && out.reason.empty()) out.reason = reason_for(checked, draft.language);
    out.computed = out.computed || checked.figure.status == FigureStatus::computed;
    out.figures.push_back(std::move(checked.figure));
  }
  if (!out.reason.empty()) {
    for (const auto* passage : cited) out.support = std::max(out.support, support_by(draft.words, *passage, weights_).share);
    out.support = std::min(out.support, settings_.support_least - 0.01);
    return out;
  }
  out.figures_hold = true;
  check_words(draft, cited, numbers, may_ask, out);
  if (out.kept) keep_useful_citations(draft, cited, numbers, out);
  return out;
}

Judgement Judge::best_passage(const Draft& draft, const std::vector<int>& tried) const {
  Judgement best;
  int number = 0;
  const auto better = [](const Judgement& a, const Judgement& b) {
    if (a.kept != b.kept) return a.kept;
    if (a.figures_hold != b.figures_hold) return a.figures_hold;
    return a.support > b.support;
  };
  for (int n = 1; n <= static_cast<int>(passages_.size()); ++n) {
    auto judged = against(draft, {n}, false);
    if (number == 0 || better(judged, best)) {
      best = std::move(judged);
      number = n;
    }
  }
  // the scorers are dear: only the most likely passage is put to them
  const bool asked = tried == std::vector<int>{number};
  if (!best.kept && best.figures_hold && !asked && number != 0) best = against(draft, {number}, true);
  return best;
}

/// Computed figures whose operands stand in a passage, in the question, or were computed themselves.
std::vector<Figure> backed(const VerifyInput& input, const std::vector<ReadPassage>& passages, const std::vector<ExtractedFigure>& question) {
  std::vector<const ReadPassage*> all;
  for (const auto& passage : passages) all.push_back(&passage);
  std::vector<Figure> out;
  for (const auto& figure : input.computed)
    if (ungrounded_operands(figure.formula, all, question, out).empty()) out.push_back(figure);
  return out;
}

}  // namespace

Result<std::unique_ptr<Verifier>> Verifier::create(VerifierSettings settings) {
  for (const double threshold : {settings.support_least, settings.uncertain_low, settings.entailment_least, settings.similarity_least, settings.extract_least})
    if (!(threshold >= 0 && threshold <= 1))
      return Error(ErrorCode::invalid_argument, fmt::format("a verifier threshold is {}, it must lie between 0 and 1", threshold));
  return std::unique_ptr<Verifier>(new Verifier(std::move(settings)));
}

Verifier::Verifier(VerifierSettings settings) : settings_(std::move(settings)) {}
Verifier::~Verifier() = default;

VerifiedSentence Verifier::verify(const VerifyInput& input) const {
  VerifiedSentence out;
  out.text = input.sentence;
  const auto withhold = [&](Withheld reason, text::Language language) {
    out.reason = reason_for(reason, language);
    return out;
  };
  if (!text::is_valid_utf8(input.sentence)) {
    out.text = text::replace_invalid_utf8(input.sentence);
    return withhold(Withheld::unreadable, text::Language::english);
  }
  if (input.sentence.size() > settings_.longest_sentence_bytes) return withhold(Withheld::too_long, text::Language::english);
  Draft draft;
  std::vector<int> marked;
  draft.plain = strip_citations(input.sentence, marked);
  draft.folded = fold(draft.plain);
  draft.language = text::language_of(draft.plain);
  if (draft.language == text::Language::other) draft.language = text::language_of(input.question);
  draft.words = content_words(draft.folded);
  draft.clauses = clauses_of(draft.plain);
  draft.question = extract_figures(input.question);
  if (input.passages.empty()) return withhold(Withheld::no_passages, draft.language);
  if (says_nothing_found(draft.folded)) return withhold(Withheld::says_nothing_found, draft.language);
  if (is_instruction(draft.folded)) return withhold(Withheld::instruction, draft.language);
  if (draft.words.empty() && extract_figures(draft.plain).empty()) return withhold(Withheld::no_content, draft.language);

  std::vector<ReadPassage> passages;
  for (std::size_t i = 0; i < std::min(input.passages.size(), most_passages); ++i)
    passages.push_back(read_passage(input.passages[i], settings_.longest_passage_bytes));
  draft.computed = backed(input, passages, draft.question);
  const Judge judge(settings_, input, passages);

  std::vector<int> numbers;
  for (const int n : marked)
    if (n >= 1 && n <= static_cast<int>(passages.size())) numbers.push_back(n);
  Judgement best;
  if (!numbers.empty()) best = judge.against(draft, numbers, true);
  if (!best.kept) {
    // no citation, or a wrong one: the passage that does carry the sentence, if any
    auto other = judge.best_passage(draft, numbers);
    if (other.kept || numbers.empty()) best = std::move(other);
  }
  out.support = best.support;
  out.figures = std::move(best.figures);
  if (!best.kept) {
    out.citations = numbers;
    out.reason = best.reason.empty() ? reason_for(Withheld::too_little_support, draft.language, "0") : best.reason;
    for (auto& figure : out.figures) figure.status = FigureStatus::withheld;
    return out;
  }
  out.citations = best.citations;
  out.status = best.computed ? SentenceStatus::computed : SentenceStatus::supported;
  out.text = with_citations(draft.plain, out.citations);
  return out;
}

}  // namespace heng::guard
