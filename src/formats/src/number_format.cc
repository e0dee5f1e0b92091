#include "number_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <vector>

namespace heng::formats {
namespace {

// A format's section, taken apart: literals around one number, or the parts of a date.
struct Section {
  std::string prefix, suffix, date;
  int decimals = 0, optional_decimals = 0, integer_digits = 0, scale = 0, percent = 0;
  bool grouped = false, exponent = false, number = false, is_date = false, general = false;
};

std::vector<std::string_view> sections(std::string_view code) {
  std::vector<std::string_view> parts;
  std::size_t begin = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < code.size(); ++i) {
    if (code[i] == '\\') ++i;
    else if (code[i] == '"') quoted = !quoted;
    else if (code[i] == ';' && !quoted) {
      parts.push_back(code.substr(begin, i - begin));
      begin = i + 1;
    }
  }
  parts.push_back(code.substr(std::min(begin, code.size())));
  return parts;
}

bool starts_ci(std::string_view text, std::string_view word) {
  return text.size() >= word.size() && std::equal(word.begin(), word.end(), text.begin(), [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
  });
}

bool has_date_letters(std::string_view code) {
  bool quoted = false;
  for (std::size_t i = 0; i < code.size(); ++i) {
    if (code[i] == '\\' || code[i] == '_' || code[i] == '*') ++i;
    else if (code[i] == '"') quoted = !quoted;
    else if (quoted) continue;
    else if (code[i] == '[') {
      if (starts_ci(code.substr(i), "[h]") || starts_ci(code.substr(i), "[m]") || starts_ci(code.substr(i), "[s]")) return true;
      while (i < code.size() && code[i] != ']') ++i;
    } else if (std::string_view("yYdDhHsS").find(code[i]) != std::string_view::npos) return true;
    else if (code[i] == 'm' || code[i] == 'M') return true;
  }
  return false;
}

// "[$¥-804]" shows ¥; "[Red]" and conditions show nothing.
std::string bracket_text(std::string_view inside) {
  if (!inside.starts_with("$")) return "";
  inside.remove_prefix(1);
  return std::string(inside.substr(0, inside.find('-')));
}

void add_digit(Section& section, char c, bool& after_point) {
  section.number = true;
  if (after_point) {
    ++section.decimals;
    section.optional_decimals = c == '0' ? 0 : section.optional_decimals + 1;
  } else if (c == '0') {
    ++section.integer_digits;
  }
}

Section parse_section(std::string_view code) {
  Section section;
  section.is_date = has_date_letters(code);
  bool after_point = false;
  auto literal = [&](std::string_view text) { (section.is_date ? section.date : section.number || section.general ? section.suffix : section.prefix) += text; };
  for (std::size_t i = 0; i < code.size(); ++i) {
    char c = code[i];
    if (starts_ci(code.substr(i), "general") && !section.is_date) {
      section.general = true;
      i += 6;
    } else if (c == '"') {
      std::size_t end = std::min(code.find('"', i + 1), code.size());
      if (section.is_date) section.date += code.substr(i, end - i + 1);
      else literal(code.substr(i + 1, end - i - 1));
      i = end;
    } else if (c == '\\' && i + 1 < code.size()) {
      if (section.is_date) section.date += c;
      literal(code.substr(++i, 1));
    } else if (c == '_' || c == '*') {
      ++i;  // a gap as wide as the next character, or a fill
    } else if (c == '[') {
      std::size_t end = std::min(code.find(']', i), code.size());
      std::string_view inside = code.substr(i + 1, end - i - 1);
      bool elapsed = inside.size() <= 2 && section.is_date && (starts_ci(inside, "h") || starts_ci(inside, "m") || starts_ci(inside, "s"));
      if (elapsed) section.date += fmt::format("[{}]", inside);
      else literal(bracket_text(inside));
      i = end;
    } else if (section.is_date) {
      section.date += c;
    } else if (c == '0' || c == '#' || c == '?') {
      add_digit(section, c, after_point);
      section.scale = 0;
    } else if (c == '.') {
      after_point = section.number = true;
    } else if (c == ',' && section.number) {
      section.grouped = true;
      ++section.scale;  // commas behind the last digit divide by a thousand each
    } else if (c == '%') {
      ++section.percent;
      literal("%");
    } else if ((c == 'E' || c == 'e') && section.number) {
      section.exponent = true;
      while (i + 1 < code.size() && std::string_view("+-0#").find(code[i + 1]) != std::string_view::npos) ++i;
    } else if (c != '@') {
      literal(code.substr(i, 1));
    }
  }
  return section;
}

std::string general(double value) {
  if (std::fabs(value) < 1e15 && value == std::floor(value)) return fmt::format("{:.0f}", value);
  std::string text = fmt::format("{:.15g}", value);
  // binary noise such as 0.1 + 0.2 is not shown
  std::string shorter = fmt::format("{:.11g}", value);
  return std::fabs(std::strtod(shorter.c_str(), nullptr) - value) < std::fabs(value) * 1e-13 ? shorter : text;
}

std::string group_thousands(std::string digits) {
  std::size_t end = std::min(digits.find('.'), digits.size());
  for (std::size_t i = end; i > 3; i -= 3) digits.insert(i - 3, ",");
  return digits;
}

std::string number_text(double value, const Section& section) {
  if (section.general) return section.prefix + general(value) + section.suffix;
  if (!section.number) return section.prefix + section.suffix;
  if (section.exponent) return section.prefix + fmt::format("{:.{}E}", value, section.decimals) + section.suffix;
  for (int i = 0; i < section.percent; ++i) value *= 100;
  for (int i = 0; i < section.scale; ++i) value /= 1000;
  // away from zero at .5, as spreadsheets round
  double factor = std::pow(10.0, section.decimals);
  double rounded = std::floor(value * factor + 0.5 + 1e-9) / factor;
  if (std::fabs(value * factor) > 1e15) rounded = value;
  std::string text = fmt::format("{:.{}f}", rounded, section.decimals);
  for (int i = 0; i < section.optional_decimals && text.back() == '0' && text.find('.') != std::string::npos; ++i) text.pop_back();
  if (text.back() == '.') text.pop_back();
  std::size_t whole = std::min(text.find('.'), text.size());
  if (whole < static_cast<std::size_t>(section.integer_digits)) text.insert(0, static_cast<std::size_t>(section.integer_digits) - whole, '0');
  if (section.grouped && section.scale == 0) text = group_thousands(text);
  return section.prefix + text + section.suffix;
}

struct DateParts {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, weekday = 0;
  long long seconds = 0;  // since the epoch of the sheet
};

bool date_parts(double value, bool date_1904, DateParts& parts) {
  if (!(value >= 0) || value > 2'958'466) return false;  // 9999-12-31
  using namespace std::chrono;
  long long seconds = std::llround(value * 86400);
  parts.seconds = seconds;
  sys_days day = sys_days{1899y / December / 30} + days(seconds / 86400 + (date_1904 ? 1462 : 0));
  // spreadsheets believe that 1900 was a leap year
  if (!date_1904 && seconds / 86400 < 60) day += days(1);
  year_month_day date{day};
  parts.year = static_cast<int>(date.year());
  parts.month = static_cast<int>(static_cast<unsigned>(date.month()));
  parts.day = static_cast<int>(static_cast<unsigned>(date.day()));
  parts.weekday = static_cast<int>(weekday{day}.c_encoding());
  parts.hour = static_cast<int>(seconds % 86400 / 3600);
  parts.minute = static_cast<int>(seconds % 3600 / 60);
  parts.second = static_cast<int>(seconds % 60);
  return true;
}

std::string date_run(char letter, std::size_t length, bool minutes, bool twelve_hours, const DateParts& date) {
  constexpr std::array months = {"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"};
  constexpr std::array weekdays = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
  auto padded = [&](int value) { return length >= 2 ? fmt::format("{:02}", value) : std::to_string(value); };
  int hour = twelve_hours ? (date.hour + 11) % 12 + 1 : date.hour;
  switch (letter) {
    case 'y': return length <= 2 ? fmt::format("{:02}", date.year % 100) : std::to_string(date.year);
    case 'd':
      if (length >= 3) return std::string(weekdays[static_cast<std::size_t>(date.weekday)]).substr(0, length == 3 ? 3 : 20);
      return padded(date.day);
    case 'h': return padded(hour);
    case 's': return padded(date.second);
    default:
      if (minutes) return padded(date.minute);
      if (length >= 3) return std::string(months[static_cast<std::size_t>(date.month - 1)]).substr(0, length == 3 ? 3 : 20);
      return padded(date.month);
  }
}

std::string date_text(const std::string& code, const DateParts& date) {
  std::string low = code;
  for (char& c : low) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  bool twelve = low.find("am/pm") != std::string::npos || low.find("a/p") != std::string::npos;
  std::string out;
  char last = 0;
  for (std::size_t i = 0; i < low.size(); ++i) {
    char c = low[i];
    if (c == '"') {
      std::size_t end = std::min(code.find('"', i + 1), code.size());
      out += code.substr(i + 1, end - i - 1);
      i = end;
    } else if (c == '\\' && i + 1 < code.size()) {
      out += code[++i];
    } else if (low.compare(i, 5, "am/pm") == 0) {
      out += date.hour < 12 ? "AM" : "PM";
      i += 4;
    } else if (c == '[') {
      std::size_t end = std::min(low.find(']', i), low.size());
      char unit = i + 1 < low.size() ? low[i + 1] : 'h';
      out += std::to_string(unit == 'h' ? date.seconds / 3600 : unit == 'm' ? date.seconds / 60 : date.seconds);
      last = unit;
      i = end;
    } else if (std::string_view("ymdhs").find(c) != std::string_view::npos) {
      std::size_t end = i;
      while (end < low.size() && low[end] == c) ++end;
      std::size_t next = low.find_first_of("ymdhs", end);
      bool minutes = c == 'm' && (last == 'h' || (next != std::string::npos && low[next] == 's'));
      out += date_run(c, end - i, minutes, twelve, date);
      last = c;
      i = end - 1;
    } else {
      out += code[i];
    }
  }
  return out;
}

}  // namespace

