#include <algorithm>

#include "figures/lexicon.h"
#include "figures/scan.h"
#include "heng/guard/figures.h"

namespace heng::guard {

namespace {

constexpr std::size_t most_figures = 4000;

/// Reads a text from left to right and gathers its figures.
class FigureScanner {
 public:
  explicit FigureScanner(const FoldedText& text) : text_(text) {}
  std::vector<ExtractedFigure> run();

 private:
  std::size_t date_or_phone(std::size_t i);
  std::size_t amount_or_number(std::size_t i);
  std::size_t chinese_number(std::size_t i);
  std::size_t english_number(std::size_t i);
  std::size_t finish(std::size_t begin, Mantissa number, const char* currency, bool negative);
  std::size_t take_scales(ExtractedFigure& figure, std::size_t at);
  bool take_unit(ExtractedFigure& figure, std::size_t& at);
  std::size_t add(ExtractedFigure figure, std::size_t begin, std::size_t end);
  bool approximate_before(std::size_t i) const;
  void link_ranges();
  void drop_doubles();
  bool continues_word(std::size_t i) const { return i > 0 && is_ascii_word(text_.at(i - 1)) && is_ascii_word(text_.at(i)); }
  std::u32string_view between(const ExtractedFigure& a, const ExtractedFigure& b) const {
    return std::u32string_view(text_.folded).substr(a.end, b.begin - a.end);
  }

