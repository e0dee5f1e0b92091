// Dates and periods, in Chinese and English.
#include <fmt/format.h>

#include <optional>

#include "scan.h"

namespace heng::insight_entities {
namespace {

using View = std::u32string_view;

struct Figure {
  int value = 0;
  std::size_t end = 0;
};

std::optional<Figure> figure(View text, std::size_t at, std::size_t most_digits) {
  std::size_t i = at;
  int value = 0;
  while (i < text.size() && i - at < most_digits && digit(text[i])) value = value * 10 + static_cast<int>(text[i++] - U'0');
  if (i == at || (i < text.size() && digit(text[i]))) return std::nullopt;
  return Figure{value, i};
}

bool is_year(int y) { return y >= 1900 && y <= 2100; }
bool is_month(int m) { return m >= 1 && m <= 12; }
bool is_day(int d) { return d >= 1 && d <= 31; }

void add(std::size_t begin, std::size_t end, std::string value, std::vector<Candidate>& out) {
  Candidate found;
  found.entity.type = "date";
  found.entity.begin = begin;
  found.entity.end = end;
  found.entity.value = std::move(value);
  found.rank = 4;
  out.push_back(std::move(found));
}

struct Period {
  View text;
  const char* name;
};
constexpr Period periods[] = {{U"第一季度", "Q1"}, {U"第二季度", "Q2"}, {U"第三季度", "Q3"}, {U"第四季度", "Q4"}, {U"一季度", "Q1"}, {U"二季度", "Q2"}, {U"三季度", "Q3"}, {U"四季度", "Q4"},
                              {U"前三季度", "Q1-Q3"}, {U"上半年", "H1"}, {U"下半年", "H2"}, {U"中期", "H1"}, {U"年度", ""}, {U"年末", "12-31"}, {U"年底", "12-31"}, {U"全年", ""}};
constexpr Period relative[] = {{U"今年", "this year"}, {U"去年", "last year"}, {U"明年", "next year"}, {U"本月", "this month"}, {U"上月", "last month"}, {U"上个月", "last month"},
                               {U"今日", "today"}, {U"昨日", "yesterday"}, {U"明日", "tomorrow"}, {U"今天", "today"}, {U"昨天", "yesterday"}, {U"明天", "tomorrow"}, {U"昨晚", "yesterday"},
                               {U"本周", "this week"}, {U"上周", "last week"}, {U"近日", "recently"}};
constexpr Period months[] = {{U"january", "1"}, {U"february", "2"}, {U"march", "3"}, {U"april", "4"}, {U"may", "5"}, {U"june", "6"}, {U"july", "7"}, {U"august", "8"}, {U"september", "9"},
                             {U"october", "10"}, {U"november", "11"}, {U"december", "12"}, {U"jan", "1"}, {U"feb", "2"}, {U"mar", "3"}, {U"apr", "4"}, {U"jun", "6"}, {U"jul", "7"}, {U"aug", "8"},
                             {U"sept", "9"}, {U"sep", "9"}, {U"oct", "10"}, {U"nov", "11"}, {U"dec", "12"}};

template <std::size_t n>
const Period* at_period(const Period (&list)[n], View text, std::size_t at) {
  for (const Period& period : list) {
    const std::size_t end = at + period.text.size();
    if (at_word(text, at, period.text) && !(latin(period.text.back()) && end < text.size() && latin(text[end]))) return &period;
  }
  return nullptr;
}

/// 2019年11月20日, 2019年上半年, 11月20日, 2019-11-20, 2019/11/20. Returns the end, or `at`.
std::size_t chinese_or_plain(View text, std::size_t at, std::vector<Candidate>& out) {
  const auto first = figure(text, at, 4);
  if (!first) return at;
  std::size_t end = first->end;
  const bool four = end - at == 4;
  if (end >= text.size()) return at;
  if (text[end] == U'年' && (four ? is_year(first->value) : first->end - at == 2)) {
    const int year = four ? first->value : 2000 + first->value;
    ++end;
    const auto month = figure(text, end, 2);
    if (month && month->end < text.size() && text[month->end] == U'月' && is_month(month->value)) {
      end = month->end + 1;
      const auto day = figure(text, end, 2);
      if (day && day->end < text.size() && (text[day->end] == U'日' || text[day->end] == U'号') && is_day(day->value)) {
        add(at, day->end + 1, fmt::format("{:04}-{:02}-{:02}", year, month->value, day->value), out);
        return day->end + 1;
      }
      add(at, end, fmt::format("{:04}-{:02}", year, month->value), out);
      return end;
    }
    if (const Period* period = at_period(periods, text, end)) {
      end += period->text.size();
      add(at, end, *period->name ? fmt::format("{:04}-{}", year, period->name) : fmt::format("{:04}", year), out);
      return end;
    }
    if (!four) return at;  // 10年 is a span of time, not a date
    if (at_word(text, end, U"度")) ++end;
    add(at, end, fmt::format("{:04}", year), out);
    return end;
  }
  if (text[end] == U'月' && end - at <= 2 && is_month(first->value)) {
    const auto day = figure(text, end + 1, 2);
    if (day && day->end < text.size() && (text[day->end] == U'日' || text[day->end] == U'号') && is_day(day->value)) {
      add(at, day->end + 1, fmt::format("--{:02}-{:02}", first->value, day->value), out);
      return day->end + 1;
    }
    return at;
  }
  if (four && is_year(first->value) && (text[end] == U'-' || text[end] == U'/' || text[end] == U'.')) {
    const char32_t separator = text[end];
    const auto month = figure(text, end + 1, 2);
    if (!month || !is_month(month->value) || month->end >= text.size() || text[month->end] != separator) return at;
    const auto day = figure(text, month->end + 1, 2);
    if (!day || !is_day(day->value)) return at;
    add(at, day->end, fmt::format("{:04}-{:02}-{:02}", first->value, month->value, day->value), out);
    return day->end;
  }
  return at;
}

/// November 20, 2019 · Nov 2019 · 20 November 2019.
std::size_t english(View text, std::size_t at, std::vector<Candidate>& out) {
  std::size_t i = at;
  std::optional<Figure> day;
  if (digit(text[i])) {
    day = figure(text, i, 2);
    if (!day || !is_day(day->value) || day->end >= text.size() || text[day->end] != U' ') return at;
    i = day->end + 1;
  }
  const Period* month = at_period(months, text, i);
  if (!month) return at;
  i += month->text.size();
  const int number = std::stoi(month->name);
  if (i < text.size() && text[i] == U'.') ++i;
  if (i >= text.size() || text[i] != U' ') {
    if (!day) return at;
    add(at, i, fmt::format("--{:02}-{:02}", number, day->value), out);
    return i;
  }
  auto next = figure(text, i + 1, 4);
  if (!day && next && next->end - i - 1 <= 2 && is_day(next->value)) {
    day = next;
    i = next->end;
    if (i + 1 < text.size() && text[i] == U',' && text[i + 1] == U' ') next = figure(text, i + 2, 4);
    else if (i < text.size() && text[i] == U' ') next = figure(text, i + 1, 4);
    else next.reset();
  }
  const bool year = next && is_year(next->value);
  if (!year && !day) return at;
  if (year) i = next->end;
  else if (digit(text[at])) i = at + month->text.size() + 1 + (day->end - at);
  if (year && day) add(at, i, fmt::format("{:04}-{:02}-{:02}", next->value, number, day->value), out);
  else if (year) add(at, i, fmt::format("{:04}-{:02}", next->value, number), out);
  else add(at, i, fmt::format("--{:02}-{:02}", number, day->value), out);
  return i;
}

/// Q3 2024, FY2023, H1 2024.
std::size_t quarter(View text, std::size_t at, std::vector<Candidate>& out) {
  const bool fiscal = at_word(text, at, U"fy");
  if (!fiscal && !((text[at] == U'q' || text[at] == U'h') && at + 1 < text.size() && text[at + 1] >= U'1' && text[at + 1] <= (text[at] == U'q' ? U'4' : U'2'))) return at;
  std::size_t i = at + 2;
  if (i < text.size() && text[i] == U' ') ++i;
  const auto year = figure(text, i, 4);
  if (!year || !is_year(year->value)) return at;
  if (fiscal) add(at, year->end, fmt::format("FY{:04}", year->value), out);
  else add(at, year->end, fmt::format("{:04}-{}{}", year->value, text[at] == U'q' ? 'Q' : 'H', static_cast<char>(text[at + 1])), out);
  return year->end;
}

}  // namespace

void find_dates(View text, std::vector<Candidate>& out) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char32_t before = i ? text[i - 1] : U' ';
    std::size_t end = i;
    const bool inside_number = (before == U'.' || before == U',') && i > 1 && digit(text[i - 2]);  // 1,234
    if (digit(text[i]) && !digit(before) && !latin(before) && !inside_number) {
      end = chinese_or_plain(text, i, out);
      if (end == i) end = english(text, i, out);
    } else if (latin(text[i]) && !latin(before) && !digit(before)) {
      end = quarter(text, i, out);
      if (end == i) end = english(text, i, out);
    } else if (const Period* word = at_period(relative, text, i)) {
      end = i + word->text.size();
      std::string value = word->name;
      if (const Period* period = word->text.back() == U'年' ? at_period(periods, text, end) : nullptr) {
        end += period->text.size();
        value += std::string(" ") + period->name;
      }
      add(i, end, value, out);
    }
    if (end > i) i = end - 1;
  }
}

}  // namespace heng::insight_entities