std::string_view built_in_format(int id) {
  switch (id) {
    case 1: return "0";
    case 2: return "0.00";
    case 3: return "#,##0";
    case 4: return "#,##0.00";
    case 9: return "0%";
    case 10: return "0.00%";
    case 11: return "0.00E+00";
    case 14: return "yyyy-mm-dd";
    case 15: return "d-mmm-yy";
    case 16: return "d-mmm";
    case 17: return "mmm-yy";
    case 18: return "h:mm AM/PM";
    case 19: return "h:mm:ss AM/PM";
    case 20: return "h:mm";
    case 21: return "h:mm:ss";
    case 22: return "yyyy-mm-dd h:mm";
    case 37: case 38: return "#,##0;(#,##0)";
    case 39: case 40: return "#,##0.00;(#,##0.00)";
    case 41: case 42: return "#,##0;(#,##0);-";
    case 43: case 44: return "#,##0.00;(#,##0.00);-";
    case 45: return "mm:ss";
    case 46: return "[h]:mm:ss";
    case 47: return "mm:ss";
    case 48: return "##0.0E+0";
    // East Asian dates
    case 27: case 31: case 36: case 50: case 57: return "yyyy\"年\"m\"月\"d\"日\"";
    case 28: case 29: case 51: case 54: case 58: return "m\"月\"d\"日\"";
    case 30: return "yyyy-mm-dd";
    default: return "General";
  }
}

std::string format_number(double value, std::string_view code, bool date_1904) {
  if (!std::isfinite(value)) return "";
  std::vector<std::string_view> parts = sections(code);
  bool negative_section = value < 0 && parts.size() > 1;
  bool zero_section = value == 0 && parts.size() > 2;
  Section section = parse_section(parts[negative_section ? 1 : zero_section ? 2 : 0]);
  if (section.is_date) {
    DateParts date;
    if (date_parts(value, date_1904, date)) return date_text(section.date, date);
    return general(value);
  }
  // fractions ("# ?/?") are shown as decimals
  if (code.empty() || (section.number && section.suffix.find('/') != std::string::npos)) return general(value);
  if (!section.number && !section.general && parts.size() < 3) return general(value);
  std::string text = number_text(negative_section ? -value : std::fabs(value), section);
  return value < 0 && !negative_section ? "-" + text : text;
}

}  // namespace heng::formats
