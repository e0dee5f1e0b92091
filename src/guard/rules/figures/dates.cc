#include <fmt/core.h>

#include <array>

#include "figures/lexicon.h"
#include "figures/scan.h"

namespace heng::guard {

namespace {

int number_between(const FoldedText& text, std::size_t begin, std::size_t end) {
  int value = 0;
  for (std::size_t i = begin; i < end; ++i) value = value * 10 + static_cast<int>(text.at(i) - U'0');
  return value;
}

std::size_t digit_run(const FoldedText& text, std::size_t i) {
  std::size_t n = 0;
  while (n < 20 && is_ascii_digit(text.at(i + n))) ++n;
  return n;
}

bool is_year(int year) { return year >= 1900 && year <= 2099; }

/// A number 1…most of one or two digits, Arabic or Chinese, at `i`; end in `end`.
int small_number(const FoldedText& text, std::size_t i, int most, std::size_t& end) {
  const std::size_t n = digit_run(text, i);
  int value = 0;
  if (n >= 1 && n <= 2) {
    value = number_between(text, i, i + n);
    end = i + n;
  } else if (n == 0) {
    const auto number = chinese_number_at(text, i);
    if (!number || number->value > Decimal(most)) return 0;
    value = static_cast<int>(number->value.to_double());
    end = number->end;
  }
  return value >= 1 && value <= most ? value : 0;
}

/// A year of four digits, Arabic or 二〇二四.
int year_at(const FoldedText& text, std::size_t i, std::size_t& end) {
  if (digit_run(text, i) == 4) {
    end = i + 4;
    const int year = number_between(text, i, i + 4);
    return is_year(year) ? year : 0;
  }
  int year = 0;
  for (std::size_t k = 0; k < 4; ++k) {
    const int d = chinese_digit(text.at(i + k));
    if (d < 0) return 0;
    year = year * 10 + d;
  }
  end = i + 4;
  return is_year(year) ? year : 0;
}

/// 一季度, 第三季度, 前三季度, 上半年 behind an optional year; `prefix` is "2023" or "".
DateMatch chinese_part_of_year(const FoldedText& text, std::size_t i, const std::string& prefix) {
  for (const auto& [word, half] : {std::pair{U"上半年", "H1"}, std::pair{U"下半年", "H2"}, std::pair{U"中期", "H1"}})
    if (!(prefix.empty() && std::u32string_view(word) == U"中期") && word_at(text, i, word))
      return {prefix + "-" + half, i + std::u32string_view(word).size()};
  std::size_t at = i;
  const bool first = text.at(at) == U'前';
  if (first || text.at(at) == U'第') ++at;
  std::size_t end = at;
  const int quarter = small_number(text, at, 4, end);
  if (quarter == 0 || !word_at(text, end, U"季度")) return {};
  return {fmt::format("{}-{}{}", prefix, first ? "9M" : "Q", first ? "" : std::to_string(quarter)), end + 2};
}

DateMatch chinese_date_at(const FoldedText& text, std::size_t i) {
  std::size_t at = i;
  const int year = year_at(text, i, at);
  std::string prefix;
  std::size_t end = 0;
  if (year != 0) {
    at = skip_blanks(text, at, 1);
    if (text.at(at) != U'年' && !word_at(text, at, U"财年") && !word_at(text, at, U"财政年度")) return {};
    at += text.at(at) == U'年' ? 1 : word_at(text, at, U"财年") ? 2 : 4;
    if (text.at(at) == U'度') ++at;
    prefix = std::to_string(year);
    end = at;
    at = skip_blanks(text, at, 1);
    const auto part = chinese_part_of_year(text, at, prefix);
    if (part.end != 0) return part;
  } else if (const auto part = chinese_part_of_year(text, i, ""); part.end != 0) {
    return part;
  }
  std::size_t month_end = at;
  const int month = small_number(text, at, 12, month_end);
  month_end = skip_blanks(text, month_end, 1);
  if (month == 0 || text.at(month_end) != U'月') return end != 0 ? DateMatch{prefix, end} : DateMatch{};
  at = skip_blanks(text, month_end + 1, 1);
  std::size_t day_end = at;
  const int day = small_number(text, at, 31, day_end);
  day_end = skip_blanks(text, day_end, 1);
  if (day != 0 && (text.at(day_end) == U'日' || text.at(day_end) == U'号'))
    return {fmt::format("{}-{:02}-{:02}", prefix, month, day), day_end + 1};
  if (prefix.empty() && (text.at(month_end + 1) == U'期' || text.at(month_end + 1) == U'薪')) return {};
  return {fmt::format("{}-{:02}", prefix, month), month_end + 1};
}

/// 2024-03-31, 2024/3/31, 2024.03.31, 03/31/2024.
DateMatch numeric_date_at(const FoldedText& text, std::size_t i) {
  const std::size_t n = digit_run(text, i);
  if (n != 4 && n != 1 && n != 2) return {};
  const char32_t separator = text.at(i + n);
  if (separator != U'-' && separator != U'/' && separator != U'.') return {};
  const std::size_t second = i + n + 1, m = digit_run(text, second);
  if (m < 1 || m > 2 || text.at(second + m) != separator) return {};
  const std::size_t third = second + m + 1, k = digit_run(text, third);
  int year = 0, month = 0, day = 0;
  if (n == 4 && (k == 1 || k == 2)) {
    year = number_between(text, i, i + 4);
    month = number_between(text, second, second + m);
    day = number_between(text, third, third + k);
  } else if (n <= 2 && k == 4 && separator != U'.') {
    month = number_between(text, i, i + n);
    day = number_between(text, second, second + m);
    year = number_between(text, third, third + 4);
    if (month > 12) std::swap(month, day);
  }
  if (!is_year(year) || month < 1 || month > 12 || day < 1 || day > 31) return {};
  return {fmt::format("{}-{:02}-{:02}", year, month, day), third + k};
}

/// End of "2023" or "'23" behind an optional comma, "of" and blanks; year in `year`.
std::size_t english_year(const FoldedText& text, std::size_t i, int& year) {
  std::size_t at = i;
  if (text.at(at) == U',') ++at;
  at = skip_blanks(text, at);
  for (const auto word : {U"of fiscal year ", U"of fiscal ", U"of ", U"fiscal year ", U"fiscal ", U"fy "})
    if (std::u32string_view(text.folded).substr(at, std::u32string_view(word).size()) == word) {
      at += std::u32string_view(word).size();
      break;
    }
  if (word_at(text, at, U"fy")) at += 2;
  if (text.at(at) == U'f' && text.at(at + 1) == U'y') at += 2;
  if (digit_run(text, at) == 4) {
    year = number_between(text, at, at + 4);
    return is_year(year) && text.at(at + 4) != U'%' ? at + 4 : 0;
  }
  if (text.at(at) == U'\'' && digit_run(text, at + 1) == 2) {
    year = 2000 + number_between(text, at + 1, at + 3);
    return at + 3;
  }
  return 0;
}

DateMatch with_year(const FoldedText& text, std::size_t i, const std::string& part) {
  int year = 0;
  if (const std::size_t end = english_year(text, i, year); end != 0) return {std::to_string(year) + part, end};
  return {part, i};
}

/// "March 31, 2024", "March 2024", "March 31", "31 March 2024".
DateMatch english_date_at(const FoldedText& text, std::size_t i) {
  std::size_t at = i;
  int day = 0;
  if (const std::size_t n = digit_run(text, i); n == 1 || n == 2) {
    day = number_between(text, i, i + n);
    at = i + n;
    for (const auto suffix : {U"st", U"nd", U"rd", U"th"})
      if (word_at(text, at, suffix)) at += 2;
    at = skip_blanks(text, at);
    if (word_at(text, at, U"of ")) at += 3;
    if (at == i + n) return {};
  }
  const auto month = month_at(text, at);
  if (month.month == 0 || day > 31) return {};
  const std::string month_text = fmt::format("-{:02}", month.month);
  at += month.length;
  if (day != 0) return with_year(text, at, fmt::format("{}-{:02}", month_text, day));
  int year = 0;
  if (const std::size_t end = english_year(text, at, year); end != 0)
    return {std::to_string(year) + month_text, end};
  const std::size_t day_begin = skip_blanks(text, at);
  const std::size_t n = digit_run(text, day_begin);
  if ((n == 1 || n == 2) && number_between(text, day_begin, day_begin + n) <= 31) {
    at = day_begin + n;
    for (const auto suffix : {U"st", U"nd", U"rd", U"th"})
      if (word_at(text, at, suffix)) at += 2;
    return with_year(text, at, fmt::format("{}-{:02}", month_text, number_between(text, day_begin, day_begin + n)));
  }
  if (word_at(text, i, U"may") || word_at(text, i, U"march") || month.length <= 4) return {};  // words of their own
  return {month_text, at};
}

/// FY2015, "fiscal 2015", Q3 2023, 3Q23, H1 2023, "third quarter of 2023", "first half".
DateMatch english_period_at(const FoldedText& text, std::size_t i) {
  for (const auto word : {U"fiscal year ended", U"fiscal year", U"fiscal", U"fy"}) {
    const std::u32string_view name(word);
    if (std::u32string_view(text.folded).substr(i, name.size()) != name) continue;
    const std::size_t at = skip_blanks(text, i + name.size(), 1);
    if (digit_run(text, at) == 4 && is_year(number_between(text, at, at + 4)))
      return {std::to_string(number_between(text, at, at + 4)), at + 4};
    if (name == U"fy" && (digit_run(text, at) == 2)) return {fmt::format("20{:02}", number_between(text, at, at + 2)), at + 2};
  }
  const char32_t first = text.at(i), second = text.at(i + 1);
  if ((first == U'q' || first == U'h') && second >= U'1' && second <= (first == U'q' ? U'4' : U'2') &&
      !is_ascii_word(text.at(i + 2)))
    return with_year(text, i + 2, fmt::format("-{}{}", first == U'q' ? 'Q' : 'H', static_cast<char>(second)));
  if ((second == U'q' || second == U'h') && first >= U'1' && first <= (second == U'q' ? U'4' : U'2')) {
    const std::string part = fmt::format("-{}{}", second == U'q' ? 'Q' : 'H', static_cast<char>(first));
    if (digit_run(text, i + 2) == 2) return {fmt::format("20{:02}{}", number_between(text, i + 2, i + 4), part), i + 4};
    if (!is_ascii_letter(text.at(i + 2))) return with_year(text, i + 2, part);
  }
  constexpr std::u32string_view ordinals[] = {U"first", U"second", U"third", U"fourth"};
  for (int q = 0; q < 4; ++q) {
    if (!word_at(text, i, ordinals[q])) continue;
    const std::size_t at = skip_blanks(text, i + ordinals[q].size(), 1);
    for (const auto word : {U"fiscal quarter", U"quarter", U"half", U"calendar quarter"}) {
      const std::u32string_view name(word);
      if (!word_at(text, at, name) || (name == U"half" && q > 1)) continue;
      return with_year(text, at + name.size(), fmt::format("-{}{}", name == U"half" ? 'H' : 'Q', q + 1));
    }
  }
  return {};
}

/// A year of its own, or "2023Q3", "2023 Q3", "2013-14".
DateMatch year_match_at(const FoldedText& text, std::size_t i) {
  if (digit_run(text, i) != 4) return {};
  const int year = number_between(text, i, i + 4);
  if (!is_year(year)) return {};
  std::size_t at = skip_blanks(text, i + 4, 1);
  if (text.at(at) == U'-') ++at;
  const char32_t part = text.at(at), index = text.at(at + 1);
  if ((part == U'q' || part == U'h') && index >= U'1' && index <= U'4' && !is_ascii_word(text.at(at + 2)))
    return {fmt::format("{}-{}{}", year, part == U'q' ? 'Q' : 'H', static_cast<char>(index)), at + 2};
  // 2024-03 as a month
  if (text.at(i + 4) == U'-' && digit_run(text, i + 5) == 2 && text.at(i + 7) != U'-') {
    const int month = number_between(text, i + 5, i + 7);
    if (month >= 1 && month <= 12) return {fmt::format("{}-{:02}", year, month), i + 7};
  }
  const char32_t next = text.at(i + 4), after = text.at(i + 5);
  if (next == U'.' && is_ascii_digit(after)) return {};
  if (next == U',' && is_ascii_digit(after) && is_ascii_digit(text.at(i + 6))) return {};
  if (is_ascii_letter(next) && next != U's') return {};
  return {std::to_string(year), i + 4, true};
}

}  // namespace

DateMatch date_at(const FoldedText& text, std::size_t i) {
  if (i > 0 && (is_ascii_word(text.at(i - 1)) ||
                (text.at(i - 1) == U'.' && i > 1 && is_ascii_digit(text.at(i - 2)))))
    return {};
  for (const auto finder : {numeric_date_at, chinese_date_at, english_period_at, english_date_at, year_match_at})
    if (auto match = finder(text, i); match.end != 0) return match;
  return {};
}

DateMatch clock_at(const FoldedText& text, std::size_t i) {
  const std::size_t n = digit_run(text, i);
  if (n < 1 || n > 2 || (i > 0 && (is_ascii_word(text.at(i - 1)) || text.at(i - 1) == U':' || text.at(i - 1) == U'.'))) return {};
  int hour = number_between(text, i, i + n), minute = 0;
  std::size_t at = i + n;
  if (text.at(at) == U':' && digit_run(text, at + 1) == 2) {
    minute = number_between(text, at + 1, at + 3);
    at += 3;
  } else if (text.at(at) == U'时' || (text.at(at) == U'点' && !is_ascii_digit(text.at(at + 1)))) {
    ++at;
    if (const std::size_t m = digit_run(text, at); m >= 1 && m <= 2 && text.at(at + m) == U'分') {
      minute = number_between(text, at, at + m);
      at += m + 1;
    } else if (text.at(at) == U'整') {
      ++at;
    } else if (text.at(at) == U'半') {
      minute = 30;
      ++at;
    }
  } else {
    const std::size_t suffix = skip_blanks(text, at, 1);
    if (!word_at(text, suffix, U"am") && !word_at(text, suffix, U"pm") && !word_at(text, suffix, U"a.m") &&
        !word_at(text, suffix, U"p.m"))
      return {};
  }
  const std::size_t suffix = skip_blanks(text, at, 1);
  const bool pm = word_at(text, suffix, U"pm") || word_at(text, suffix, U"p.m");
  const bool am = word_at(text, suffix, U"am") || word_at(text, suffix, U"a.m");
  if (pm || am) at = suffix + (text.at(suffix + 1) == U'.' ? (text.at(suffix + 3) == U'.' ? 4 : 3) : 2);
  const bool afternoon = i >= 2 && (word_at(text, i - 2, U"下午") || word_at(text, i - 2, U"晚上"));
  if ((pm || afternoon) && hour < 12) hour += 12;
  if (hour > 24 || minute > 59) return {};
  return {fmt::format("{:02}:{:02}", hour, minute), at};
}

}  // namespace heng::guard
