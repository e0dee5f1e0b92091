#include <array>

#include "figures/lexicon.h"
#include "figures/scan.h"

namespace heng::guard {

namespace {

constexpr int most_digits = 27;

bool is_narrow_space(char32_t original) { return original == 0x00A0 || original == 0x2009 || original == 0x202F; }

bool three_digits_follow(const FoldedText& text, std::size_t i) {
  return is_ascii_digit(text.at(i)) && is_ascii_digit(text.at(i + 1)) && is_ascii_digit(text.at(i + 2)) &&
         !is_ascii_digit(text.at(i + 3));
}

bool group_separator(const FoldedText& text, std::size_t i) {
  const char32_t c = text.at(i);
  if (c == U',' || (c == U' ' && i < text.size() && is_narrow_space(text.original[i])) || c == U'\'')
    return three_digits_follow(text, i + 1);
  return false;
}

struct EnglishNumber {
  std::u32string_view word;
  std::int64_t value;
};
constexpr EnglishNumber english_numbers[] = {
    {U"zero", 0},      {U"one", 1},        {U"two", 2},       {U"three", 3},      {U"four", 4},     {U"five", 5},
    {U"six", 6},       {U"seven", 7},      {U"eight", 8},     {U"nine", 9},       {U"ten", 10},     {U"eleven", 11},
    {U"twelve", 12},   {U"thirteen", 13},  {U"fourteen", 14}, {U"fifteen", 15},   {U"sixteen", 16}, {U"seventeen", 17},
    {U"eighteen", 18}, {U"nineteen", 19},  {U"twenty", 20},   {U"thirty", 30},    {U"forty", 40},   {U"fifty", 50},
    {U"sixty", 60},    {U"seventy", 70},   {U"eighty", 80},   {U"ninety", 90}};
constexpr EnglishNumber english_scales[] = {
    {U"hundred", 100}, {U"thousand", 1000}, {U"million", 1'000'000}, {U"billion", 1'000'000'000},
    {U"trillion", 1'000'000'000'000}};

/// The word of `words` that stands at `i`, or nullptr.
template <std::size_t N>
const EnglishNumber* find_word(const FoldedText& text, std::size_t i, const EnglishNumber (&words)[N]) {
  for (const auto& w : words)
    if (word_at(text, i, w.word)) return &w;
  return nullptr;
}

/// 二〇二四 read digit by digit.
std::optional<Mantissa> chinese_digit_run(const FoldedText& text, std::size_t i) {
  std::int64_t value = 0;
  std::size_t at = i;
  while (at < text.size() && chinese_digit(text.at(at)) >= 0 && at - i < 17) value = value * 10 + chinese_digit(text.at(at++));
  if (at - i < 2) return std::nullopt;
  Mantissa out;
  out.value = Decimal(value);
  out.end = at;
  out.spelled = true;
  out.digits = static_cast<int>(at - i);
  return out;
}

/// Digits behind 点: 二点五.
void read_chinese_fraction(const FoldedText& text, Mantissa& out) {
  if (text.at(out.end) != U'点' || chinese_digit(text.at(out.end + 1)) < 0) return;
  std::size_t at = out.end + 1;
  __int128 fraction = 0;
  int places = 0;
  while (chinese_digit(text.at(at)) >= 0 && places < 9) {
    fraction = fraction * 10 + chinese_digit(text.at(at++));
    ++places;
  }
  auto sum = Decimal::add(out.value, Decimal::from_parts(fraction, places));
  if (!sum) return;
  out.value = *sum;
  out.step = Decimal::from_parts(1, places);
  out.end = at;
  // 二点五万
  if (const auto unit = chinese_unit(text.at(at)); unit >= 10'000) {
    auto value = Decimal::multiply(out.value, Decimal(unit));
    auto step = Decimal::multiply(out.step, Decimal(unit));
    if (value && step) {
      out.value = *value;
      out.step = *step;
      out.end = at + 1;
    }
  }
}

}  // namespace

std::optional<Mantissa> digits_at(const FoldedText& text, std::size_t i) {
  if (!is_ascii_digit(text.at(i))) return std::nullopt;
  Mantissa out;
  __int128 coefficient = 0;
  std::size_t at = i;
  int run = 0;
  while (at < text.size() && out.digits <= most_digits) {
    const char32_t c = text.at(at);
    if (is_ascii_digit(c)) {
      coefficient = coefficient * 10 + (c - U'0');
      ++out.digits;
      ++run;
      ++at;
    } else if (run <= 3 && run > 0 && group_separator(text, at) && (out.grouped ? run == 3 : true)) {
      out.grouped = true;
      run = 0;
      ++at;
    } else {
      break;
    }
  }
  int places = 0;
  if (text.at(at) == U'.' && is_ascii_digit(text.at(at + 1))) {
    ++at;
    while (is_ascii_digit(text.at(at)) && out.digits <= most_digits && places < Decimal::max_scale) {
      coefficient = coefficient * 10 + (text.at(at++) - U'0');
      ++out.digits;
      ++places;
    }
    out.grouped = true;
  }
  if (out.digits > most_digits) return std::nullopt;
  out.value = Decimal::from_parts(coefficient, places);
  out.step = Decimal::from_parts(1, places);
  out.end = at;
  return out;
}

std::optional<Mantissa> chinese_number_at(const FoldedText& text, std::size_t i) {
  if (chinese_digit(text.at(i)) < 0 && text.at(i) != U'十' && text.at(i) != U'拾') return std::nullopt;
  if (chinese_digit(text.at(i)) >= 0 && chinese_digit(text.at(i + 1)) >= 0) {
    if (auto run = chinese_digit_run(text, i)) return run;
  }
  // sections below 万 are gathered in `section`, then multiplied by 万 and 亿
  std::int64_t total = 0, section = 0, digit = -1, last_unit = 1;
  std::size_t at = i;
  for (; at < text.size() && at - i < 24; ++at) {
    const char32_t c = text.at(at);
    if (const int d = chinese_digit(c); d >= 0) {
      if (digit > 0) break;
      digit = d;
      continue;
    }
    const std::int64_t unit = chinese_unit(c);
    if (unit == 0) break;
    if (unit < 10'000) {
      if (digit < 0 && unit != 10) break;
      section += (digit < 0 ? 1 : digit) * unit;
    } else {
      section += digit < 0 ? 0 : digit;
      if (section == 0 && total == 0) break;
      if (total > 0 && unit == 100'000'000 && last_unit == 10'000) {
        total = (total + section) * unit;  // 三万亿
      } else {
        total += section * unit;
      }
      section = 0;
    }
    digit = -1;
    last_unit = unit;
    if (total > 90'000'000'000'000'000) return std::nullopt;
  }
  if (at == i) return std::nullopt;
  Mantissa out;
  // 三百二 is 320, 二万五 is 25000
  const std::int64_t tail = digit > 0 ? (last_unit >= 100 && chinese_digit(text.at(at - 2)) < 0 ? digit * (last_unit / 10) : digit) : 0;
  out.value = Decimal(total + section + tail);
  out.end = at;
  out.spelled = true;
  out.digits = static_cast<int>(at - i);
  read_chinese_fraction(text, out);
  return out;
}

std::optional<Mantissa> english_number_at(const FoldedText& text, std::size_t i) {
  if (i > 0 && (is_ascii_word(text.at(i - 1)) || text.at(i - 1) == U'-')) return std::nullopt;
  std::int64_t total = 0, section = 0;
  std::size_t at = i, end = i;
  for (int words = 0; words < 12; ++words) {
    if (const auto* n = find_word(text, at, english_numbers)) {
      section += n->value;
      end = at + n->word.size();
    } else if (const auto* s = end > i ? find_word(text, at, english_scales) : nullptr) {
      if (s->value == 100) {
        section *= 100;
      } else {
        total += section * s->value;
        section = 0;
      }
      end = at + s->word.size();
      if (total > 90'000'000'000'000'000) return std::nullopt;
    } else {
      break;
    }
    at = end;
    if (text.at(at) != U' ' && text.at(at) != U'-') break;
    ++at;
    if (word_at(text, at, U"and ")) at += 4;
  }
  if (end == i) return std::nullopt;
  Mantissa out;
  out.value = Decimal(total + section);
  out.end = end;
  out.spelled = true;
  out.digits = 1;
  return out;
}

namespace {

struct WordFigure {
  std::u32string_view word;
  FigureKind kind;
  int numerator, denominator;
};
constexpr WordFigure word_figures[] = {
    {U"doubled", FigureKind::multiple, 2, 1},       {U"doubling", FigureKind::multiple, 2, 1},
    {U"tripled", FigureKind::multiple, 3, 1},       {U"quadrupled", FigureKind::multiple, 4, 1},
    {U"halved", FigureKind::percent, 1, 2},         {U"twofold", FigureKind::multiple, 2, 1},
    {U"threefold", FigureKind::multiple, 3, 1},     {U"翻一番", FigureKind::multiple, 2, 1},
    {U"翻番", FigureKind::multiple, 2, 1},          {U"翻了一番", FigureKind::multiple, 2, 1},
    {U"翻倍", FigureKind::multiple, 2, 1},          {U"翻了一倍", FigureKind::multiple, 2, 1},
    {U"翻两番", FigureKind::multiple, 4, 1},        {U"一半", FigureKind::percent, 1, 2},
    {U"半数", FigureKind::percent, 1, 2},           {U"减半", FigureKind::percent, 1, 2},
    {U"half of", FigureKind::percent, 1, 2},        {U"one half", FigureKind::percent, 1, 2},
    {U"one-half", FigureKind::percent, 1, 2},       {U"one-third", FigureKind::percent, 1, 3},
    {U"one third", FigureKind::percent, 1, 3},      {U"a third of", FigureKind::percent, 1, 3},
    {U"two-thirds", FigureKind::percent, 2, 3},     {U"two thirds", FigureKind::percent, 2, 3},
    {U"one-quarter", FigureKind::percent, 1, 4},    {U"one-fourth", FigureKind::percent, 1, 4},
    {U"a quarter of", FigureKind::percent, 1, 4},   {U"three-quarters", FigureKind::percent, 3, 4},
    {U"three quarters of", FigureKind::percent, 3, 4}, {U"three-fourths", FigureKind::percent, 3, 4},
    {U"one-fifth", FigureKind::percent, 1, 5},      {U"one fifth", FigureKind::percent, 1, 5},
    {U"one-tenth", FigureKind::percent, 1, 10},     {U"半年", FigureKind::duration, 6, 1},
    {U"half a year", FigureKind::duration, 6, 1},
};

ExtractedFigure ratio_figure(FigureKind kind, Decimal numerator, Decimal denominator, std::size_t begin, std::size_t end) {
  ExtractedFigure out;
  out.begin = begin;
  out.end = end;
  out.kind = kind;
  out.spelled = true;
  if (auto value = Decimal::divide(numerator, denominator, 12)) out.value = value->normalized();
  out.step = kind == FigureKind::percent ? Decimal::from_parts(1, 3) : Decimal(1);
  out.unit = kind == FigureKind::percent ? "percent" : kind == FigureKind::multiple ? "times" : "month";
  return out;
}

}  // namespace

std::optional<ExtractedFigure> fraction_word_at(const FoldedText& text, std::size_t i) {
  if (i == 0 || !is_ascii_word(text.at(i - 1))) {
    for (const auto& w : word_figures)
      if (word_at(text, i, w.word) && (!is_ascii_letter(w.word[0]) || i == 0 || text.at(i - 1) != U'-'))
        return ratio_figure(w.kind, Decimal(w.numerator), Decimal(w.denominator), i, i + w.word.size());
  }
  // 百分之五, 千分之三, 万分之五, 三分之一
  struct Prefix {
    std::u32string_view word;
    int places;
  };
  for (const Prefix& p : {Prefix{U"百分之", 2}, Prefix{U"千分之", 3}, Prefix{U"万分之", 4}}) {
    if (!word_at(text, i, p.word)) continue;
    const std::size_t at = i + p.word.size();
    auto number = digits_at(text, at);
    if (!number) number = chinese_number_at(text, at);
    if (!number && text.at(at) == U'百') {
      number = Mantissa{};
      number->value = Decimal(100);
      number->end = at + 1;
    }
    if (!number) return std::nullopt;
    const Decimal factor = Decimal::from_parts(1, p.places);
    auto value = Decimal::multiply(number->value, factor);
    auto step = Decimal::multiply(number->step, factor);
    if (!value || !step) return std::nullopt;
    ExtractedFigure out = ratio_figure(FigureKind::percent, Decimal(0), Decimal(1), i, number->end);
    out.value = value->normalized();
    out.step = *step;
    out.scale = factor;
    return out;
  }
  if (const auto below = chinese_number_at(text, i); below && word_at(text, below->end, U"分之")) {
    if (const auto above = chinese_number_at(text, below->end + 2); above && !below->value.is_zero())
      return ratio_figure(FigureKind::percent, above->value, below->value, i, above->end);
  }
  return std::nullopt;
}

}  // namespace heng::guard
