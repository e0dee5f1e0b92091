#include <algorithm>

#include "figures/match.h"
#include "grounding/support.h"
#include "heng/base/text.h"
#include "heng/guard/verifier.h"

namespace heng::guard {

namespace {

/// A row as "label: value (column); value (column)", of verbatim pieces; columns of the asked year only, where one is.
std::string render_row(const Unit& unit, const std::vector<std::string>& dates, const std::string& context) {
  std::string out = unit.text;
  const auto asked = [&](const Unit::Cell& cell) {
    for (const auto& figure : extract_figures(cell.column))
      if (figure.kind == FigureKind::date)
        for (const auto& date : dates)
          if (date_covers(date, figure.date) || date_covers(figure.date, date)) return true;
    return false;
  };
  const bool narrowed = std::any_of(unit.cells.begin(), unit.cells.end(), asked);
  std::string values;
  for (const auto& cell : unit.cells) {
    if (narrowed && !asked(cell)) continue;
    if (!values.empty()) values += "; ";
    values += cell.value;
    if (!cell.column.empty()) values += " (" + cell.column + ")";
  }
  if (!values.empty()) out += (out.empty() ? "" : ": ") + values;
  if (!context.empty() && context.size() <= 120 && scale_statement(context).found) out += " (" + context + ")";
  return out;
}

/// The question without the words that only ask: 多少, 怎么办, 是否.
FoldedText without_asking(FoldedText question) {
  for (const auto phrase : {U"怎么办", U"怎么", U"怎样", U"如何", U"多少钱", U"多少", U"多久", U"多长", U"多大", U"多高", U"什么", U"哪些", U"哪个", U"哪里", U"哪年", U"哪天", U"是否", U"几点",
                            U"几天", U"几个", U"几年", U"几倍", U"几家", U"几档", U"请问", U"有没有", U"能不能", U"可不可以", U"能否", U"可否", U"最长", U"最多", U"受到", U"要收", U"这只", U"这个", U"想知道",
                            U"想问", U"谁是", U"是谁", U"介绍", U"告诉", U"根据", U"需要", U"可以", U"应当", U"不得", U"今天", U"目前", U"现在"}) {
    const std::u32string_view word(phrase);
    for (auto at = question.folded.find(word); at != std::u32string::npos; at = question.folded.find(word, at + 1))
      for (std::size_t i = at; i < at + word.size(); ++i) question.folded[i] = question.original[i] = U' ';
  }
  return question;
}

struct Candidate {
  std::size_t passage, unit;
  double score;
};

std::vector<std::string> dates_of(const std::vector<ExtractedFigure>& figures) {
  std::vector<std::string> out;
  for (const auto& figure : figures)
    if (figure.kind == FigureKind::date) out.push_back(figure.date);
  return out;
}

/// Whether a unit is text worth quoting: not a bare heading, not a question.
bool quotable(const Unit& unit) {
  if (unit.row) return !unit.cells.empty();
  if (unit.text.size() < 12 || unit.text.starts_with('#')) return false;
  return !unit.text.ends_with("?") && !unit.text.ends_with("？");
}

bool asks_for_figure(const FoldedText& question) {
  const std::u32string_view text(question.folded);
  for (const auto word : {U"how much", U"how many", U"how long", U"what is the rate", U"percentage", U"amount", U"多少", U"几", U"多久", U"多长", U"利率", U"费用", U"金额", U"比例"})
    if (text.find(word) != std::u32string_view::npos) return true;
  return false;
}

double mean_weight(const std::vector<Word>& words, const WordWeights& weights, const WordSet& set, const WordSet& context, double context_credit) {
  double total = 0, covered = 0;
  for (const auto& word : words) {
    const double weight = weights.weight(word);
    total += weight;
    covered += weight * std::max(coverage_of(word.stem, set), context_credit * coverage_of(word.stem, context));
  }
  return total > 0 ? covered / total : 0;
}

}  // namespace

std::vector<VerifiedSentence> Verifier::extract(const std::string& question, const std::vector<Passage>& passages, int most) const {
  std::vector<VerifiedSentence> out;
  if (most <= 0 || !text::is_valid_utf8(question) || question.size() > settings_.longest_sentence_bytes) return out;
  const FoldedText folded = fold(question);
  const auto words = content_words(without_asking(folded));
  const auto dates = dates_of(extract_figures(question));
  const bool wants_figure = asks_for_figure(folded);
  std::vector<ReadPassage> read;
  for (std::size_t i = 0; i < std::min<std::size_t>(passages.size(), 64); ++i) read.push_back(read_passage(passages[i], settings_.longest_passage_bytes));
  const WordWeights weights = weigh(read);
  std::vector<Candidate> candidates;
  for (std::size_t p = 0; p < read.size(); ++p) {
    std::vector<bool> has_figure(read[p].units.size(), false), has_date(read[p].units.size(), false);
    for (const auto& fact : read[p].facts) {
      if (fact.figure.kind != FigureKind::date) has_figure[fact.unit] = true;
      for (const auto& date : dates)
        for (const auto& have : fact.dates) has_date[fact.unit] = has_date[fact.unit] || date_covers(date, have);
    }
    for (std::size_t u = 0; u < read[p].units.size(); ++u) {
      const auto& unit = read[p].units[u];
      if (!quotable(unit)) continue;
      double score = mean_weight(words, weights, unit.set, read[p].context, 0.5);
      if (wants_figure) score += has_figure[u] ? 0.08 : -0.05;
      if (!dates.empty()) score += has_date[u] ? 0.08 : 0;
      score -= 0.012 * static_cast<double>(p);
      if (unit.words.size() > 60) score -= 0.05;
      candidates.push_back({p, u, score});
    }
  }
  const auto better = [](const Candidate& a, const Candidate& b) {
    return a.score != b.score ? a.score > b.score : a.passage != b.passage ? a.passage < b.passage : a.unit < b.unit;
  };
  std::sort(candidates.begin(), candidates.end(), better);
  if (candidates.size() > 24) candidates.resize(24);
  if (settings_.scorers.similarity && !candidates.empty()) {
    std::vector<std::string> texts;
    for (const auto& c : candidates) texts.push_back(passages[c.passage].heading + "\n" + (read[c.passage].units[c.unit].row ? read[c.passage].units[c.unit].judged : read[c.passage].units[c.unit].text));
    const auto similar = settings_.scorers.similarity(question, texts);
    if (similar.ok() && similar->size() == candidates.size()) {
      const auto [low, high] = std::minmax_element(similar->begin(), similar->end());
      const double spread = std::max(0.02, *high - *low);
      for (std::size_t i = 0; i < candidates.size(); ++i) candidates[i].score += 0.35 * ((*similar)[i] - *low) / spread;
      std::sort(candidates.begin(), candidates.end(), better);
    }
  }
  if (candidates.empty() || candidates.front().score < settings_.extract_least) return out;
  const double best = candidates.front().score;
  std::vector<WordSet> taken;
  for (const auto& c : candidates) {
    if (static_cast<int>(out.size()) >= most) break;
    if (c.score < settings_.extract_least || c.score < 0.6 * best) break;
    const auto& unit = read[c.passage].units[c.unit];
    // what repeats an earlier one adds nothing
    const bool repeats = std::any_of(taken.begin(), taken.end(), [&](const WordSet& before) {
      std::size_t shared = 0;
      for (const auto& word : unit.set) shared += before.contains(word) ? 1 : 0;
      return shared * 10 > unit.set.size() * 9;
    });
    if (repeats && !unit.row) continue;
    taken.push_back(unit.set);
    VerifiedSentence sentence;
    sentence.status = SentenceStatus::extracted;
    sentence.support = 1;
    sentence.citations = {static_cast<int>(c.passage) + 1};
    const std::string text = unit.row ? render_row(unit, dates, passages[c.passage].context) : unit.text;
    for (const auto& figure : extract_figures(text)) {
      Figure f;
      f.text = figure.text;
      f.value = figure_value(figure);
      f.unit = figure_unit(figure);
      f.status = FigureStatus::cited;
      f.citation = static_cast<int>(c.passage) + 1;
      f.begin = figure.begin;
      f.end = figure.end;
      for (const auto& fact : read[c.passage].facts)
        if (fact.unit == c.unit && fact.figure.text == figure.text) {
          f.value = figure_value(fact.figure);
          f.unit = figure_unit(fact.figure);
        }
      sentence.figures.push_back(std::move(f));
    }
    sentence.text = with_citations(text, sentence.citations);
    out.push_back(std::move(sentence));
  }
  return out;
}

namespace {

/// A question's words that no passage holds, as the user wrote them: neighbouring ones together.
std::vector<std::string> missing_words(const FoldedText& question, const std::vector<Word>& words, const std::vector<bool>& found) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < words.size();) {
    if (found[i] || words[i].generic) {
      ++i;
      continue;
    }
    std::size_t begin = words[i].begin, end = words[i].end;
    std::size_t j = i + 1;
    for (; j < words.size() && !found[j] && words[j].begin <= end + 1 && end - begin < 40; ++j) end = std::max(end, words[j].end);
    const std::string text = question.slice(begin, end);
    if (std::find(out.begin(), out.end(), text) == out.end()) out.push_back(text);
    i = j;
  }
  return out;
}

}  // namespace