  const FoldedText& text_;
  std::vector<ExtractedFigure> out_;
};

std::vector<ExtractedFigure> FigureScanner::run() {
  std::size_t i = 0;
  while (i < text_.size() && out_.size() < most_figures) {
    if (text_.at(i) == U' ' || continues_word(i)) {
      // letters and digits of one word are looked at from its first only, except digits behind a currency (RMB500)
      ++i;
      continue;
    }
    std::size_t end = date_or_phone(i);
    if (end == i) end = skip_reference(text_, i);
    if (end == i)
      if (auto word = fraction_word_at(text_, i)) end = add(*word, i, word->end);
    if (end == i) end = amount_or_number(i);
    if (end == i) end = chinese_number(i);
    if (end == i) end = english_number(i);
    i = end == i ? i + 1 : end;
  }
  drop_doubles();
  link_ranges();
  return std::move(out_);
}

std::size_t FigureScanner::add(ExtractedFigure figure, std::size_t begin, std::size_t end) {
  figure.begin = begin;
  figure.end = end;
  figure.text = text_.slice(begin, end);
  figure.approximate = figure.approximate || approximate_before(begin);
  out_.push_back(std::move(figure));
  return end;
}

bool FigureScanner::approximate_before(std::size_t i) const {
  while (i > 0 && text_.at(i - 1) == U' ') --i;
  const auto window = std::u32string_view(text_.folded).substr(i > 14 ? i - 14 : 0, std::min<std::size_t>(i, 14));
  for (const auto word : {U"约", U"大约", U"近", U"将近", U"接近", U"左右", U"about", U"approximately", U"around", U"nearly", U"roughly",
                          U"some", U"almost", U"approx.", U"circa"})
    if (window.ends_with(word)) return true;
  return false;
}

std::size_t FigureScanner::date_or_phone(std::size_t i) {
  if (const auto phone = phone_at(text_, i); phone.end != 0) {
    ExtractedFigure figure;
    figure.kind = FigureKind::phone;
    figure.digits = phone.digits;
    return add(std::move(figure), i, phone.end);
  }
  const auto date = date_at(text_, i);
  if (date.end != 0) {
    const std::size_t next = skip_blanks(text_, date.end, 1);
    // "2015 employees", "2000元": a count, not a year
    const bool counted = date.bare_year && (scale_at(text_, next) || currency_after(text_, next) || unit_at(text_, next));
    const bool money = i > 0 && (text_.at(i - 1) == U'$' || text_.at(i - 1) == U'¥' || text_.at(i - 1) == U'€' || text_.at(i - 1) == U'£');
    if (!counted && !money) {
      ExtractedFigure figure;
      figure.kind = FigureKind::date;
      figure.date = date.date;
      figure.unit = "date";
      return add(std::move(figure), i, date.end);
    }
  }
  if (const auto clock = clock_at(text_, i); clock.end != 0) {
    ExtractedFigure figure;
    figure.kind = FigureKind::clock;
    figure.date = clock.date;
    figure.unit = "time";
    return add(std::move(figure), i, clock.end);
  }
  return i;
}

std::size_t FigureScanner::amount_or_number(std::size_t i) {
  std::size_t at = i;
  bool negative = false, bracket = false;
  const auto take_sign = [&] {
    if (text_.at(at) == U'(' && !bracket) {
      bracket = true;
      ++at;
    }
    if (text_.at(at) == U'-' || text_.at(at) == U'+') {
      // between digits or letters a dash joins, it does not subtract
      if (at > 0 && (is_ascii_word(text_.at(at - 1)) || text_.at(at - 1) == U')' || text_.at(at - 1) == U'%')) return;
      negative = text_.at(at) == U'-';
      ++at;
    }
  };
  take_sign();
  const char* currency = nullptr;
  if (const auto word = currency_before(text_, at)) {
    currency = word->code;
    at = skip_blanks(text_, at + word->length);
    // "RMB ¥5", "US$" given twice
    if (const auto again = currency_before(text_, at)) at = skip_blanks(text_, at + again->length);
    take_sign();
    at = skip_blanks(text_, at, 1);
  }
  auto number = digits_at(text_, at);
  if (!number && currency != nullptr) number = chinese_number_at(text_, at);
  if (!number) return i;
  if (bracket) {
    std::size_t close = skip_blanks(text_, number->end, 1);
    if (text_.at(close) == U'%') ++close;
    if (text_.at(close) == U')') {
      // a bracketed percentage in running text is a remark; in a cell it is negative
      const bool percent = text_.at(close - 1) == U'%' || text_.at(close + 1) == U'%';
      std::size_t before = i;
      while (before > 0 && is_blank(text_.at(before - 1))) --before;
      const bool cell = before == 0 || text_.at(before - 1) == U'|' || is_line_end(text_.at(before - 1)) || currency != nullptr;
      negative = cell || (!percent && number->grouped);
      if (text_.at(close - 1) != U'%') number->end = close + 1;
      return finish(i, *number, currency, negative);
    }
    return i;
  }
  return finish(i, *number, currency, negative);
}

std::size_t FigureScanner::take_scales(ExtractedFigure& figure, std::size_t at) {
  for (int rounds = 0; rounds < 3; ++rounds) {
    const std::size_t next = skip_blanks(text_, at, 1);
    const auto scale = scale_at(text_, next);
    if (!scale) break;
    const bool money = figure.kind == FigureKind::amount;
    if (scale->needs_money && !(money && (next == at || scale->length > 1)) &&
        !(next == at && (text_.at(at) == U'k') && !is_ascii_word(text_.at(at + 1))))
      break;
    if (text_.at(next) == U'千' || text_.at(next) == U'百') {
      const char32_t after = text_.at(next + 1);
      if (after == U'克' || after == U'米' || after == U'瓦' || after == U'卡' || after == U'分') break;
    }
    auto value = Decimal::multiply(figure.value, scale->scale), step = Decimal::multiply(figure.step, scale->scale);
    auto total = Decimal::multiply(figure.scale, scale->scale);
    if (!value || !step || !total) break;
    figure.value = *value;
    figure.step = *step;
    figure.scale = *total;
    at = next + scale->length;
    if (text_.at(at) == U'余' || text_.at(at) == U'多') {
      figure.approximate = true;
      ++at;
    }
    // 3亿2000万: a second, smaller part
    if (const auto part = digits_at(text_, at)) {
      const auto smaller = scale_at(text_, part->end);
      if (smaller && smaller->scale < figure.scale) {
        auto more = Decimal::multiply(part->value, smaller->scale), more_step = Decimal::multiply(part->step, smaller->scale);
        if (!more || !more_step) break;
        auto sum = figure.value.is_negative() ? Decimal::subtract(figure.value, *more) : Decimal::add(figure.value, *more);
        if (!sum) break;
        figure.value = *sum;
        figure.step = *more_step;
        at = part->end + smaller->length;
      }
      break;
    }
  }
  return at;
}

bool FigureScanner::take_unit(ExtractedFigure& figure, std::size_t& at) {
  const std::size_t next = skip_blanks(text_, at, 1);
  if (const auto currency = currency_after(text_, next)) {
    if (figure.kind != FigureKind::amount) figure.unit = currency->code;
    figure.kind = FigureKind::amount;
    at = next + currency->length;
    return true;
  }
  if (figure.kind == FigureKind::amount) return true;
  std::size_t unit_begin = next;
  if (text_.at(at) == U'-' && is_ascii_letter(text_.at(at + 1))) unit_begin = at + 1;  // 30-day
  if (const auto unit = unit_at(text_, unit_begin)) {
    figure.kind = unit->kind;
    figure.unit = unit->unit;
    auto value = Decimal::multiply(figure.value, unit->factor), step = Decimal::multiply(figure.step, unit->factor);
    auto scale = Decimal::multiply(figure.scale, unit->factor);
    if (!value || !step || !scale) return false;
    // 八五折 is 0.85, 95折 likewise: two digits are hundredths
    if (unit->kind == FigureKind::discount && *value >= Decimal(1)) {
      value = Decimal::divide(*value, Decimal(10), 6);
      step = Decimal::divide(*step, Decimal(10), 6);
      if (!value || !step) return false;
    }
    figure.value = value->normalized();
    figure.step = *step;
    figure.scale = *scale;
    at = unit_begin + unit->length;
    return true;
  }
  return false;
}

std::size_t FigureScanner::finish(std::size_t begin, Mantissa number, const char* currency, bool negative) {
  ExtractedFigure figure;
  figure.spelled = number.spelled;
  figure.value = negative ? -number.value : number.value;
  figure.step = number.step;
  if (currency != nullptr) {
    figure.kind = FigureKind::amount;
    figure.unit = currency;
  }
  std::size_t at = number.end;
  if (text_.at(at) == U'余' || text_.at(at) == U'多') {
    figure.approximate = true;
    ++at;
  }
  at = take_scales(figure, at);
  const bool unit = take_unit(figure, at);
  if (!unit && is_ascii_letter(text_.at(at)) && currency == nullptr && figure.scale == Decimal(1)) {
    // "3D", "5G", "737s": part of a word
    std::size_t word = at;
    while (is_ascii_word(text_.at(word))) ++word;
    return word;
  }
  return add(std::move(figure), begin, at);
}

std::size_t FigureScanner::chinese_number(std::size_t i) {
  const auto number = chinese_number_at(text_, i);
  if (!number) return i;
  const std::size_t length = number->end - i;
  // 唯一, 统一, 万一, 进一步: a digit inside a word
  ExtractedFigure figure;
  figure.spelled = true;
  figure.value = number->value;
  figure.step = number->step;
  std::size_t at = number->end;
  if (text_.at(at) == U'余' || text_.at(at) == U'多') {
    figure.approximate = true;
    ++at;
  }
  at = take_scales(figure, at);
  const bool unit = take_unit(figure, at);
  const char32_t before = i > 0 ? text_.at(i - 1) : U'\0', after = text_.at(number->end);
  if (before == U'唯' || before == U'统' || before == U'第' || before == U'初' || before == U'之' || before == U'某' || before == U'周' ||
      before == U'期')
    return number->end;
  if (length == 1 && (after == U'般' || after == U'定' || after == U'些' || after == U'律' || after == U'旦' || after == U'致' ||
                      after == U'切' || after == U'并' || after == U'直' || after == U'样' || after == U'同' || after == U'起' ||
                      after == U'步' || after == U'方' || after == U'下' || after == U'手' || after == U'者' || after == U'级' ||
                      after == U'线' || after == U'面'))
    return number->end;
  if (number->value == Decimal(1) && figure.kind == FigureKind::number && is_vague_classifier(figure.unit)) return at;
  if (!unit) {
    // without a unit only a number of weight counts: 三百二十万
    const bool weighty = length >= 2 && number->value >= Decimal(100);
    if (!weighty) return number->end;
  }
  if (figure.kind == FigureKind::duration && figure.unit == "day" && text_.at(at - 1) == U'日' && before == U'月') return at;
  return add(std::move(figure), i, at);
}

std::size_t FigureScanner::english_number(std::size_t i) {
  if (!is_ascii_letter(text_.at(i))) return i;
  const auto number = english_number_at(text_, i);
  if (!number) return i;
  ExtractedFigure figure;
  figure.spelled = true;
  figure.value = number->value;
  std::size_t at = number->end;
  const bool unit = take_unit(figure, at);
  // "one" is mostly a pronoun
  if (!unit && number->value == Decimal(1)) return number->end;
  if (number->value.is_zero()) return number->end;
  return add(std::move(figure), i, at);
}

/// "thirty (30) days", 叁万元（30,000元）: one figure given twice becomes the second.
void FigureScanner::drop_doubles() {
  std::vector<ExtractedFigure> kept;
  for (std::size_t i = 0; i < out_.size(); ++i) {
    if (i + 1 < out_.size() && out_[i].spelled && out_[i].value == out_[i + 1].value.abs()) {
      const auto gap = between(out_[i], out_[i + 1]);
      const bool bracket = gap.find(U'(') != std::u32string_view::npos || text_.at(out_[i + 1].begin) == U'(';
      if (gap.size() <= 2 && bracket) {
        out_[i + 1].value = out_[i + 1].value.abs();
        continue;
      }
    }
    kept.push_back(std::move(out_[i]));
  }
  out_ = std::move(kept);
}

/// Gives the first number of "3-5%", "1至5万元", "3, 6 or 12 months" the unit of the last.
void FigureScanner::link_ranges() {
  for (std::size_t i = out_.size(); i-- > 1;) {
    auto& a = out_[i - 1];
    const auto& b = out_[i];
    if (b.begin < a.end || b.begin - a.end > 5) continue;
    std::u32string gap;
    for (const char32_t c : between(a, b))
      if (c != U' ') gap += c;
    const bool range = gap == U"-" || gap == U"~" || gap == U"至" || gap == U"到" || gap == U"to" || gap == U"--";
    const bool list = gap == U"、" || gap == U"," || gap == U"/" || gap == U"and" || gap == U"or" || gap == U"和" || gap == U"或" ||
                      gap == U",or" || gap == U",and" || gap == U"及";
    if (!range && !list) continue;
    if (range) a.range_begin = true;
    const bool bare = a.kind == FigureKind::number && a.unit.empty();
    const bool money = a.kind == FigureKind::amount && b.kind == FigureKind::amount;
    if (!bare && !(money && a.scale == Decimal(1))) continue;
    if (b.kind == FigureKind::date || b.kind == FigureKind::clock || b.kind == FigureKind::phone) continue;
    if (list && b.kind == FigureKind::amount && a.end != b.begin - gap.size()) continue;
    if (b.kind == FigureKind::number && b.unit.empty() && b.scale == Decimal(1)) continue;
    // "$3 to $5 million" shares the scale only in a range where the first has none
    if (a.scale == Decimal(1) && b.scale != Decimal(1) && (bare || range)) {
      auto value = Decimal::multiply(a.value, b.scale), step = Decimal::multiply(a.step, b.scale);
      if (!value || !step) continue;
      a.value = *value;
      a.step = *step;
      a.scale = b.scale;
    }
    a.kind = b.kind;
    a.unit = b.unit;
  }
}

}  // namespace

std::vector<ExtractedFigure> extract_figures(std::string_view text) {
  const FoldedText folded = fold(text);
  return FigureScanner(folded).run();
}

std::string figure_value(const ExtractedFigure& figure) {
  if (figure.kind == FigureKind::date || figure.kind == FigureKind::clock) return figure.date;
  if (figure.kind == FigureKind::phone) return figure.digits;
  return figure.value.normalized().to_string();
}

std::string figure_unit(const ExtractedFigure& figure) {
  if (figure.kind == FigureKind::phone) return "phone";
  if (figure.kind == FigureKind::discount) return "discount";
  if (figure.kind == FigureKind::number) return figure.unit.empty() ? "count" : figure.unit;
  return figure.unit;
}

}  // namespace heng::guard
