#include "figures/match.h"

#include <algorithm>

#include "heng/base/text.h"

namespace heng::guard {

namespace {

using K = FigureKind;

/// Weight by which the passage must name another figure's label before this one is refused; less between cells, whose labels
/// are short and exact.
constexpr double label_margin = 0.75, cell_margin = 0.5;

double weight_of(const std::string& stem, const WordWeights& weights) {
  Word word;
  word.stem = stem;
  word.name = stem.starts_with('#') || (stem.size() == 1 && stem[0] >= 'a' && stem[0] <= 'z');
  return weights.weight(word);
}

/// Figures of one sentence against their sources.
class Checker {
 public:
  Checker(const FoldedText& sentence, const FigureSources& sources, const WordWeights& weights)
      : text_(sentence), sources_(sources), weights_(weights), figures_(extract_figures(sentence.slice(0, sentence.size()))) {
    dates_ = bind_dates(text_, figures_);
    const auto words = content_words(text_);
    labels_ = bind_words(text_, figures_, words);
    for (const auto& word : words)
      if (word.subject) subjects_.insert(word.stem);
    topic_ = topic_of(words);
    all_ = word_set(words);
    // "(in millions)" in the sentence itself holds for its bare numbers
    if (const auto stated = scale_statement(sentence.slice(0, sentence.size())); stated.found && !stated.percent && !stated.basis_point)
      for (auto& figure : figures_) scale_up(figure, stated.scale);
  }

  std::vector<CheckedFigure> run();

 private:
  static void scale_up(ExtractedFigure& figure, const Decimal& scale) {
    if (!(figure.scale == Decimal(1)) || !(figure.kind == K::amount || (figure.kind == K::number && figure.unit.empty()))) return;
    auto value = Decimal::multiply(figure.value, scale), step = Decimal::multiply(figure.step, scale);
    if (!value || !step) return;
    figure.value = *value;
    figure.step = *step;
    figure.scale = scale;
  }
  CheckedFigure check(std::size_t i) const;
  bool check_date(std::size_t i, CheckedFigure& out) const;
  bool matches(const ExtractedFigure& figure, const Fact& fact) const;
  FigureProblem judge(std::size_t i, const Fact& fact, std::string& seen) const;
  bool speaks_of_other(const Fact& fact) const;
  bool stated_elsewhere(std::size_t i, const Fact& fact) const;
  const Fact* rival(std::size_t i, const Fact& fact) const;
  bool outflow_words() const;
  bool in_question(const ExtractedFigure& figure) const;
  bool find_computed(const ExtractedFigure& figure, std::size_t i, CheckedFigure& out) const;
  bool looks_same_digits(const ExtractedFigure& figure, std::string& seen) const;

