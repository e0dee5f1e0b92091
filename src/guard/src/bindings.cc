#include <algorithm>

#include "grounding/marks.h"
#include "heng/base/text.h"
#include "passage_reader.h"

namespace heng::guard {

namespace {

bool ends_clause(const FoldedText& text, std::size_t i) {
  const char32_t c = text.at(i);
  if (c == U'，' || c == U';' || c == U'；' || c == U'。' || c == U'!' || c == U'?') return true;
  return c == U',' && !(is_ascii_digit(text.at(i + 1)) && i > 0 && is_ascii_digit(text.at(i - 1)));
}

/// Number of clause ends between two places.
int clauses_between(const FoldedText& text, std::size_t from, std::size_t to) {
  int n = 0;
  for (std::size_t i = from; i < to; ++i) n += ends_clause(text, i) ? 1 : 0;
  return n;
}

/// How far a date is from a figure; smaller binds tighter.
double date_distance(const FoldedText& text, const ExtractedFigure& figure, const ExtractedFigure& date) {
  if (date.begin >= figure.end) {
    const auto gap = std::u32string_view(text.folded).substr(figure.end, date.begin - figure.end);
    for (const auto joint : {U" in ", U" for ", U" at ", U" as of ", U" during ", U" on ", U" in fiscal ", U" (", U"(", U" in the "})
      if (gap == joint) return 0;
    return static_cast<double>(gap.size()) * 1.3 + clauses_between(text, figure.end, date.begin) * 20;
  }
  return static_cast<double>(figure.begin - date.end) + clauses_between(text, date.end, figure.begin) * 12;
}

bool says_respectively(const FoldedText& text) {
  const std::u32string_view all(text.folded);
  return all.find(U"respectively") != std::u32string_view::npos || all.find(U"分别") != std::u32string_view::npos;
}

bool same_family(FigureKind a, FigureKind b) {
  const auto ratio = [](FigureKind k) {
    return k == FigureKind::percent || k == FigureKind::percentage_point || k == FigureKind::basis_point;
  };
  return a == b || (ratio(a) && ratio(b));
}

/// "$5, $4 and $3 in 2015, 2014 and 2013 (respectively)": as many like figures as dates, bound in their order.
bool bind_in_order(const FoldedText& text, const std::vector<ExtractedFigure>& figures, const std::vector<std::size_t>& dates,
                   const std::vector<std::size_t>& others, std::vector<std::vector<std::string>>& out) {
  bool any = false;
  for (const std::size_t first : others) {
    if (!out[first].empty()) continue;
    std::vector<std::size_t> group;
    for (const std::size_t i : others)
      if (same_family(figures[i].kind, figures[first].kind)) group.push_back(i);
    if (group.size() != dates.size()) continue;
    const bool apart = dates.front() > group.back() || dates.back() < group.front();
    if (!apart && !says_respectively(text)) continue;
    for (std::size_t k = 0; k < group.size(); ++k) out[group[k]] = {figures[dates[k]].date};
    any = true;
  }
  return any;
}

}  // namespace

int direction_of(std::u32string_view text) {
  bool up = false, down = false;
  for (const auto word : {U"增加", U"增长", U"上升", U"提高", U"上涨", U"上浮", U"上调", U"递增", U"increase", U"rose", U"grew", U"growth", U"rise", U"gain", U"higher", U"up "})
    up = up || text.find(word) != std::u32string_view::npos;
  for (const auto word : {U"减少", U"下降", U"降低", U"下跌", U"下浮", U"下调", U"下滑", U"递减", U"亏损", U"decrease", U"declin", U"fell", U"drop", U"reduc", U"lower", U"loss",
                          U"down ", U"fall"})
    down = down || text.find(word) != std::u32string_view::npos;
  return up == down ? 0 : up ? 1 : -1;
}

std::vector<std::vector<std::string>> bind_dates(const FoldedText& text, const std::vector<ExtractedFigure>& figures) {
  std::vector<std::vector<std::string>> out(figures.size());
  std::vector<std::size_t> dates, others;
  for (std::size_t i = 0; i < figures.size(); ++i) {
    if (figures[i].kind == FigureKind::date) {
      dates.push_back(i);
      out[i] = {figures[i].date};
    } else if (figures[i].kind != FigureKind::duration && figures[i].kind != FigureKind::clock && figures[i].kind != FigureKind::phone) {
      others.push_back(i);
    }
  }
  if (dates.empty()) return out;
  if (dates.size() > 1 && bind_in_order(text, figures, dates, others, out)) return out;
  for (const std::size_t i : others) {
    double best = 0;
    std::size_t chosen = figures.size();
    for (const std::size_t d : dates) {
      const double distance = date_distance(text, figures[i], figures[d]);
      if (chosen == figures.size() || distance < best) {
        best = distance;
        chosen = d;
      }
    }
    // the only date stands right behind a like figure: "38%, up from 35% in 2023" says nothing of when the 38% were
    const bool taken = best > 0 && std::any_of(others.begin(), others.end(), [&](std::size_t j) {
      return j != i && same_family(figures[i].kind, figures[j].kind) && figures[j].end <= figures[chosen].begin && figures[j].begin > figures[i].begin &&
             date_distance(text, figures[j], figures[chosen]) == 0;
    });
    if (!taken) out[i] = {figures[chosen].date};
  }
  return out;
}

std::string figure_word(const ExtractedFigure& figure) {
  if (figure.kind == FigureKind::date || figure.kind == FigureKind::clock || figure.kind == FigureKind::phone) return "#" + figure_value(figure);
  Decimal value = figure.value;
  std::string unit = figure.unit;
  if (figure.kind == FigureKind::duration && (unit == "year" || unit == "quarter")) {
    if (auto months = Decimal::multiply(value, Decimal(unit == "year" ? 12 : 3))) value = *months;
    unit = "month";
  }
  return "#" + value.normalized().to_string() + unit;
}

namespace {

/// Where what belongs to an earlier figure ends: "90 days at Harbor Bank | and 180 days".
std::size_t stretch_end(const FoldedText& text, std::size_t from, std::size_t to) {
  for (std::size_t at = from; at < to; ++at)
    if (ends_clause(text, at) || (is_blank(text.at(at)) && word_at(text, at + 1, U"and")) || text.at(at) == U'和' || text.at(at) == U'、') return at;
  return from;
}

}  // namespace

std::vector<WordSet> bind_words(const FoldedText& text, const std::vector<ExtractedFigure>& figures, const std::vector<Word>& words) {
  std::vector<WordSet> out(figures.size());
  for (std::size_t i = 0; i < figures.size(); ++i) {
    if (figures[i].kind == FigureKind::date) continue;
    std::size_t from = 0, to = text.size();
    for (std::size_t j = 0; j < figures.size(); ++j) {
      if (j == i || !same_family(figures[i].kind, figures[j].kind)) continue;
      if (figures[j].end <= figures[i].begin) from = std::max(from, stretch_end(text, figures[j].end, figures[i].begin));
      if (figures[j].begin >= figures[i].end) to = std::min(to, figures[j].begin);
    }
    // what stands behind a figure is its own only up to the end of the clause
    for (std::size_t at = figures[i].end; at < to; ++at)
      if (ends_clause(text, at)) to = at;
    for (const auto& word : words)
      if (word.begin >= from && word.end <= to) out[i].insert(word.stem);
    for (std::size_t j = 0; j < figures.size(); ++j)
      if (j != i && figures[j].kind != FigureKind::date && figures[j].begin >= from && figures[j].end <= to)
        out[i].insert(figure_word(figures[j]));
  }
  return out;
}

int sign_near(const FoldedText& text, const ExtractedFigure& figure) {
  if (figure.value.is_negative()) return -1;
  std::size_t from = figure.begin;
  while (from > 0 && figure.begin - from < 28 && !ends_clause(text, from - 1)) --from;
  auto before = std::u32string_view(text.folded).substr(from, figure.begin - from);
  const bool ratio = same_family(figure.kind, FigureKind::percent) || figure.kind == FigureKind::multiple;
  if (ratio) {
    std::size_t to = figure.end;
    while (to < text.size() && to - figure.end < 12 && !ends_clause(text, to)) ++to;
    if (const int sign = direction_of(before); sign != 0) return sign;
    return direction_of(std::u32string_view(text.folded).substr(figure.end, to - figure.end));
  }
  // an amount moves only where the words say "by" it: "to" it is where it arrives
  while (!before.empty() && before.back() == U' ') before.remove_suffix(1);
  if (before.ends_with(U" by") || before.ends_with(U" of")) return direction_of(before);
  while (!before.empty() && (before.back() == U'了' || before.back() == U'约' || before.back() == U'近')) before.remove_suffix(1);
  return before.size() >= 2 ? direction_of(before.substr(before.size() - 2)) : 0;
}

int bound_near(const FoldedText& text, const ExtractedFigure& figure) {
  std::size_t from = figure.begin, to = figure.end;
  while (from > 0 && figure.begin - from < 30 && !ends_clause(text, from - 1) && !is_ascii_digit(text.at(from - 1))) --from;
  const std::size_t most = text::is_cjk(text.at(to)) || text.at(to) == U'的' ? 3 : 12;
  while (to < text.size() && to - figure.end < most && !ends_clause(text, to) && !is_ascii_digit(text.at(to))) ++to;
  const int before = marks_of(fold(text.slice(from, figure.begin))).bound;
  const auto after = std::u32string_view(text.folded).substr(figure.end, to - figure.end);
  if (after.starts_with(U"以上") || after.starts_with(U" or more") || after.starts_with(U"及以上") || after.starts_with(U"(含)以上")) return 1;
  if (after.starts_with(U"以下") || after.starts_with(U"以内") || after.starts_with(U"之内") || after.starts_with(U" or less") || after.starts_with(U"(含)以下")) return -1;
  return before;
}

std::vector<WordSet> inherited_words(const std::vector<ExtractedFigure>& figures, const std::vector<Word>& words, const std::vector<WordSet>& labels) {
  std::vector<WordSet> out(figures.size());
  for (std::size_t i = 0; i < figures.size(); ++i) {
    bool own_subject = false;
    for (const auto& word : words)
      if (word.subject && labels[i].contains(word.stem) && word.begin < figures[i].end) own_subject = true;
    // 二套 in its own stretch replaces 首套 before it: pairs that end alike stand for one another
    const auto replaced = [&](const std::string& stem) {
      if (stem.size() != 6) return false;
      return std::any_of(labels[i].begin(), labels[i].end(), [&](const std::string& own) { return own != stem && own.size() >= 5 && own.ends_with(stem.substr(3)); });
    };
    for (const auto& word : words)
      if (word.end <= figures[i].begin && !labels[i].contains(word.stem) && !(word.subject && own_subject) && !replaced(word.stem)) out[i].insert(word.stem);
  }
  return out;
}

}  // namespace heng::guard
