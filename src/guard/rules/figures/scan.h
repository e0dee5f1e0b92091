#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "folded_text.h"
#include "heng/base/decimal.h"
#include "heng/guard/figures.h"

namespace heng::guard {

/// A number read at a position, before scale and unit.
struct Mantissa {
  Decimal value;
  Decimal step = Decimal(1);  ///< One unit in the last place.
  std::size_t end = 0;
  bool spelled = false;
  int digits = 0;             ///< Digits written.
  bool grouped = false;       ///< Had thousands separators or a point.
};

/// "1,234.5", "1234", "12 345 678" with narrow spaces; nothing where no digit stands at `i`.
std::optional<Mantissa> digits_at(const FoldedText& text, std::size_t i);
/// "三百二十万", "二点五", "两", "半" is not one. Value includes 万 and 亿.
std::optional<Mantissa> chinese_number_at(const FoldedText& text, std::size_t i);
/// "twenty-five", "three hundred thousand", "one" (the caller decides whether alone it means a number).
std::optional<Mantissa> english_number_at(const FoldedText& text, std::size_t i);

/// A date, quarter, half year or year at `i`; `end` 0 where none.
struct DateMatch {
  std::string date;
  std::size_t end = 0;
  bool bare_year = false;  ///< "2015" with nothing that says it is a year.
};
DateMatch date_at(const FoldedText& text, std::size_t i);
/// "14:30", "9时30分", "9:00 a.m."; empty `date` where none.
DateMatch clock_at(const FoldedText& text, std::size_t i);

/// End of a reference at `i` (第三条, "Rule 18.5.1", [1], 10-K, a list number, a web address), or `i` where none.
std::size_t skip_reference(const FoldedText& text, std::size_t i);

/// Telephone number at `i`: its digits and end.
struct PhoneMatch {
  std::string digits;
  std::size_t end = 0;
};
PhoneMatch phone_at(const FoldedText& text, std::size_t i);

/// Fractions and multiples in words: 三分之一, 一半, "two-thirds", "doubled", 翻一番.
std::optional<ExtractedFigure> fraction_word_at(const FoldedText& text, std::size_t i);

bool is_line_start(const FoldedText& text, std::size_t i);

}  // namespace heng::guard
