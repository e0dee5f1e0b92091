#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "heng/base/decimal.h"

namespace heng::guard {

/// What a figure measures. Two figures are compared only within one kind, or between kinds that convert exactly
/// (percent and basis points).
enum class FigureKind {
  amount,            ///< Money; `unit` is an ISO 4217 code.
  number,            ///< A bare number or a count of things; `unit` is empty or the counted word ("人", "shares").
  percent,           ///< Value is the ratio: 4.2% is 0.042. Also 百分之五, 三成.
  percentage_point,  ///< Difference of two percentages, as a ratio. Also 个百分点.
  basis_point,       ///< As a ratio: 25 bp is 0.0025.
  multiple,          ///< 倍, x, "times", "twofold", 翻番.
  discount,          ///< 折: 八五折 is 0.85.
  date,              ///< Day, month, quarter, half year or year; `value` stays zero, `date` holds it.
  clock,             ///< Time of day; `date` holds "HH:MM".
  duration,          ///< `unit` is second, minute, hour, day, workday, week, month, quarter or year; `value` counts them.
  phone,             ///< A telephone number; `date` is empty, `digits` holds it.
};

/// A figure as written in a text, zh or en.
struct ExtractedFigure {
  std::string text;                ///< As written.
  std::size_t begin = 0, end = 0;  ///< In code points.
  FigureKind kind = FigureKind::number;
  Decimal value;                   ///< In the base unit: 3.2亿元 is 320000000.
  Decimal step;                    ///< One unit in the last place written, in the base unit: 3.2亿 → 10000000.
  Decimal scale = Decimal(1);      ///< What the written mantissa was multiplied by: 亿 → 100000000, % → 0.01.
  std::string unit;                ///< See FigureKind; empty where none is written.
  std::string date;                ///< "2024-03-31", "2024-03", "2024-Q3", "2024-H1", "2024", "-03-31", "-Q3"; "14:30" for clock.
  std::string digits;              ///< Of a phone number.
  bool approximate = false;        ///< 约, about, nearly …
  bool spelled = false;            ///< In words: 三成, "two-thirds".
  bool range_begin = false;        ///< Lower end of a range; the next figure is its upper end.
};

/// Every figure of a text. References are left out: [1], 第三条, "Rule 18.5.1", "Section 4", list numbers, form names
/// (10-K). Invalid UTF-8 gives an empty list.
std::vector<ExtractedFigure> extract_figures(std::string_view text);

/// Plain text of the value for display: "320000000", "0.042", "2024-03-31".
std::string figure_value(const ExtractedFigure& figure);
/// Unit as in contracts: "percent", "bp", "CNY", "date", "day", "count", "".
std::string figure_unit(const ExtractedFigure& figure);

}  // namespace heng::guard
