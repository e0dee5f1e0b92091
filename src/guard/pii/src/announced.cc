// What a word announces: passwords, codes, keys, dates of birth, links.
#include <algorithm>
#include <array>
#include <string>

#include "heng/guard_pii/validators.h"
#include "scan.h"

namespace heng::guard_pii {
namespace {

bool is_key_character(char c) { return is_alnum(c) || c == '_' || c == '-'; }
bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool printable(char c) { return c > ' ' && c < 0x7F; }

/// Skips what joins a label and its value (":", "=", "是", "为", "is", quotes, brackets, line's end); true where something joined.
bool skip_joint(std::string_view s, std::size_t& i) {
  bool joined = false;
  for (int rounds = 0; rounds < 6 && i < s.size(); ++rounds) {
    const std::string_view rest = s.substr(i);
    if (is_blank(s[i]) || s[i] == '\n' || s[i] == '(' || s[i] == '"' || s[i] == '\'') {
      ++i;
      continue;
    }
    bool found = false;
    for (const std::string_view joint : {":", "=", "是", "为", "is ", "was ", "were ", "码", "code ", "number ", "no. ", "->"})
      if (rest.starts_with(joint)) {
        i += joint.size();
        joined = joined || (joint != "码" && joint != "code " && joint != "number ");
        found = true;
        break;
      }
    if (!found) break;
  }
  return joined;
}

struct Value {
  std::size_t begin = 0, end = 0;
  bool joined = false;
};
Value value_after(const Scan& scan, std::size_t at) {
  Value out;
  out.joined = skip_joint(scan.text, at);
  out.begin = at;
  while (at < scan.text.size() && at - out.begin < 256 && printable(scan.text[at]) && scan.text[at] != ',' && scan.text[at] != ';' && scan.text[at] != ')' &&
         scan.text[at] != '"' && scan.text[at] != '\'') ++at;
  while (at > out.begin && (scan.text[at - 1] == '.' || scan.text[at - 1] == '!' || scan.text[at - 1] == '?')) --at;
  out.end = at;
  return out;
}

std::size_t digit_count(std::string_view s) { return static_cast<std::size_t>(std::count_if(s.begin(), s.end(), is_digit)); }

/// Digits with at most single spaces or dashes between them; up to `most`.
std::string digits_of(const Scan& scan, std::size_t& at, std::size_t& end, std::size_t most) {
  std::string out;
  std::size_t i = at;
  while (i < scan.text.size() && out.size() <= most) {
    std::size_t bytes = 1;
    const int value = digit_at(scan.text, i, bytes);
    if (value >= 0) {
      if (out.empty()) at = i;
      out += static_cast<char>('0' + value);
      end = i += bytes;
    } else if (!out.empty() && (scan.text[i] == ' ' || scan.text[i] == '-') && i + 1 < scan.text.size() && digit_at(scan.text, i + 1, bytes) >= 0) {
      ++i;
    } else {
      break;
    }
  }
  return out;
}

void short_code(Scan& scan, std::size_t at, Type type, std::size_t least, std::size_t most, int score) {
  // a few words may stand between: "CVV on the back is 123", "验证码（请勿泄露）123456"
  for (int words = 0; words < 5; ++words) {
    std::size_t begin = at, end = at;
    skip_joint(scan.text, begin);
    const std::string digits = digits_of(scan, begin, end, most);
    if (!digits.empty()) {
      if (digits.size() >= least && digits.size() <= most && !is_alnum(scan.at(end)) && scan.at(end) != '%' && !scan.text.substr(end).starts_with("位") &&
          !scan.text.substr(end).starts_with("分钟") && !scan.text.substr(end).starts_with("元") && !scan.text.substr(end).starts_with(" digit") &&
          !scan.text.substr(end).starts_with("次"))
        scan.add(begin, end, type, score, "announced");
      return;
    }
    std::size_t next = begin;
    while (next < scan.text.size() && is_letter(scan.text[next])) ++next;
    if (next == begin || next - begin > 12) return;
    at = next;
  }
}

void password(Scan& scan, const TopicHit& hit) {
  const Value value = value_after(scan, hit.end);
  const std::string_view s = scan.text.substr(value.begin, value.end - value.begin);
  if (s.size() < 4 || s.size() > 128) return;
  const std::size_t digits = digit_count(s);
  const bool odd = std::any_of(s.begin(), s.end(), [](char c) { return !is_alnum(c) && c != '-' && c != '/'; });
  if (value.joined ? (digits > 0 || odd) : (digits >= 4 && digits <= 12 && (hit.topics & t_pin))) scan.add(value.begin, value.end, Type::password, 85, "announced");
}

void secret_by_name(Scan& scan, const TopicHit& hit) {
  const Value value = value_after(scan, hit.end);
  const std::string_view s = scan.text.substr(value.begin, value.end - value.begin);
  const bool bearer = hit.end - hit.begin == 6 && upper(scan.text[hit.begin]) == 'B';
  if (!value.joined && !bearer) return;
  const std::size_t digits = digit_count(s);
  const auto letters = static_cast<std::size_t>(std::count_if(s.begin(), s.end(), is_letter));
  if (s.size() >= 16 && digits >= 2 && letters >= 2 && s.find("://") == std::string_view::npos) scan.add(value.begin, value.end, Type::api_key, 84, "announced");
}

/// Returns where the token ends: what begins inside it is not looked at again.
std::size_t secret_by_prefix(Scan& scan, const TopicHit& hit) {
  if (hit.begin > 0 && is_key_character(scan.text[hit.begin - 1])) return hit.end;
  std::size_t end = hit.end;
  bool digit = false;
  std::size_t dots = 0;
  const bool jwt = scan.text.substr(hit.begin, 3) == "eyJ";
  while (end < scan.text.size() && (is_key_character(scan.text[end]) || (jwt && scan.text[end] == '.' && is_key_character(scan.at(end + 1))))) {
    digit = digit || is_digit(scan.text[end]);
    dots += scan.text[end] == '.';
    ++end;
  }
  const std::size_t size = end - hit.begin;
  // the head of a JWT is {"alg":… or {"typ":…
  if (jwt) {
    const std::string_view head = scan.text.substr(hit.begin, 8);
    if (size >= 20 && (dots > 0 || head.starts_with("eyJhbGci") || head.starts_with("eyJ0eXAi") || head.starts_with("eyJraWQi")))
      scan.add(hit.begin, end, Type::jwt, 92, "announced");
    return end;
  }
  if (size >= 19 && digit) scan.add(hit.begin, end, Type::api_key, 93, "announced");
  return end;
}

std::size_t pem(Scan& scan, const TopicHit& hit) {
  const std::string_view line = scan.text.substr(hit.end, 48);
  if (line.find("PRIVATE") == std::string_view::npos) return hit.end;
  const std::size_t close = scan.text.find("-----END", hit.end);
  std::size_t end = scan.text.size();
  if (close != std::string_view::npos) {
    const std::size_t dashes = scan.text.find("-----", close + 8);
    end = dashes == std::string_view::npos ? scan.text.size() : dashes + 5;
  }
  scan.add(hit.begin, end, Type::private_key, 99, "announced");
  return end;
}

std::size_t link(Scan& scan, const TopicHit& hit) {
  std::size_t begin = hit.begin, end = hit.end;
  while (begin > 0 && (is_alnum(scan.text[begin - 1]) || scan.text[begin - 1] == '+') && hit.begin - begin < 12) --begin;
  if (scan.text[hit.begin] == ':' && begin == hit.begin) return hit.end;
  while (end < scan.text.size() && printable(scan.text[end]) && std::string_view("<>\"'`{}|^\\()[]").find(scan.text[end]) == std::string_view::npos) ++end;
  while (end > hit.end && std::string_view(".,;:!?").find(scan.text[end - 1]) != std::string_view::npos) --end;
  if (end - hit.end >= 4) scan.add(begin, end, Type::url, 90, "announced");
  return end;
}

constexpr std::string_view months[] = {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"};
int month_at(std::string_view s, std::size_t& i) {
  std::string head;
  for (std::size_t k = i; k < s.size() && k < i + 3; ++k) head += static_cast<char>(s[k] | 0x20);
  for (std::size_t m = 0; m < 12; ++m)
    if (head == months[m]) {
      while (i < s.size() && is_letter(s[i])) ++i;
      return static_cast<int>(m) + 1;
    }
  return 0;
}
int number_at(std::string_view s, std::size_t& i, std::size_t most) {
  int out = 0;
  std::size_t bytes = 1, digits = 0, at = i;
  while (at < s.size() && digits < most) {
    const int value = digit_at(s, at, bytes);
    if (value < 0) {
      if (!s.substr(at).starts_with("十")) break;
      out = out == 0 ? 1 : out;  // 十二, 二十, 二十三
      at += 3;
      if (at >= s.size() || digit_at(s, at, bytes) < 0) out *= 10;
      ++digits;
      continue;
    }
    out = out * 10 + value;
    at += bytes;
    ++digits;
  }
  if (digits == 0) return -1;
  i = at;
  return out;
}
bool skip_any(std::string_view s, std::size_t& i, std::initializer_list<std::string_view> what) {
  for (const auto one : what)
    if (s.substr(i).starts_with(one)) {
      i += one.size();
      return true;
    }
  return false;
}
bool plausible(int a, int b, int c) {
  if (a >= 1900) return is_date(a, b, c);
  const int year = c < 100 ? 1900 + c : c;
  return is_date(year, a, b) || is_date(year, b, a);
}

/// A date at `i` in any usual form; its end, or npos.
std::size_t date_end(std::string_view s, std::size_t i) {
  if (int m = month_at(s, i); m > 0) {
    skip_any(s, i, {". ", ".", " "});
    const int d = number_at(s, i, 2);
    skip_any(s, i, {"st", "nd", "rd", "th"});
    skip_any(s, i, {", ", ",", " "});
    const int y = number_at(s, i, 4);
    return d > 0 && y >= 1900 && is_date(y, m, d) ? i : std::string_view::npos;
  }
  const int first = number_at(s, i, 4);
  if (first < 0) return std::string_view::npos;
  std::size_t k = i;
  skip_any(s, k, {"st", "nd", "rd", "th"});
  skip_any(s, k, {" of ", " ", "-"});
  if (int m = month_at(s, k); m > 0) {
    skip_any(s, k, {", ", ",", " ", "-"});
    const int y = number_at(s, k, 4);
    return y >= 1900 && is_date(y, m, first) ? k : std::string_view::npos;
  }
  if (!skip_any(s, i, {"年", "-", "/", ".", " 年"})) return first >= 19000101 && first <= 20991231 ? i : std::string_view::npos;
  skip_any(s, i, {" "});
  const int second = number_at(s, i, 2);
  if (!skip_any(s, i, {"月", "-", "/", ".", " 月"})) return std::string_view::npos;
  skip_any(s, i, {" "});
  const int third = number_at(s, i, 4);
  skip_any(s, i, {"日", "号"});
  return plausible(first, second, third) ? i : std::string_view::npos;
}

void birth(Scan& scan, const TopicHit& hit) {
  const std::size_t until = std::min<std::size_t>(scan.text.size(), hit.end + 48);
  for (std::size_t i = hit.end; i < until; ++i) {
    const char c = scan.text[i];
    std::size_t bytes = 1;
    const bool starts = digit_at(scan.text, i, bytes) >= 0 || (is_letter(c) && !is_letter(scan.before(i)));
    if (!starts) continue;
    std::size_t end = date_end(scan.text, i);
    if (end == std::string_view::npos && is_digit(c)) {  // 19900307
      std::size_t k = i;
      while (k < scan.text.size() && is_digit(scan.text[k])) ++k;
      const std::string s(scan.text.substr(i, k - i));
      if (s.size() == 8 && is_date(std::stoi(s.substr(0, 4)), std::stoi(s.substr(4, 2)), std::stoi(s.substr(6)))) end = k;
    }
    if (end != std::string_view::npos && !is_alnum(scan.at(end))) return scan.add(i, end, Type::date_of_birth, 86, "announced");
    if (digit_at(scan.text, i, bytes) >= 0)
      while (i + 1 < until && digit_at(scan.text, i + 1, bytes) >= 0) ++i;
  }
  // "1990年3月7日出生": the date stands before the word
  if (scan.text.substr(hit.begin).starts_with("出生") || scan.text.substr(hit.begin).starts_with("生")) {
    for (std::size_t back = 8; back <= 40 && back <= hit.begin; ++back) {
      std::size_t bytes = 1;
      const std::size_t i = hit.begin - back;
      if ((static_cast<unsigned char>(scan.text[i]) & 0xC0) == 0x80 || digit_at(scan.text, i, bytes) < 0) continue;
      if (i >= 1 && digit_at(scan.text, i - 1, bytes) >= 0) continue;
      if (i >= 3 && digit_at(scan.text, i - 3, bytes) >= 0) continue;
      if (date_end(scan.text, i) == hit.begin) return scan.add(i, hit.begin, Type::date_of_birth, 86, "announced");
    }
  }
}

/// MM/YY beside a word for the end of validity, near a card.
void expiry(Scan& scan, const TopicHit& hit) {
  std::size_t i = hit.end;
  for (int letters = 0; i < scan.text.size() && !is_digit(scan.text[i]) && letters < 16; ++i) ++letters;
  const std::size_t begin = i;
  const int month = number_at(scan.text, i, 2);
  if (month < 1 || month > 12 || (scan.at(i) != '/' && scan.at(i) != '-')) return;
  ++i;
  const std::size_t year = i;
  while (is_digit(scan.at(i))) ++i;
  if ((i - year == 2 || i - year == 4) && scan.at(i) != '/' && scan.at(i) != '-' && i - begin <= 7) scan.add(begin, i, Type::card_expiry, 84, "announced");
}

}  // namespace

void scan_announced(Scan& scan) {
  std::size_t key_end = 0, block_end = 0, link_end = 0;
  for (const auto& hit : scan.hits) {
    const auto topics = hit.topics;
    if (topics & (t_password | t_pin)) password(scan, hit);
    if (topics & t_otp) short_code(scan, hit.end, Type::one_time_code, 4, 8, 83);
    if (topics & t_cvv) short_code(scan, hit.end, Type::card_security_code, 3, 4, 90);
    if (topics & t_secret) secret_by_name(scan, hit);
    if ((topics & t_secret_prefix) && hit.begin >= key_end) key_end = secret_by_prefix(scan, hit);
    if ((topics & t_pem) && hit.begin >= block_end) block_end = pem(scan, hit);
    if ((topics & t_link) && hit.begin >= link_end) link_end = link(scan, hit);
    if (topics & t_birth) birth(scan, hit);
    if (topics & t_expiry) expiry(scan, hit);
  }
}

}  // namespace heng::guard_pii
