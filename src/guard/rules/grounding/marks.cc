#include "grounding/marks.h"

#include <algorithm>

#include "heng/base/text.h"
#include "passage_reader.h"

namespace heng::guard {

namespace {

enum class Mark { none, negation, at_least, at_most, must, may, must_not, need_not, before, after };

struct Phrase {
  std::u32string_view word;
  Mark mark;
};

// longer ones first where one begins another; `none` shields words that only look like a mark
constexpr Phrase phrases[] = {
    {U"不得超过", Mark::at_most}, {U"不得高于", Mark::at_most}, {U"不得少于", Mark::at_least}, {U"不得低于", Mark::at_least}, {U"不能超过", Mark::at_most},
    {U"不超过", Mark::at_most}, {U"不高于", Mark::at_most}, {U"不多于", Mark::at_most}, {U"不大于", Mark::at_most}, {U"不晚于", Mark::before},
    {U"不迟于", Mark::before}, {U"不低于", Mark::at_least}, {U"不少于", Mark::at_least}, {U"不小于", Mark::at_least}, {U"不早于", Mark::after},
    {U"不同", Mark::none}, {U"不仅", Mark::none}, {U"不论", Mark::none}, {U"无论", Mark::none}, {U"不动产", Mark::none}, {U"不良", Mark::none},
    {U"未来", Mark::none}, {U"非常", Mark::none}, {U"无形", Mark::none}, {U"除非", Mark::none}, {U"不断", Mark::none}, {U"未成年", Mark::none},
    {U"未分配", Mark::none}, {U"不可抗力", Mark::none}, {U"不禁止", Mark::none}, {U"不足", Mark::at_most}, {U"不确定", Mark::none}, {U"不当", Mark::none},
    {U"不正当", Mark::none}, {U"无息", Mark::negation}, {U"未经", Mark::negation}, {U"不需要", Mark::need_not}, {U"不需", Mark::need_not},
    {U"无需", Mark::need_not}, {U"无须", Mark::need_not}, {U"不必", Mark::need_not}, {U"不得", Mark::must_not}, {U"不能", Mark::must_not},
    {U"不可以", Mark::must_not}, {U"不可", Mark::must_not}, {U"不允许", Mark::must_not}, {U"不准", Mark::must_not}, {U"禁止", Mark::must_not}, {U"严禁", Mark::must_not},
    {U"没有", Mark::negation}, {U"尚未", Mark::negation}, {U"未", Mark::negation}, {U"不予", Mark::negation}, {U"不再", Mark::negation}, {U"不收", Mark::negation},
    {U"不", Mark::negation}, {U"无法", Mark::negation}, {U"无权", Mark::negation}, {U"无效", Mark::negation}, {U"无", Mark::negation}, {U"免收", Mark::negation},
    {U"免费", Mark::negation}, {U"免除", Mark::negation}, {U"豁免", Mark::negation}, {U"免", Mark::negation}, {U"拒绝", Mark::negation}, {U"非", Mark::negation},
    {U"必须", Mark::must}, {U"应当", Mark::must}, {U"应收", Mark::none}, {U"应付", Mark::none}, {U"应用", Mark::none}, {U"相应", Mark::none}, {U"供应", Mark::none},
    {U"反应", Mark::none}, {U"对应", Mark::none}, {U"应急", Mark::none}, {U"适应", Mark::none}, {U"必需", Mark::none}, {U"应", Mark::must}, {U"须", Mark::must}, {U"需要", Mark::must}, {U"需", Mark::must},
    {U"可以", Mark::may}, {U"有权", Mark::may}, {U"可能", Mark::none}, {U"许可", Mark::none}, {U"认可", Mark::none}, {U"可靠", Mark::none}, {U"可转", Mark::none},
    {U"可持续", Mark::none}, {U"可比", Mark::none}, {U"可供", Mark::none}, {U"可撤销", Mark::none}, {U"可变", Mark::none}, {U"即可", Mark::may}, {U"均可", Mark::may}, {U"可", Mark::may},
    {U"以下", Mark::at_most}, {U"以内", Mark::at_most}, {U"之内", Mark::at_most}, {U"最高", Mark::at_most}, {U"最长", Mark::at_most}, {U"最迟", Mark::before}, {U"最晚", Mark::before}, {U"最大", Mark::at_most}, {U"最多", Mark::at_most}, {U"至多", Mark::at_most},
    {U"低于", Mark::at_most}, {U"少于", Mark::at_most}, {U"小于", Mark::at_most}, {U"上限", Mark::at_most}, {U"以上", Mark::at_least}, {U"至少", Mark::at_least},
    {U"最低", Mark::at_least}, {U"最短", Mark::at_least}, {U"最早", Mark::after}, {U"最小", Mark::at_least}, {U"最少", Mark::at_least}, {U"超过", Mark::at_least}, {U"高于", Mark::at_least}, {U"大于", Mark::at_least}, {U"多于", Mark::at_least},
    {U"下限", Mark::at_least}, {U"起存", Mark::at_least}, {U"之前", Mark::before}, {U"以前", Mark::before}, {U"之后", Mark::after}, {U"以后", Mark::after}, {U"提前", Mark::none}, {U"目前", Mark::none}, {U"前提", Mark::none}, {U"前述", Mark::none}, {U"前款", Mark::none}, {U"当前", Mark::none},
    {U"后续", Mark::none}, {U"然后", Mark::none}, {U"税前", Mark::none}, {U"税后", Mark::none}, {U"前三", Mark::none}, {U"前", Mark::before}, {U"后", Mark::after},
    {U"not exceeding", Mark::at_most}, {U"not exceed", Mark::at_most}, {U"no more than", Mark::at_most}, {U"not more than", Mark::at_most}, {U"no later than", Mark::before},
    {U"not later than", Mark::before}, {U"no less than", Mark::at_least}, {U"not less than", Mark::at_least}, {U"no fewer than", Mark::at_least}, {U"not only", Mark::none},
    {U"no earlier than", Mark::after}, {U"not prohibited", Mark::none}, {U"not required", Mark::need_not}, {U"need not", Mark::need_not}, {U"not need", Mark::need_not},
    {U"not obliged", Mark::need_not}, {U"not have to", Mark::need_not}, {U"no need", Mark::need_not}, {U"must not", Mark::must_not}, {U"may not", Mark::must_not},
    {U"shall not", Mark::must_not}, {U"should not", Mark::must_not}, {U"not permitted", Mark::must_not}, {U"not allowed", Mark::must_not}, {U"cannot", Mark::must_not},
    {U"can not", Mark::must_not}, {U"can't", Mark::must_not}, {U"prohibited", Mark::must_not}, {U"prohibits", Mark::must_not}, {U"prohibit", Mark::must_not},
    {U"forbidden", Mark::must_not}, {U"not limited", Mark::none}, {U"not", Mark::negation}, {U"no.", Mark::none}, {U"no", Mark::negation}, {U"never", Mark::negation}, {U"neither", Mark::negation},
    {U"nor", Mark::negation}, {U"none", Mark::negation}, {U"without", Mark::negation}, {U"n't", Mark::negation}, {U"free of", Mark::negation}, {U"waived", Mark::negation},
    {U"waives", Mark::negation}, {U"waive", Mark::negation}, {U"exempt", Mark::negation}, {U"exempted", Mark::negation}, {U"fails to", Mark::negation}, {U"failed to", Mark::negation}, {U"unable", Mark::negation},
    {U"must", Mark::must}, {U"shall", Mark::must}, {U"required to", Mark::must}, {U"has to", Mark::must}, {U"have to", Mark::must}, {U"obliged to", Mark::must}, {U"need to", Mark::must}, {U"needs to", Mark::must},
    {U"may", Mark::may}, {U"can", Mark::may}, {U"is permitted to", Mark::may}, {U"optional", Mark::may}, {U"allowed to", Mark::may},
    {U"at most", Mark::at_most}, {U"up to", Mark::at_most}, {U"less than", Mark::at_most}, {U"fewer than", Mark::at_most}, {U"maximum", Mark::at_most}, {U"below", Mark::at_most},
    {U"under", Mark::none}, {U"within", Mark::at_most}, {U"at least", Mark::at_least}, {U"minimum", Mark::at_least}, {U"more than", Mark::at_least}, {U"exceeds", Mark::at_least},
    {U"exceeding", Mark::at_least}, {U"exceed", Mark::at_least}, {U"over", Mark::none}, {U"above", Mark::at_least}, {U"before", Mark::before}, {U"prior to", Mark::before}, {U"after", Mark::after}, {U"following", Mark::none}};

struct Antonyms {
  std::u32string_view a, b;
};
constexpr Antonyms antonyms[] = {
    {U"买入", U"卖出"}, {U"存款", U"贷款"}, {U"收入", U"支出"}, {U"利润", U"亏损"}, {U"盈利", U"亏损"}, {U"境内", U"境外"}, {U"个人", U"企业"}, {U"固定", U"浮动"},
    {U"公开", U"非公开"}, {U"允许", U"禁止"}, {U"上半年", U"下半年"}, {U"资产", U"负债"}, {U"流入", U"流出"}, {U"长期", U"短期"}, {U"活期", U"定期"}, {U"线上", U"线下"},
    {U"人民币", U"外币"}, {U"首次", U"再次"}, {U"借记卡", U"信用卡"}, {U"有限", U"无限"}, {U"申购", U"赎回"}, {U"批准", U"驳回"}, {U"成年", U"未成年"}, {U"保本", U"非保本"},
    {U"本行", U"他行"}, {U"同城", U"异地"}, {U"主动", U"被动"}, {U"有权", U"无权"}, {U"有效", U"无效"}, {U"合法", U"非法"}, {U"普通卡", U"金卡"},
    {U"buy", U"sell"}, {U"deposit", U"loan"}, {U"asset", U"liabilit"}, {U"profit", U"loss"}, {U"fixed", U"floating"}, {U"fixed", U"variable"}, {U"domestic", U"foreign"},
    {U"domestic", U"international"}, {U"inflow", U"outflow"}, {U"long-term", U"short-term"}, {U"current", U"non-current"}, {U"secured", U"unsecured"}, {U"approved", U"rejected"},
    {U"credit card", U"debit card"}, {U"retail", U"professional"}, {U"lender", U"borrower"}, {U"gross", U"net"}, {U"first", U"last"}, {U"public", U"private"},
    {U"monthly", U"annual"}, {U"quarterly", U"annual"}, {U"daily", U"monthly"}, {U"issuer", U"investor"}, {U"principal", U"interest"}, {U"acquired", U"disposed"},
    {U"accept", U"reject"}, {U"include", U"exclude"}, {U"opened", U"closed"}, {U"weekday", U"weekend"}, {U"basic", U"diluted"}};

bool is_clause_end(const FoldedText& text, std::size_t i) {
  const char32_t c = text.at(i);
  if (c == U'，' || c == U';' || c == U'；' || c == U'。' || c == U'!' || c == U'?' || c == U'！' || c == U'？' || c == U'|' || c == U'\n') return true;
  if (c == U'.') return !is_ascii_digit(text.at(i + 1)) && !is_ascii_letter(text.at(i + 1));
  return c == U',' && !is_ascii_digit(text.at(i + 1));
}

Marks::Modality to_modality(Mark mark) {
  switch (mark) {
    case Mark::must: return Marks::Modality::must;
    case Mark::may: return Marks::Modality::may;
    case Mark::must_not: return Marks::Modality::must_not;
    case Mark::need_not: return Marks::Modality::need_not;
    default: return Marks::Modality::none;
  }
}

void apply(Marks& marks, Mark mark) {
  switch (mark) {
    case Mark::negation: marks.negated = true; break;
    case Mark::must_not:
    case Mark::need_not:
      marks.negated = true;
      marks.modality = to_modality(mark);
      break;
    case Mark::must:
    case Mark::may:
      if (marks.modality == Marks::Modality::none) marks.modality = to_modality(mark);
      break;
    case Mark::at_least: marks.bound = marks.bound == 0 ? 1 : marks.bound; break;
    case Mark::at_most: marks.bound = marks.bound == 0 ? -1 : marks.bound; break;
    case Mark::before: marks.before = true; break;
    case Mark::after: marks.after = true; break;
    case Mark::none: break;
  }
}

}  // namespace

Marks marks_of(const FoldedText& clause) {
  Marks out;
  for (std::size_t i = 0; i < clause.size();) {
    const Phrase* found = nullptr;
    if (!(i > 0 && is_ascii_letter(clause.at(i)) && is_ascii_word(clause.at(i - 1))) || clause.at(i) == U'n')
      for (const auto& phrase : phrases)
        if (word_at(clause, i, phrase.word) && (phrase.word == U"n't" || i == 0 || !is_ascii_letter(phrase.word[0]) || !is_ascii_word(clause.at(i - 1)))) {
          found = &phrase;
          break;
        }
    if (found != nullptr) {
      apply(out, found->mark);
      if (found->mark == Mark::negation || found->mark == Mark::must_not || found->mark == Mark::need_not) out.negations.push_back(i + found->word.size());
    }
    i += found != nullptr ? found->word.size() : 1;
  }
  out.direction = direction_of(clause.folded);
  for (const auto word : {U"if ", U"unless", U"when ", U"where ", U"provided", U"except", U"除非", U"如果", U"如 ", U"未经", U"除外", U"的,"})
    out.conditional = out.conditional || clause.folded.find(word) != std::u32string::npos;
  return out;
}

std::vector<Clause> clauses_of(std::string_view text) {
  std::vector<Clause> out;
  const FoldedText folded = fold(text);
  std::size_t begin = 0;
  const auto close = [&](std::size_t end) {
    if (end > begin) {
      Clause clause;
      clause.text = folded.slice(begin, end);
      const FoldedText piece = fold(clause.text);
      clause.words = content_words(piece);
      clause.set = word_set(clause.words);
      clause.marks = marks_of(piece);
      clause.folded = piece.folded;
      for (const std::size_t end_of_mark : clause.marks.negations)
        for (const auto& word : clause.words)
          if (word.begin >= end_of_mark && word.end - word.begin >= 2 && !word.generic) {
            clause.denied.insert(word.stem);
            break;
          }
      if (!clause.words.empty() || clause.marks.negated) out.push_back(std::move(clause));
    }
    begin = end + 1;
  };
  for (std::size_t i = 0; i < folded.size(); ++i)
    if (is_clause_end(folded, i)) close(i);
  close(folded.size());
  return out;
}

namespace {

double shared_weight(const Clause& a, const Clause& b, const WordWeights& weights) {
  double shared = 0, total = 0;
  for (const auto& word : a.words) {
    const double weight = weights.weight(word);
    total += weight;
    shared += weight * coverage_of(word.stem, b.set);
  }
  return total > 0 ? shared / total : 0;
}

bool opposite_modality(Marks::Modality a, Marks::Modality b) {
  using M = Marks::Modality;
  if (a == M::none || b == M::none || a == b) return false;
  // "may" and "need not" leave free; "must" and "must not" bind, in opposite ways
  const auto frees = [](M m) { return m == M::may || m == M::need_not; };
  return !(frees(a) && frees(b));
}

Opposition compare(const Clause& a, const Clause& b) {
  const auto& x = a.marks;
  const auto& y = b.marks;
  // "waived if …", "not … unless …": a condition that the sentence does not repeat may lift the negation
  const bool lifted = y.conditional && !x.conditional;
  if (x.negated != y.negated && !lifted) return Opposition::negation;
  if (x.direction * y.direction < 0) return Opposition::direction;
  if (opposite_modality(x.modality, y.modality) && !lifted) return Opposition::modality;
  if (x.bound * y.bound < 0) return Opposition::bound;
  if ((x.before && y.after && !y.before) || (x.after && y.before && !y.after)) return Opposition::order;
  return Opposition::none;
}

bool holds(const std::vector<Clause>& clauses, std::u32string_view word) {
  return std::any_of(clauses.begin(), clauses.end(), [&](const Clause& c) { return c.folded.find(word) != std::u32string::npos; });
}

}  // namespace

namespace {

/// A word that one side denies and the other only affirms.
bool denial_differs(const std::vector<Clause>& denying, const std::vector<Clause>& other) {
  for (const auto& clause : denying) {
    for (const auto& word : clause.denied) {
      bool affirmed = false, denied = false;
      for (const auto& candidate : other) {
        if (!candidate.set.contains(word)) continue;
        (candidate.marks.negated || candidate.marks.conditional ? denied : affirmed) = true;
      }
      // the denying side itself may also affirm it elsewhere
      bool affirmed_here = false;
      for (const auto& candidate : denying) affirmed_here = affirmed_here || (candidate.set.contains(word) && !candidate.marks.negated);
      if (affirmed && !denied && !affirmed_here) return true;
    }
  }
  return false;
}

}  // namespace

Opposition opposition(const std::vector<Clause>& sentence, const std::vector<Clause>& source, const WordWeights& weights) {
  for (const auto& clause : sentence) {
    double best = 0;
    std::vector<double> shared;
    for (const auto& other : source) {
      shared.push_back(shared_weight(clause, other, weights));
      best = std::max(best, shared.back());
    }
    if (best < 0.34) continue;
    std::vector<Clause> close, anchored;
    for (std::size_t i = 0; i < source.size(); ++i) {
      if (shared[i] < 0.6 * best) continue;
      close.push_back(source[i]);
      if (std::any_of(clause.denied.begin(), clause.denied.end(), [&](const auto& word) { return source[i].set.contains(word); })) anchored.push_back(source[i]);
    }
    if (denial_differs({clause}, close) || denial_differs(close, {clause})) return Opposition::negation;
    // the clauses that speak of the same thing: one of them must agree
    Opposition found = Opposition::none;
    bool agrees = false;
    for (const auto& other : anchored.empty() ? close : anchored) {
      if (anchored.empty() && shared_weight(clause, other, weights) < best - 0.12) continue;
      const auto result = compare(clause, other);
      if (result == Opposition::none) agrees = true;
      else if (found == Opposition::none) found = result;
    }
    if (!agrees && found != Opposition::none) return found;
  }
  for (const auto& pair : antonyms)
    for (const auto& [word, other] : {std::pair{pair.a, pair.b}, std::pair{pair.b, pair.a}}) {
      // 非公开 holds 公开, "non-current" holds "current": only the whole word counts
      if (!holds(sentence, word) || holds(source, word) || !holds(source, other)) continue;
      if (word.find(other) != std::u32string_view::npos || !holds(sentence, other)) return Opposition::antonym;
    }
  return Opposition::none;
}

}  // namespace heng::guard
