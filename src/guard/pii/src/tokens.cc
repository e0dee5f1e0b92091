// Identifiers of letters and digits, mail addresses, number plates.
#include <algorithm>
#include <string>

#include "heng/guard_pii/validators.h"
#include "scan.h"

namespace heng::guard_pii {
namespace {

std::string upper_of(std::string_view s) {
  std::string out(s);
  for (char& c : out) c = upper(c);
  return out;
}
std::size_t count_digits(std::string_view s) { return static_cast<std::size_t>(std::count_if(s.begin(), s.end(), is_digit)); }

/// Passport forms: PRC E12345678, EA1234567, G/D/S/P + 8 digits; Hong Kong K12345678; others one or two letters + 6…8 digits.
bool passport_form(std::string_view s) {
  std::size_t letters = 0;
  while (letters < s.size() && is_letter(s[letters])) ++letters;
  return letters >= 1 && letters <= 2 && s.size() - letters >= 6 && s.size() - letters <= 8 && count_digits(s) == s.size() - letters;
}

void judge_token(Scan& scan, std::size_t begin, std::size_t end) {
  const std::string s = upper_of(scan.text.substr(begin, end - begin));
  const std::size_t digits = count_digits(s);
  const auto named = [&](std::uint32_t topics, int before = 40) { return scan.around.speaks_for(topics, begin, end, before); };
  const auto denied = [&](std::uint32_t topics) { return scan.around.speaks_against(topics, begin, end); };
  if (s.size() == 18 && digits < 18 && uscc(s) && !denied(t_uscc)) return scan.add(begin, end, Type::uscc, 95, "token");
  if (s.size() >= 15 && iban(s)) return scan.add(begin, end, Type::iban, 97, "token");
  if (s.size() == 20 && digits >= 4 && digits < 20 && lei(s) && !denied(t_lei)) return scan.add(begin, end, Type::lei, 90, "token");
  if (s.size() == 12 && isin(s)) return scan.add(begin, end, Type::isin, 92, "token");
  if (s.size() == 9 && cusip(s) && named(t_cusip)) return scan.add(begin, end, Type::cusip, 94, "token");
  if (passport_form(s)) {
    if (named(t_passport)) return scan.add(begin, end, Type::passport, 90, "token");
    if (s.size() == 9 && s[0] == 'E' && !denied(t_passport) && named(t_id | t_permit)) return scan.add(begin, end, Type::passport, 75, "token");
    if ((s[0] == 'H' || s[0] == 'M' || s[0] == 'C') && s.size() >= 9 && named(t_permit)) return scan.add(begin, end, Type::travel_permit, 85, "token");
  }
  if (tw_id(s) && (named(t_id) || !denied(t_id))) return scan.add(begin, end, Type::tw_id, named(t_id) ? 92 : 72, "token");
  if (hk_id(s) && named(t_hkid)) return scan.add(begin, end, Type::hk_id, 90, "token");
  if (s.size() >= 6 && s.size() <= 15 && digits >= 3 && is_alnum(s[0]) && named(t_driver, 24)) return scan.add(begin, end, Type::us_driver_license, 72, "token");
}

/// A123456(7): the check digit in brackets makes it sure enough without a word beside it.
void judge_hk_id(Scan& scan, std::size_t begin, std::size_t end) {
  if (scan.at(end) != '(' || scan.at(end + 2) != ')') return;
  if (hk_id(upper_of(scan.text.substr(begin, end - begin)) + upper(scan.at(end + 1)))) scan.add(begin, end + 3, Type::hk_id, 88, "token");
}

bool is_mail_character(char c) { return is_alnum(c) || c == '.' || c == '_' || c == '%' || c == '+' || c == '-'; }

}  // namespace

std::size_t scan_token(Scan& scan, std::size_t i) {
  std::size_t begin = i, end = i;
  while (begin > 0 && is_alnum(scan.text[begin - 1])) --begin;
  while (end < scan.text.size() && is_alnum(scan.text[end])) ++end;
  if ((end < scan.text.size() && scan.text[end] == ':') || (begin > 0 && scan.text[begin - 1] == ':')) scan_ipv6(scan, i);
  const std::size_t size = end - begin;
  const bool plain = count_digits(scan.text.substr(begin, std::min<std::size_t>(size, 64))) == size;
  if (plain || size < 5 || size > 34) return end;
  judge_token(scan, begin, end);
  judge_hk_id(scan, begin, end);
  // "ID110105…", "TEL138…": the letters may be a label
  std::size_t label = begin;
  while (label < end && is_letter(scan.text[label])) ++label;
  if (label > begin && end - label >= 8 && scan.around.ends_at(~static_cast<std::uint32_t>(t_not_personal), label)) judge_token(scan, label, end);
  return end;
}

void scan_spaced(Scan& scan, std::size_t begin) {
  const std::string_view text = scan.text;
  // letters set apart before the first digit belong to it: "A T 4 5"
  for (int letters = 0; letters < 2; ++letters) {
    std::size_t back = begin;
    while (back > 0 && begin - back < 2 && (text[back - 1] == ' ' || text[back - 1] == '-' || text[back - 1] == '.' || text[back - 1] == '\n')) --back;
    const bool apart = back < begin && back > 0 && is_letter(text[back - 1]) && (back < 2 || !is_alnum(text[back - 2]));
    if (!apart) break;  // the end of a word before ("IBAN GB82 …") is no part of it
    begin = back - 1;
  }
  if (begin > 0 && is_alnum(text[begin - 1])) return;
  std::string s;
  std::size_t i = begin, length = 0;
  bool letter = false, odd = false;  // odd: broken up, or with Chinese numerals
  while (i < text.size() && s.size() < 34) {
    std::size_t bytes = 1;
    const int value = digit_at(text, i, bytes);
    if (value >= 0 || is_letter(text[i])) {
      letter = letter || value < 0;
      odd = odd || bytes == 3;
      s += value >= 0 ? static_cast<char>('0' + value) : upper(text[i]);
      i += bytes;
      if (s.size() == 2 && is_letter(s[0]) && is_letter(s[1])) length = iban_length(s);
      const bool goes_on = i < text.size() && (is_alnum(text[i]) || digit_at(text, i, bytes) >= 0);
      if (!odd || goes_on) continue;
      if (length > 0 && s.size() == length && iban(s)) return scan.add(begin, i, Type::iban, 97, "spaced");
      if (s.size() == 18 && letter && uscc(s)) return scan.add(begin, i, Type::uscc, 93, "spaced");
      if (s.size() == 20 && letter && count_digits(s) >= 6 && lei(s) && scan.around.speaks_for(t_lei, begin, i)) return scan.add(begin, i, Type::lei, 90, "spaced");
      if (s.size() == 12 && is_letter(s[0]) && isin(s) && scan.around.speaks_for(t_isin, begin, i)) return scan.add(begin, i, Type::isin, 90, "spaced");
      continue;
    }
    std::size_t skip = 0;
    while (skip < 2 && i + skip < text.size() && std::string_view(" -\n._").find(text[i + skip]) != std::string_view::npos) ++skip;
    if (skip == 0 || i + skip >= text.size() || !(is_alnum(text[i + skip]) || digit_at(text, i + skip, bytes) >= 0)) return;
    odd = true;
    i += skip;
  }
}

void scan_mail(Scan& scan, std::size_t at_sign) {
  std::size_t begin = at_sign, end = at_sign + 1;
  while (begin > 0 && at_sign - begin < 64 && is_mail_character(scan.text[begin - 1])) --begin;
  while (begin < at_sign && !is_alnum(scan.text[begin])) ++begin;
  while (end < scan.text.size() && end - at_sign < 255 && (is_alnum(scan.text[end]) || scan.text[end] == '.' || scan.text[end] == '-')) ++end;
  while (end > at_sign + 1 && !is_alnum(scan.text[end - 1])) --end;
  const std::string_view domain = scan.text.substr(at_sign + 1, end - at_sign - 1);
  const auto dot = domain.rfind('.');
  if (begin == at_sign || dot == std::string_view::npos || dot == 0 || domain.size() - dot < 3) return;
  if (!std::all_of(domain.begin() + static_cast<std::ptrdiff_t>(dot) + 1, domain.end(), is_letter)) return;
  scan.add(begin, end, Type::email_address, 95, "mail");
}

/// IPv6 (RFC 4291): groups of up to four hex digits between colons, "::" once.
void scan_ipv6(Scan& scan, std::size_t i) {
  const auto part = [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':'; };
  std::size_t begin = i, end = i;
  while (begin > 0 && part(scan.text[begin - 1]) && i - begin < 40) --begin;
  while (end < scan.text.size() && part(scan.text[end]) && end - begin < 46) ++end;
  while (end > begin && scan.text[end - 1] == ':') --end;
  const std::string_view s = scan.text.substr(begin, end - begin);
  std::size_t colons = 0, run = 0, doubles = 0;
  for (std::size_t k = 0; k < s.size(); ++k) {
    if (s[k] == ':') ++colons, doubles += k + 1 < s.size() && s[k + 1] == ':', run = 0;
    else if (++run > 4) return;
  }
  if ((colons == 7 && doubles == 0) || (doubles == 1 && colons >= 3 && colons <= 7)) scan.add(begin, end, Type::ip_address, 88, "token");
}

void scan_plate(Scan& scan, std::size_t i) {
  std::size_t k = i + 3;
  if (!is_letter(scan.at(k)) || upper(scan.at(k)) == 'I') return;
  ++k;
  if (scan.at(k) == '.' || scan.at(k) == ' ' || scan.at(k) == '-') ++k;
  const std::size_t first = k;
  while (is_alnum(scan.at(k)) && k < first + 7) ++k;
  const std::size_t size = k - first;
  const std::size_t digits = count_digits(scan.text.substr(first, size));
  const bool tail = size == 4 && (scan.text.substr(k).starts_with("学") || scan.text.substr(k).starts_with("警") || scan.text.substr(k).starts_with("挂"));
  if (digits >= 2 && (size == 5 || size == 6 || tail)) scan.add(i, tail ? k + 3 : k, Type::plate_number, 88, "plate");
}

}  // namespace heng::guard_pii
