#include "heng/guard_pii/validators.h"

#include <algorithm>
#include <array>

namespace heng::guard_pii {
namespace {

int digit(char c) { return c - '0'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool all_digits(std::string_view s) { return !s.empty() && std::all_of(s.begin(), s.end(), is_digit); }
bool all_alnum(std::string_view s) { return std::all_of(s.begin(), s.end(), [](char c) { return is_digit(c) || is_upper(c); }); }
int number(std::string_view s) {
  int out = 0;
  for (const char c : s) out = out * 10 + digit(c);
  return out;
}
/// Remainder by 97 of the number in which letters stand for 10…35.
int modulus_97(std::string_view s) {
  int out = 0;
  for (const char c : s) out = is_digit(c) ? (out * 10 + digit(c)) % 97 : (out * 100 + (c - 'A' + 10)) % 97;
  return out;
}

constexpr std::string_view countries =
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BM BN BO BR BS BT BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO "
    "CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG ER ES ET FI FJ FM FO FR GA GB GD GE GG GH GI GL GM GN GQ GR GT GU GW GY HK HN HR HT HU ID "
    "IE IL IM IN IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MG MH MK ML MM MN MO MR MT "
    "MU MV MW MX MY MZ NA NE NG NI NL NO NP NR NZ OM PA PE PG PH PK PL PM PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SI SK SL SM SN SO "
    "SR SS ST SV SY SZ TC TD TG TH TJ TL TM TN TO TR TT TV TW TZ UA UG US UY UZ VA VC VE VG VI VN VU WS XS YE ZA ZM ZW EU";

bool is_country(std::string_view two) {
  for (std::size_t i = 0; i + 1 < countries.size(); i += 3)
    if (countries.substr(i, 2) == two) return true;
  return false;
}

struct IbanCountry {
  std::string_view country;
  std::size_t length;
};
// SWIFT IBAN registry.
constexpr IbanCountry iban_countries[] = {
    {"AD", 24}, {"AE", 23}, {"AL", 28}, {"AT", 20}, {"AZ", 28}, {"BA", 20}, {"BE", 16}, {"BG", 22}, {"BH", 22}, {"BR", 29}, {"BY", 28}, {"CH", 21},
    {"CR", 22}, {"CY", 28}, {"CZ", 24}, {"DE", 22}, {"DK", 18}, {"DO", 28}, {"EE", 20}, {"EG", 29}, {"ES", 24}, {"FI", 18}, {"FO", 18}, {"FR", 27},
    {"GB", 22}, {"GE", 22}, {"GI", 23}, {"GL", 18}, {"GR", 27}, {"GT", 28}, {"HR", 21}, {"HU", 28}, {"IE", 22}, {"IL", 23}, {"IQ", 23}, {"IS", 26},
    {"IT", 27}, {"JO", 30}, {"KW", 30}, {"KZ", 20}, {"LB", 28}, {"LC", 32}, {"LI", 21}, {"LT", 20}, {"LU", 20}, {"LV", 21}, {"LY", 25}, {"MC", 27},
    {"MD", 24}, {"ME", 22}, {"MK", 19}, {"MR", 27}, {"MT", 31}, {"MU", 30}, {"NL", 18}, {"NO", 15}, {"PK", 24}, {"PL", 28}, {"PS", 29}, {"PT", 25},
    {"QA", 29}, {"RO", 24}, {"RS", 22}, {"SA", 24}, {"SC", 31}, {"SE", 24}, {"SI", 19}, {"SK", 24}, {"SM", 27}, {"ST", 25}, {"SV", 28}, {"TL", 23},
    {"TN", 24}, {"TR", 26}, {"UA", 29}, {"VA", 22}, {"VG", 24}, {"XK", 20}};

}  // namespace

bool luhn(std::string_view digits) {
  if (!all_digits(digits)) return false;
  int sum = 0;
  bool twice = false;
  for (std::size_t i = digits.size(); i-- > 0; twice = !twice) {
    int d = digit(digits[i]);
    if (twice && (d *= 2) > 9) d -= 9;
    sum += d;
  }
  return sum % 10 == 0;
}

bool is_date(int year, int month, int day) {
  if (year < 1900 || year > 2099 || month < 1 || month > 12 || day < 1) return false;
  constexpr std::array<int, 12> days = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return day <= days[static_cast<std::size_t>(month - 1)] + (leap && month == 2);
}

bool is_region(std::string_view s) {
  constexpr std::string_view all = "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82 83 ";
  for (std::size_t i = 0; i + 1 < all.size(); i += 3)
    if (all.substr(i, 2) == s) return true;
  return false;
}

bool id_card_18(std::string_view s) {
  if (s.size() != 18 || !all_digits(s.substr(0, 17)) || !(is_digit(s[17]) || s[17] == 'X')) return false;
  // 9 begins the permanent residence card of foreigners, whose region follows
  if (!is_region(s.substr(0, 2)) && !(s[0] == '9' && is_region(s.substr(1, 2)))) return false;
  if (!is_date(number(s.substr(6, 4)), number(s.substr(10, 2)), number(s.substr(12, 2))) || number(s.substr(6, 4)) > 2035) return false;
  constexpr int weights[] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
  int sum = 0;
  for (std::size_t i = 0; i < 17; ++i) sum += digit(s[i]) * weights[i];
  return "10X98765432"[sum % 11] == s[17];
}

bool id_card_15(std::string_view s) {
  return s.size() == 15 && all_digits(s) && is_region(s.substr(0, 2)) && is_date(1900 + number(s.substr(6, 2)), number(s.substr(8, 2)), number(s.substr(10, 2)));
}

bool uscc(std::string_view s) {
  constexpr std::string_view alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY";
  if (s.size() != 18 || !all_digits(s.substr(2, 6)) || !is_region(s.substr(2, 2))) return false;
  if (std::string_view("123456789AGNY").find(s[0]) == std::string_view::npos) return false;
  int sum = 0, weight = 1;
  for (std::size_t i = 0; i < 17; ++i) {
    const auto value = alphabet.find(s[i]);
    if (value == std::string_view::npos) return false;
    sum += static_cast<int>(value) * weight;
    weight = weight * 3 % 31;
  }
  return alphabet[static_cast<std::size_t>((31 - sum % 31) % 31)] == s[17];
}

std::size_t iban_length(std::string_view country) {
  for (const auto& entry : iban_countries)
    if (entry.country == country) return entry.length;
  return 0;
}

bool iban(std::string_view s) {
  if (s.size() < 15 || s.size() != iban_length(s.substr(0, 2)) || !all_alnum(s) || !all_digits(s.substr(2, 2))) return false;
  return modulus_97(std::string(s.substr(4)) + std::string(s.substr(0, 4))) == 1;
}

bool lei(std::string_view s) { return s.size() == 20 && all_alnum(s) && all_digits(s.substr(18)) && modulus_97(s) == 1; }

bool isin(std::string_view s) {
  if (s.size() != 12 || !all_alnum(s) || !is_country(s.substr(0, 2)) || !is_digit(s[11])) return false;
  std::string digits;
  for (const char c : s) digits += is_digit(c) ? std::string(1, c) : std::to_string(c - 'A' + 10);
  return luhn(digits);
}

bool cusip(std::string_view s) {
  if (s.size() != 9 || !all_alnum(s) || !is_digit(s[8])) return false;
  int sum = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    int v = is_digit(s[i]) ? digit(s[i]) : s[i] - 'A' + 10;
    if (i % 2 == 1) v *= 2;
    sum += v / 10 + v % 10;
  }
  return (10 - sum % 10) % 10 == digit(s[8]);
}

bool aba_routing(std::string_view s) {
  if (s.size() != 9 || !all_digits(s)) return false;
  const int prefix = number(s.substr(0, 2));
  if (!(prefix <= 12 || (prefix >= 21 && prefix <= 32) || (prefix >= 61 && prefix <= 72) || prefix == 80) || s == "000000000") return false;
  int sum = 0;
  constexpr int weights[] = {3, 7, 1};
  for (std::size_t i = 0; i < 9; ++i) sum += digit(s[i]) * weights[i % 3];
  return sum % 10 == 0;
}

bool us_ssn(std::string_view s) {
  if (s.size() != 9 || !all_digits(s)) return false;
  const int area = number(s.substr(0, 3));
  return area != 0 && area != 666 && area < 900 && s.substr(3, 2) != "00" && s.substr(5) != "0000";
}

bool hk_id(std::string_view s) {
  const std::size_t letters = s.size() == 9 ? 2 : 1;
  if ((s.size() != 8 && s.size() != 9) || !all_digits(s.substr(letters, 6))) return false;
  if (!std::all_of(s.begin(), s.begin() + static_cast<std::ptrdiff_t>(letters), is_upper)) return false;
  const char check = s.back();
  if (!is_digit(check) && check != 'A') return false;
  int sum = letters == 2 ? (s[0] - 'A' + 10) * 9 : 36 * 9;
  sum += (s[letters - 1] - 'A' + 10) * 8;
  for (std::size_t i = 0; i < 6; ++i) sum += digit(s[letters + i]) * static_cast<int>(7 - i);
  return (sum + (check == 'A' ? 10 : digit(check))) % 11 == 0;
}

bool tw_id(std::string_view s) {
  if (s.size() != 10 || !is_upper(s[0]) || !all_digits(s.substr(1)) || (s[1] != '1' && s[1] != '2')) return false;
  constexpr int values[] = {10, 11, 12, 13, 14, 15, 16, 17, 34, 18, 19, 20, 21, 22, 35, 23, 24, 25, 26, 27, 28, 29, 32, 30, 31, 33};
  const int letter = values[s[0] - 'A'];
  int sum = letter / 10 + letter % 10 * 9;
  for (std::size_t i = 1; i < 9; ++i) sum += digit(s[i]) * static_cast<int>(9 - i);
  return (sum + digit(s[9])) % 10 == 0;
}

std::string_view card_brand(std::string_view s) {
  if (s.size() < 13 || s.size() > 19 || !all_digits(s)) return {};
  const std::size_t n = s.size();
  const int two = number(s.substr(0, 2)), three = number(s.substr(0, 3)), four = number(s.substr(0, 4));
  if (two == 62 || two == 81) return n >= 16 ? "unionpay" : "";
  if (s[0] == '4') return n == 13 || n == 16 || n == 19 ? "visa" : "";
  if ((two >= 51 && two <= 55) || (four >= 2221 && four <= 2720)) return n == 16 ? "mastercard" : "";
  if (two == 34 || two == 37) return n == 15 ? "amex" : "";
  if (four >= 3528 && four <= 3589) return n >= 16 ? "jcb" : "";
  if ((three >= 300 && three <= 305) || two == 36 || two == 38 || two == 39) return n == 14 || n == 16 || n == 19 ? "diners" : "";
  if (four == 6011 || two == 65 || (three >= 644 && three <= 649)) return n == 16 || n == 19 ? "discover" : "";
  if (four == 9558 || four == 6013 || three == 603 || three == 606) return n >= 16 ? "debit_cn" : "";
  if (two == 50 || (two >= 56 && two <= 58) || two == 60 || two == 63 || two == 67) return n >= 16 ? "maestro" : "";
  if (four >= 2200 && four <= 2204) return n >= 16 ? "mir" : "";
  return {};
}

}  // namespace heng::guard_pii
