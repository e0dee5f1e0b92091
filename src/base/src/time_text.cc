#include "heng/base/time_text.h"

#include <charconv>
#include <string>

#include "heng/base/text.h"

namespace heng {
namespace {

bool read_digits(std::string_view s, std::size_t& at, int count, int& out) {
  if (at + static_cast<std::size_t>(count) > s.size()) return false;
  out = 0;
  for (int i = 0; i < count; ++i) {
    const char c = s[at++];
    if (c < '0' || c > '9') return false;
    out = out * 10 + (c - '0');
  }
  return true;
}

/// Days since 1970-01-01 of a date of the Gregorian calendar (Hinnant, "chrono-compatible low-level date algorithms").
std::int64_t days_of(int year, int month, int day) {
  const std::int64_t y = year - (month <= 2 ? 1 : 0);
  const std::int64_t era = (y >= 0 ? y : y - 399) / 400;
  const std::int64_t yoe = y - era * 400;
  const std::int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

}  // namespace

Result<std::int64_t> parse_time(std::string_view given, int utc_offset_minutes) {
  const std::string_view s = text::trim(given);
  const Error wrong(ErrorCode::malformed_input, "\"" + std::string(s.substr(0, 40)) + "\" is not a time such as 2026-11-24T08:30:00Z");
  if (!s.empty() && s.size() <= 16 && s.find_first_not_of("0123456789") == std::string_view::npos && s.size() != 8) {
    std::int64_t value = 0;
    std::from_chars(s.data(), s.data() + s.size(), value);
    return value >= 10'000'000'000 ? value : value * 1000;
  }
  std::size_t at = 0;
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, millisecond = 0;
  if (!read_digits(s, at, 4, year)) return wrong;
  const char separator = at < s.size() ? s[at] : '\0';
  const bool separated = separator == '-' || separator == '/' || separator == '.';
  if (separated) ++at;
  if (!read_digits(s, at, 2, month)) return wrong;
  if (separated && (at >= s.size() || s[at++] != separator)) return wrong;
  if (!read_digits(s, at, 2, day)) return wrong;
  constexpr int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  if (month < 1 || month > 12 || day < 1 || day > lengths[month - 1] + (month == 2 && leap ? 1 : 0)) return wrong;
  int offset = utc_offset_minutes;
  if (at < s.size() && (s[at] == 'T' || s[at] == ' ' || s[at] == 't')) {
    ++at;
    if (!read_digits(s, at, 2, hour) || at >= s.size() || s[at++] != ':' || !read_digits(s, at, 2, minute)) return wrong;
    if (at < s.size() && s[at] == ':' && !read_digits(s, ++at, 2, second)) return wrong;
    if (at < s.size() && (s[at] == '.' || s[at] == ',')) {
      int scale = 100;
      for (++at; at < s.size() && s[at] >= '0' && s[at] <= '9'; ++at, scale /= 10) millisecond += (s[at] - '0') * scale;
    }
  }
  while (at < s.size() && s[at] == ' ') ++at;
  if (at < s.size() && (s[at] == 'Z' || s[at] == 'z')) {
    ++at;
    offset = 0;
  } else if (at < s.size() && (s[at] == '+' || s[at] == '-')) {
    const int sign = s[at++] == '-' ? -1 : 1;
    int hours = 0, minutes = 0;
    if (!read_digits(s, at, 2, hours)) return wrong;
    if (at < s.size() && s[at] == ':') ++at;
    if (at < s.size() && !read_digits(s, at, 2, minutes)) return wrong;
    offset = sign * (hours * 60 + minutes);
  }
  if (at != s.size() || hour > 24 || minute > 59 || second > 60) return wrong;
  return ((days_of(year, month, day) * 24 + hour) * 60 + minute - offset) * 60'000 + second * 1000 + millisecond;
}

}  // namespace heng