AnswerVerifier::Evidence Verifier::evidence(const std::string& question, const std::vector<Passage>& passages) const {
  Evidence out;
  if (!text::is_valid_utf8(question)) return out;
  const FoldedText folded = fold(question);
  const auto words = content_words(without_asking(folded));
  const auto figures = extract_figures(question);
  if (passages.empty()) {
    out.missing = missing_words(folded, words, std::vector<bool>(words.size(), false));
    return out;
  }
  std::vector<ReadPassage> read;
  std::vector<const ReadPassage*> pointers;
  for (std::size_t i = 0; i < std::min<std::size_t>(passages.size(), 64); ++i) read.push_back(read_passage(passages[i], settings_.longest_passage_bytes));
  for (const auto& passage : read) pointers.push_back(&passage);
  const WordWeights weights = weigh(read);
  std::vector<bool> found(words.size(), false);
  double best_passage = 0, best_vector = 0, total = 0, union_covered = 0;
  for (std::size_t p = 0; p < read.size(); ++p) {
    WordSet all;
    for (const auto& unit : read[p].units) all.insert(unit.set.begin(), unit.set.end());
    best_passage = std::max(best_passage, mean_weight(words, weights, all, read[p].context, 0.8));
    best_vector = std::max(best_vector, passages[p].vector_score);
    for (std::size_t i = 0; i < words.size(); ++i)
      if (!found[i]) found[i] = coverage_of(words[i].stem, all) > 0 || coverage_of(words[i].stem, read[p].context) > 0;
  }
  double worst_missing = 0;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const double weight = weights.weight(words[i]);
    total += weight;
    if (found[i]) union_covered += weight;
    else worst_missing = std::max(worst_missing, weight);
  }
  const double joint = total > 0 ? union_covered / total : 0;
  bool crossed = true;
  for (const auto& passage : passages) crossed = crossed && text::language_of(passage.text) != text::language_of(question);
  double strength = 0.6 * best_passage + 0.4 * joint;
  // in another language the words cannot tell; the search's cosine does
  if (crossed) strength = std::max(strength, std::clamp((best_vector - 0.78) / 0.1, 0.0, 1.0));
  out.missing = missing_words(folded, words, found);
  const std::string name = unknown_name(folded, words, pointers);
  if (!name.empty() && !crossed) {
    strength *= 0.45;
    if (std::find(out.missing.begin(), out.missing.end(), name) == out.missing.end()) out.missing.insert(out.missing.begin(), name);
  }
  for (const auto& figure : figures) {
    if (figure.kind != FigureKind::date) continue;
    const bool known = std::any_of(read.begin(), read.end(), [&](const ReadPassage& passage) {
      const auto covers = [&](const std::string& d) { return date_covers(figure.date, d) || date_covers(d, figure.date) || dates_agree(figure.date, d); };
      for (const auto& d : passage.context_dates)
        if (covers(d)) return true;
      for (const auto& fact : passage.facts) {
        if (fact.figure.kind == FigureKind::date && covers(fact.figure.date)) return true;
        if (std::any_of(fact.dates.begin(), fact.dates.end(), covers)) return true;
      }
      return false;
    });
    bool any_dates = false;
    for (const auto& passage : read)
      for (const auto& fact : passage.facts) any_dates = any_dates || fact.figure.kind == FigureKind::date || !fact.dates.empty();
    if (known) continue;
    strength *= any_dates ? 0.5 : 0.8;
    out.missing.push_back(figure.text);
  }
  out.strength = std::clamp(strength, 0.0, 1.0);
  return out;
}

}  // namespace heng::guard
