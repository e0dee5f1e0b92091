#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "folded_text.h"
#include "heng/base/decimal.h"
#include "heng/guard/figures.h"

namespace heng::guard {

/// A word that follows (or, for currencies, precedes) a number, found at a position.
struct CurrencyWord {
  const char* code;
  std::size_t length;
};
struct ScaleWord {
  Decimal scale;
  std::size_t length;
  bool needs_money;  ///< "m" and "k" are scales of money only; else metres and whatever.
};
struct UnitWord {
  FigureKind kind;
  std::string unit;
  Decimal factor;      ///< To the base unit: % → 0.01.
  std::size_t length;
};

std::optional<CurrencyWord> currency_before(const FoldedText& text, std::size_t i);
std::optional<CurrencyWord> currency_after(const FoldedText& text, std::size_t i);
std::optional<ScaleWord> scale_at(const FoldedText& text, std::size_t i);
/// Percent, basis points, multiples, durations and counted things.
std::optional<UnitWord> unit_at(const FoldedText& text, std::size_t i);

/// Month 1…12 named at `i` ("March", "Mar."), with its length; 0: none.
struct MonthWord {
  int month = 0;
  std::size_t length = 0;
};
MonthWord month_at(const FoldedText& text, std::size_t i);

/// Value of one Chinese digit (〇一二…九, 两, 壹…玖), or -1.
int chinese_digit(char32_t c);
/// 10, 100, 1000, 10000, 100000000 for 十百千万亿 and their formal forms, or 0.
std::int64_t chinese_unit(char32_t c);
/// Whether number words of this unit are too vague to check (一个, 一些).
bool is_vague_classifier(std::string_view unit);

}  // namespace heng::guard
