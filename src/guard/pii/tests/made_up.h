#pragma once

#include <array>
#include <random>
#include <string>
#include <vector>

/// Identifiers made up at random with right check digits, and the ways people write them. Written apart from the rules: the check
/// digits are computed here again, the sentences are the tests' own.
namespace heng::guard_pii::made_up {

using Random = std::mt19937;
inline int roll(Random& r, int n) { return std::uniform_int_distribution<>(0, n - 1)(r); }
inline std::string digits(Random& r, int n) {
  std::string out;
  while (n-- > 0) out += static_cast<char>('0' + roll(r, 10));
  return out;
}
template <class T>
const typename T::value_type& one_of(Random& r, const T& all) {
  return all[static_cast<std::size_t>(roll(r, static_cast<int>(all.size())))];
}

inline std::string id_card(Random& r) {
  static const std::vector<std::string> regions = {"110108", "310115", "440305", "510107", "330106", "420111", "610113", "370202", "230103", "532901", "650102", "210202"};
  const auto two = [](int n) { return n < 10 ? "0" + std::to_string(n) : std::to_string(n); };
  const std::string birth = std::to_string(1940 + roll(r, 70)) + two(1 + roll(r, 12)) + two(1 + roll(r, 28));
  const std::string body = one_of(r, regions) + birth + digits(r, 3);
  // remainder form of ISO 7064 MOD 11-2
  int product = 0;
  for (const char c : body) product = (product + (c - '0')) * 2 % 11;
  const int check = (12 - product) % 11;
  return body + (check == 10 ? "X" : std::to_string(check));
}

inline std::string with_luhn(const std::string& body) {
  for (char c = '0'; c <= '9'; ++c) {
    const std::string s = body + c;
    int sum = 0;
    for (std::size_t i = 0; i < s.size(); ++i) {
      const int d = s[s.size() - 1 - i] - '0';
      sum += i % 2 == 0 ? d : d < 5 ? d * 2 : d * 2 - 9;
    }
    if (sum % 10 == 0) return s;
  }
  return body;
}
inline std::string bank_card(Random& r) {
  static const std::vector<std::pair<std::string, int>> heads = {{"622202", 19}, {"621700", 19}, {"625912", 16}, {"453211", 16}, {"519903", 16}, {"3742", 15}, {"352890", 16}, {"601101", 16}};
  const auto& [head, length] = one_of(r, heads);
  return with_luhn(head + digits(r, length - 1 - static_cast<int>(head.size())));
}

inline int mod97(const std::string& s) {
  int m = 0;
  for (const char c : s)
    for (const char d : c >= 'A' ? std::to_string(c - 55) : std::string(1, c)) m = (m * 10 + d - '0') % 97;
  return m;
}
inline std::string two(int n) { return n < 10 ? "0" + std::to_string(n) : std::to_string(n); }
inline std::string iban(Random& r) {
  static const std::vector<std::pair<std::string, int>> countries = {{"DE", 18}, {"FR", 23}, {"ES", 20}, {"CH", 17}, {"AT", 16}, {"BE", 12}};
  const auto& [country, length] = one_of(r, countries);
  const std::string bban = digits(r, length);
  return country + two(98 - mod97(bban + country + "00")) + bban;
}
inline std::string lei(Random& r) {
  std::string body = digits(r, 4) + "00";
  for (int i = 0; i < 12; ++i) body += "0123456789ABCDEFGHJKLMNPRSTUVWXYZ"[roll(r, 33)];
  body[7] = 'K';
  return body + two(98 - mod97(body + "00"));
}
inline std::string uscc(Random& r) {
  static const std::string alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY";
  std::string body = "91" + std::string("3101") + digits(r, 2) + "MA";
  for (int i = 0; i < 7; ++i) body += alphabet[static_cast<std::size_t>(roll(r, 31))];
  static const int weights[] = {1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28};
  int sum = 0;
  for (int i = 0; i < 17; ++i) sum += static_cast<int>(alphabet.find(body[static_cast<std::size_t>(i)])) * weights[i];
  const int check = 31 - sum % 31;
  return body + alphabet[static_cast<std::size_t>(check == 31 ? 0 : check)];
}

inline std::string full_width(const std::string& s) {
  std::string out;
  for (const char c : s) {
    const unsigned point = 0xFF01u + static_cast<unsigned>(c) - 0x21u;
    out += static_cast<char>(0xE0 | point >> 12);
    out += static_cast<char>(0x80 | (point >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (point & 0x3F));
  }
  return out;
}
inline std::string joined(const std::string& s, const std::string& by, std::size_t every) {
  std::string out;
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (i > 0 && i % every == 0) out += by;
    out += s[i];
  }
  return out;
}
inline std::string in_han(const std::string& s, bool capital) {
  static const std::array<const char*, 10> plain = {"〇", "一", "二", "三", "四", "五", "六", "七", "八", "九"};
  static const std::array<const char*, 10> formal = {"零", "壹", "贰", "叁", "肆", "伍", "陆", "柒", "捌", "玖"};
  std::string out;
  for (const char c : s) out += c >= '0' && c <= '9' ? (capital ? formal : plain)[static_cast<std::size_t>(c - '0')] : std::string(1, c);
  return out;
}
inline std::string base64(const std::string& s) {
  static const char* alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < s.size(); i += 3) {
    unsigned v = 0;
    for (std::size_t k = 0; k < 3; ++k) v = v << 8 | (i + k < s.size() ? static_cast<unsigned char>(s[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k) out += i + k > s.size() ? '=' : alphabet[v >> (18 - 6 * k) & 63];
  }
  return out;
}
inline std::string hex(const std::string& s) {
  std::string out;
  for (const char c : s) out += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4], out += "0123456789abcdef"[c & 15];
  return out;
}
inline std::string percent(const std::string& s) {
  std::string out;
  for (const char c : s) out += "%" + hex(std::string(1, c));
  return out;
}

/// One of the ways to hide it.
inline std::string hidden(Random& r, const std::string& s) {
  switch (roll(r, 13)) {
    case 0: return full_width(s);
    case 1: return joined(s, " ", 1);
    case 2: return joined(s, "-", 4);
    case 3: return joined(s, " ", 4);
    case 4: return joined(s, "\u200b", 1);
    case 5: return in_han(s, false);
    case 6: return in_han(s, true);
    case 7: return joined(s, "\n", s.size() / 2 + 1);
    case 8: return base64(s);
    case 9: return hex(s);
    case 10: return percent(s);
    case 11: return joined(s, "\u2060\u00ad", 3);
    default: return joined(s, ".", 4);
  }
}

}  // namespace heng::guard_pii::made_up