  const FoldedText& text_;
  const FigureSources& sources_;
  const WordWeights& weights_;
  std::vector<ExtractedFigure> figures_;
  std::vector<std::vector<std::string>> dates_;
  std::vector<WordSet> labels_;
  WordSet subjects_, all_;
  std::string topic_;
};

bool Checker::matches(const ExtractedFigure& figure, const Fact& fact) const {
  if (same_quantity(figure, fact.figure)) return true;
  if (fact.optional_scale == Decimal(1)) return false;
  ExtractedFigure scaled = fact.figure;
  auto value = Decimal::multiply(scaled.value, fact.optional_scale);
  if (!value) return false;
  scaled.value = *value;
  return same_quantity(figure, scaled);
}

bool Checker::outflow_words() const {
  const std::u32string_view text(text_.folded);
  for (const auto word : {U"loss", U"expense", U"cost", U"used", U"outflow", U"negative", U"paid", U"payment", U"provision", U"charge", U"deficit",
                          U"repurchase", U"deduct", U"亏损", U"支出", U"流出", U"费用", U"成本", U"负", U"损失", U"支付", U"减值", U"亏"})
    if (text.find(word) != std::u32string_view::npos) return true;
  return direction_of(text) < 0;
}

/// Whether two facts could be taken for one another: of one kind, or both plain money of a table.
bool alike(const Fact& a, const Fact& b) {
  if (a.figure.kind == b.figure.kind) return true;
  const auto plain = [](const Fact& f) { return f.figure.kind == K::amount || (f.figure.kind == K::number && f.figure.unit.empty()); };
  return a.cell && b.cell && plain(a) && plain(b);
}

/// How far a fact's label holds a word: its own stretch fully, what stands before it in the sentence nearly so.
double carries(const std::string& word, const Fact& fact) {
  const double own = coverage_of(word, fact.label);
  return own > 0 ? own : 0.97 * coverage_of(word, fact.inherited);
}

/// Whether a negative number under this label means the opposite of a positive one, as with income; not so with deductions.
bool sign_matters(const Fact& fact) {
  for (const char* word : {"incom", "earn", "profit", "loss", "亏损", "gain", "cash", "margin", "chang", "balanc", "equity", "benefit", "flow", "收益", "利润", "流量", "净额", "余额", "增减", "变动"})
    if (fact.label.contains(word)) return true;
  return false;
}

/// "Managers approve below $2,000; the director approves the rest": the sentence begins with what only another statement
/// speaks of, and this one begins with what the sentence does not name.
bool Checker::speaks_of_other(const Fact& fact) const {
  if (fact.cell || topic_.empty()) return false;
  for (const auto* passage : sources_.passages) {
    const bool own = !passage->facts.empty() && &fact >= passage->facts.data() && &fact < passage->facts.data() + passage->facts.size();
    if (!own) continue;
    const auto& unit = passage->units[fact.unit];
    if (unit.topic.empty() || coverage_of(topic_, unit.set) > 0 || coverage_of(unit.topic, all_) > 0) return false;
    if (passage->context.contains(topic_)) return false;
    return std::any_of(passage->units.begin(), passage->units.end(), [&](const Unit& other) { return &other != &unit && other.set.contains(topic_); });
  }
  return false;
}

/// Whether another figure of the sentence is this fact: then it is told apart already.
bool Checker::stated_elsewhere(std::size_t i, const Fact& fact) const {
  for (std::size_t j = 0; j < figures_.size(); ++j)
    if (j != i && matches(figures_[j], fact)) return true;
  return false;
}

/// A like figure of the passages that the sentence's words name better than `fact`; nullptr where none.
const Fact* Checker::rival(std::size_t i, const Fact& fact) const {
  const Fact* best = nullptr;
  double best_lead = fact.cell ? cell_margin : label_margin;
  for (const auto* passage : sources_.passages) {
    for (const auto& other : passage->facts) {
      if (&other == &fact || !alike(other, fact) || matches(figures_[i], other)) continue;
      if (fact.cell != other.cell && fact.figure.kind == K::number) continue;
      if (!dates_[i].empty() && !other.dates.empty() &&
          std::none_of(other.dates.begin(), other.dates.end(), [&](const auto& d) { return dates_agree(dates_[i][0], d); }))
        continue;
      if (stated_elsewhere(i, other)) continue;
      double lead = 0;
      for (const auto& word : labels_[i]) {
        const double here = carries(word, fact), there = carries(word, other);
        if (here == there) continue;
        double weight = weight_of(word, weights_);
        if (subjects_.contains(word)) weight = std::max(1.3, weight);
        // rows of one table are told apart by words that many of them share in part
        if (fact.cell && other.cell) weight = std::max(0.8, weight);
        lead += (there - here) * weight;
      }
      if (lead > best_lead) {
        best_lead = lead;
        best = &other;
      }
    }
  }
  return best;
}

FigureProblem Checker::judge(std::size_t i, const Fact& fact, std::string& seen) const {
  const auto& figure = figures_[i];
  if (!dates_[i].empty() && !fact.dates.empty() &&
      std::none_of(fact.dates.begin(), fact.dates.end(), [&](const auto& d) { return dates_agree(dates_[i][0], d); })) {
    seen = fact.dates.front();
    return FigureProblem::other_period;
  }
  const int sign = sign_near(text_, figure);
  if (sign != 0 && fact.sign != 0 && sign != fact.sign) return FigureProblem::other_sign;
  if (sign == 0 && fact.figure.value.is_negative() && sign_matters(fact) && !outflow_words()) return FigureProblem::other_sign;
  if (speaks_of_other(fact)) return FigureProblem::other_label;
  if (bound_near(text_, figure) * fact.bound < 0) return FigureProblem::other_bound;
  if (const Fact* other = rival(i, fact)) {
    seen = other->figure.text;
    return FigureProblem::other_label;
  }
  return FigureProblem::none;
}

bool Checker::in_question(const ExtractedFigure& figure) const {
  return std::any_of(sources_.question.begin(), sources_.question.end(), [&](const auto& q) { return same_quantity(figure, q); });
}

bool Checker::check_date(std::size_t i, CheckedFigure& out) const {
  const auto& figure = figures_[i];
  for (std::size_t p = 0; p < sources_.passages.size(); ++p) {
    const auto& passage = *sources_.passages[p];
    const auto covered = [&](const std::string& date) { return date_covers(figure.date, date); };
    bool found = std::any_of(passage.context_dates.begin(), passage.context_dates.end(), covered);
    std::string year;
    for (const auto& fact : passage.facts) {
      if (fact.figure.kind == K::date && covered(fact.figure.date)) found = true;
      if (std::any_of(fact.dates.begin(), fact.dates.end(), covered)) found = true;
      // "December 26" in one header line, "2015" in the next
      if (fact.figure.kind == K::date && figure.date.size() > 5 && fact.figure.date == figure.date.substr(4))
        for (const auto& other : passage.facts) found = found || (other.figure.kind == K::date && other.figure.date.starts_with(figure.date.substr(0, 4)));
      if (fact.dates.size() > 1 && figure.date.size() > 5) {
        const bool day = std::find(fact.dates.begin(), fact.dates.end(), figure.date.substr(4)) != fact.dates.end();
        const bool in_year = std::find(fact.dates.begin(), fact.dates.end(), figure.date.substr(0, 4)) != fact.dates.end();
        found = found || (day && in_year);
      }
    }
    if (found) {
      out.figure.status = FigureStatus::cited;
      out.figure.citation = sources_.numbers[p];
      return true;
    }
  }
  return false;
}

bool Checker::find_computed(const ExtractedFigure& figure, std::size_t i, CheckedFigure& out) const {
  for (const auto& made : sources_.computed) {
    auto value = Decimal::parse(made.value);
    if (!value) continue;
    const int sign = sign_near(text_, figure);
    if (sign != 0 && !value->is_zero() && (sign < 0) != value->is_negative() && made.formula.find('-') != std::string::npos) continue;
    ExtractedFigure source = figure;
    source.approximate = false;
    ExtractedFigure rounded = figure;
    std::vector<Decimal> candidates = {*value};
    if (figure.kind == K::percent || figure.kind == K::percentage_point || figure.kind == K::basis_point) {
      if (made.unit != "percent" && made.unit != "bp")
        if (auto scaled = Decimal::multiply(*value, figure.scale)) candidates.push_back(*scaled);
    } else if (!(figure.scale == Decimal(1))) {
      // a difference of two cells "in millions" carries their scale
      const bool stated = std::any_of(sources_.passages.begin(), sources_.passages.end(), [&](const auto* p) {
        return std::find(p->scales.begin(), p->scales.end(), figure.scale) != p->scales.end();
      });
      if (stated)
        if (auto scaled = Decimal::multiply(*value, figure.scale)) candidates.push_back(*scaled);
    }
    // a computed value always has more places than the sentence: two digits written are enough, one is when exact
    for (const auto& candidate : candidates) {
      source.value = candidate;
      if (!same_quantity(rounded, source)) continue;
      out.figure.status = FigureStatus::computed;
      out.figure.formula = made.formula;
      out.figure.citation = made.citation;
      out.problem = FigureProblem::none;
      return true;
    }
  }
  (void)i;
  return false;
}

/// Whether the digits stand in a passage with another unit; `seen` says how.
bool Checker::looks_same_digits(const ExtractedFigure& figure, std::string& seen) const {
  if (figure.scale.is_zero()) return false;
  auto mantissa = Decimal::divide(figure.value.abs(), figure.scale, 6);
  if (!mantissa) return false;
  for (const auto* passage : sources_.passages)
    for (const auto& fact : passage->facts) {
      if (fact.figure.kind == K::date || fact.figure.scale.is_zero()) continue;
      auto other = Decimal::divide(fact.figure.value.abs(), fact.figure.scale, 6);
      if (other && *other == *mantissa) {
        seen = fact.figure.text;
        if (fact.cell && !(fact.figure.scale == Decimal(1))) seen += " (×" + fact.figure.scale.to_string() + ")";
        return true;
      }
    }
  return false;
}

CheckedFigure Checker::check(std::size_t i) const {
  const auto& figure = figures_[i];
  CheckedFigure out;
  out.figure.text = figure.text;
  out.figure.value = figure_value(figure);
  out.figure.unit = figure_unit(figure);
  out.figure.begin = figure.begin;
  out.figure.end = figure.end;
  if (figure.kind == K::date) {
    if (check_date(i, out)) return out;
    if (in_question(figure)) {
      out.figure.status = FigureStatus::question;
      return out;
    }
    out.problem = FigureProblem::not_found;
    return out;
  }
  FigureProblem worst = FigureProblem::not_found;
  for (std::size_t p = 0; p < sources_.passages.size(); ++p)
    for (const auto& fact : sources_.passages[p]->facts) {
      if (!matches(figure, fact)) continue;
      std::string seen;
      const FigureProblem problem = judge(i, fact, seen);
      if (problem == FigureProblem::none) {
        out.figure.status = FigureStatus::cited;
        out.figure.citation = sources_.numbers[p];
        out.problem = FigureProblem::none;
        return out;
      }
      worst = problem;
      out.seen = seen;
    }
  if (find_computed(figure, i, out)) return out;
  if (worst == FigureProblem::not_found && in_question(figure)) {
    out.figure.status = FigureStatus::question;
    out.problem = FigureProblem::question_only;
    return out;
  }
  if (worst == FigureProblem::not_found && looks_same_digits(figure, out.seen)) worst = FigureProblem::other_unit;
  out.problem = worst;
  return out;
}

std::vector<CheckedFigure> Checker::run() {
  std::vector<CheckedFigure> out;
  bool backed = false;
  for (std::size_t i = 0; i < figures_.size(); ++i) {
    out.push_back(check(i));
    const auto status = out.back().figure.status;
    backed = backed || (figures_[i].kind != K::date && (status == FigureStatus::cited || status == FigureStatus::computed));
  }
  // a figure of the question may be repeated beside one that is backed ("for 100,000 yuan the fee is 5"), durations and
  // dates also alone; never where the passage gives another of its kind for the same label
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (out[i].figure.status != FigureStatus::question || figures_[i].kind == K::date) continue;
    Fact self;
    self.figure = figures_[i];
    const Fact* other = rival(i, self);
    if (backed && (other == nullptr || figures_[i].kind == K::amount)) out[i].problem = FigureProblem::none;
    if (other != nullptr) out[i].seen = other->figure.text;
    bool named = false;
    for (const auto& figure : out) named = named || figure.figure.status == FigureStatus::computed;
    if (named) out[i].problem = FigureProblem::none;
    if (out[i].problem != FigureProblem::none) out[i].figure.status = FigureStatus::withheld;
  }
  for (auto& figure : out)
    if (figure.problem != FigureProblem::none) figure.figure.status = FigureStatus::withheld;
  return out;
}

}  // namespace

std::vector<CheckedFigure> check_figures(const FoldedText& sentence, const FigureSources& sources, const WordWeights& weights) {
  return Checker(sentence, sources, weights).run();
}

}  // namespace heng::guard
