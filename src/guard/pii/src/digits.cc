// Numbers: identity cards, payment cards, phones, accounts – whatever stands in digits, written together, in groups, over a
// line's end or in Chinese numerals.
#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include "heng/base/text.h"
#include "heng/guard_pii/validators.h"
#include "scan.h"

namespace heng::guard_pii {
namespace {

constexpr std::size_t most_digits = 64;

struct HanTable {
  std::array<std::uint8_t, 0x10000> value{};  // 1…10: digit + 1; 32: province
  HanTable() {
    constexpr std::u32string_view digits[] = {U"〇零○", U"一壹幺弌", U"二贰貳弍", U"三叁參弎", U"四肆", U"五伍", U"六陆陸", U"七柒", U"八捌", U"九玖"};
    for (std::size_t d = 0; d < 10; ++d)
      for (const char32_t c : digits[d]) value[c] = static_cast<std::uint8_t>(d + 1);
    for (const char32_t c : U"京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使领")
      if (c) value[c] = 32;
  }
};
std::uint8_t han(std::string_view s, std::size_t i) {
  static const HanTable table;
  const auto lead = static_cast<unsigned char>(s[i]);
  if (lead < 0xE2 || lead > 0xE9 || i + 2 >= s.size()) return 0;
  const auto c = (lead & 0x0Fu) << 12 | (static_cast<unsigned char>(s[i + 1]) & 0x3Fu) << 6 | (static_cast<unsigned char>(s[i + 2]) & 0x3Fu);
  return table.value[c];
}

enum class Gap : std::uint8_t { none, space, dash, dot, slash, line, bracket, other };

/// A run of digits in groups.
struct Run {
  std::string digits;
  std::array<std::uint32_t, most_digits> begin{}, end{};   // of each digit
  std::array<std::uint8_t, most_digits> group_start{};     // digit indices
  std::array<Gap, most_digits> gap_before{};               // by group
  std::size_t groups = 0;
  bool soft = false;        // holds letters read as digits
  std::size_t x_begin = 0, x_end = 0;  // an X behind the last digit
  std::size_t stop = 0;     // where reading ended
  bool too_long = false;

  std::size_t group_end(std::size_t g) const { return g + 1 < groups ? group_start[g + 1] : digits.size(); }
};

/// Soft digits: letters that scanners write for digits, between digits.
int soft_digit(std::string_view s, std::size_t i) {
  const char c = s[i];
  const int value = c == 'O' || c == 'o' ? 0 : c == 'l' || c == 'I' || c == '|' ? 1 : -1;
  if (value < 0 || i == 0 || !is_digit(s[i - 1])) return -1;
  std::size_t next = i + 1;
  while (next < s.size() && next < i + 3 && (s[next] == 'O' || s[next] == 'o' || s[next] == 'l' || s[next] == 'I')) ++next;
  return next < s.size() && is_digit(s[next]) ? value : -1;
}

/// Separators at `i` with a digit behind them: their kind; `next` is where the digit stands.
Gap gap_at(std::string_view s, std::size_t i, std::size_t& next) {
  Gap kind = Gap::none;
  std::size_t k = i;
  for (; k < s.size() && k < i + 4; ++k) {
    const char c = s[k];
    Gap one = Gap::none;
    if (c == ' ' || c == '\t') one = Gap::space;
    else if (c == '-' || c == '_') one = Gap::dash;
    else if (c == '.') one = Gap::dot;
    else if (c == '/' || c == '|' || c == '*' || c == '~') one = Gap::slash;
    else if (c == '\n' || c == '\r') one = Gap::line;
    else if (c == '(' || c == ')') one = Gap::bracket;
    else break;
    if (kind == Gap::none || (kind == Gap::space && one != Gap::space) || one == Gap::line) kind = one;
  }
  std::size_t bytes = 0;
  if (k == i || k >= s.size() || digit_at(s, k, bytes) < 0) return Gap::none;
  next = k;
  return kind;
}

Run read_run(std::string_view s, std::size_t i) {
  Run run;
  Gap gap = Gap::none;
  bool new_group = true, was_han = false;
  while (i < s.size()) {
    std::size_t bytes = 1;
    int value = digit_at(s, i, bytes);
    if (value < 0 && (value = soft_digit(s, i)) >= 0) run.soft = true;
    if (value < 0) {
      std::size_t next = 0;
      gap = gap_at(s, i, next);
      if (gap == Gap::none) break;
      i = next;
      new_group = true;
      continue;
    }
    if (run.digits.size() >= most_digits) {
      run.too_long = true;
      break;
    }
    const bool is_han = bytes == 3;
    if (!run.digits.empty() && is_han != was_han && !new_group) new_group = true, gap = Gap::none;
    was_han = is_han;
    if (new_group) {
      run.gap_before[run.groups] = gap;
      run.group_start[run.groups++] = static_cast<std::uint8_t>(run.digits.size());
      new_group = false;
    }
    run.begin[run.digits.size()] = static_cast<std::uint32_t>(i);
    run.end[run.digits.size()] = static_cast<std::uint32_t>(i + bytes);
    run.digits += static_cast<char>('0' + value);
    i += bytes;
  }
  run.stop = i;
  std::size_t k = i;
  while (k < s.size() && k < i + 2 && (s[k] == ' ' || s[k] == '-' || s[k] == '\n')) ++k;
  if (k < s.size() && (s[k] == 'X' || s[k] == 'x') && !is_alnum(k + 1 < s.size() ? s[k + 1] : ' ')) run.x_begin = k, run.x_end = k + 1;
  return run;
}

/// Part of a run: whole groups.
struct Window {
  const Run& run;
  std::size_t first, last;   // groups, inclusive
  std::size_t from, until;   // digits
  std::size_t begin, end;    // bytes
  std::string_view digits;
  std::size_t size() const { return digits.size(); }
  std::size_t groups() const { return last - first + 1; }
  std::size_t group_size(std::size_t g) const { return run.group_end(first + g) - run.group_start[first + g]; }
  bool one_kind_of_gap() const {
    for (std::size_t g = first + 2; g <= last; ++g)
      if (run.gap_before[g] != run.gap_before[first + 1]) return false;
    return true;
  }
  bool crosses_line() const {
    for (std::size_t g = first + 1; g <= last; ++g)
      if (run.gap_before[g] == Gap::line) return true;
    return false;
  }
  bool groups_are(std::initializer_list<std::size_t> sizes) const {
    if (sizes.size() != groups()) return false;
    std::size_t g = 0;
    for (const auto size : sizes)
      if (group_size(g++) != size) return false;
    return true;
  }
};

struct Judge {
  Scan& scan;
  const Run& run;
  std::vector<Match> candidates;

  bool glued_before(const Window& w) const {
    return w.first == 0 && w.begin > 0 && is_letter(scan.text[w.begin - 1]) && !scan.around.ends_at(~t_not_personal, w.begin);
  }
  bool glued_after(const Window& w) const { return w.last + 1 == run.groups && is_alnum(scan.at(w.end)) && scan.at(w.end) != 'x'; }
  /// Part of a decimal number, an amount or a percentage.
  bool is_amount(const Window& w) const {
    if (w.first > 0 && run.gap_before[w.first] == Gap::dot && w.groups() == 1) return true;
    if (w.last + 1 < run.groups && run.gap_before[w.last + 1] == Gap::dot && w.groups() == 1) return true;
    const char c = scan.before(w.begin);
    if (c == '$' || (c == '.' && w.first == 0)) return true;
    const std::string_view rest = scan.text.substr(w.end, 6);
    for (const std::string_view unit : {"元", "万", "亿", "%", "股", "手", "份", " yuan", " USD", " RMB", "美元"})
      if (rest.starts_with(unit)) return true;
    const std::string_view left = scan.text.substr(w.begin >= 3 ? w.begin - 3 : 0, w.begin >= 3 ? 3 : w.begin);
    return left.ends_with("¥") || left.ends_with("€") || left.ends_with("£");
  }
  void add(const Window& w, Type type, int score) { candidates.push_back({w.begin, w.end, type, score, "digits"}); }

  void id_card(const Window& w) {
    std::string s(w.digits);
    std::size_t end = w.end;
    if (w.size() == 17 && w.last + 1 == run.groups && run.x_begin) s += 'X', end = run.x_end;
    if (s.size() == 18 && id_card_18(s) && !(glued_after(w) && end == w.end)) candidates.push_back({w.begin, end, Type::id_card, 100, "digits"});
    if (w.size() == 15 && id_card_15(w.digits) && !run.soft) {
      // no check digit: one random number in eighty looks like one, so a word must say so
      if (scan.around.speaks_for(t_id, w.begin, w.end)) add(w, Type::id_card, 92);
    }
  }
  bool card_grouping(const Window& w) const {
    if (w.groups() == 1 || w.one_kind_of_gap()) return true;
    return w.groups_are({4, 4, 4, 4}) || w.groups_are({4, 6, 5}) || w.groups_are({4, 4, 4, 4, 3}) || w.groups_are({6, 13}) || w.groups_are({4, 4, 4, 4, 2}) ||
           w.groups_are({6, 10});
  }
  void bank_card(const Window& w) {
    if (w.size() < 13 || w.size() > 19 || glued_after(w)) return;
    const auto brand = card_brand(w.digits);
    if (brand.empty() || !luhn(w.digits)) return;
    if (w.size() == 18 && id_card_18(w.digits)) return;
    const bool named = scan.around.speaks_for(t_card | t_account, w.begin, w.end);
    if (!named && (scan.around.speaks_against(t_card | t_account, w.begin, w.end) || is_amount(w))) return;
    if (!named && !card_grouping(w) && !w.crosses_line()) return;
    if (!named && (brand == "maestro" || brand == "mir" || brand == "diners" || w.size() == 13 || run.soft)) return;
    // a number in words of figures beside each other is no card: groups of a card have four or six digits
    if (!named && w.groups() > 1 && w.groups() < w.size() && w.group_size(0) != 4 && w.group_size(0) != 6 && !w.crosses_line()) return;
    add(w, Type::bank_card, named ? 98 : 84);
  }
  void mobile_cn(const Window& w) {
    std::string_view s = w.digits;
    bool prefixed = false;
    for (const std::string_view code : {"0086", "86"})
      if (s.starts_with(code) && s.size() == code.size() + 11) s.remove_prefix(code.size()), prefixed = true;
    if (s.size() != 11 || s[0] != '1' || s[1] < '3' || glued_after(w) || run.soft) return;
    const bool named = scan.around.speaks_for(t_phone, w.begin, w.end);
    if (!named && !prefixed && (is_amount(w) || scan.around.speaks_against(t_phone, w.begin, w.end))) return;
    if (!named && w.groups() > 1 && !w.one_kind_of_gap() && !prefixed && !w.groups_are({3, 4, 4})) return;
    if (!named && scan.around.distance(t_account | t_card, w.begin, w.end, 12, 0) >= 0 && !prefixed && w.groups() == 1 &&
        scan.around.distance(t_account, w.begin, w.end, 8, 0) >= 0) return;
    std::size_t begin = w.begin;
    if (scan.before(begin) == '+') --begin;
    candidates.push_back({begin, w.end, Type::phone_number, named ? 90 : 80, "digits"});
  }
  void service_number(const Window& w) {
    if (glued_after(w)) return;
    const bool hotline = w.size() == 10 && (w.digits.starts_with("400") || w.digits.starts_with("800"));
    if (hotline && (w.groups() > 1 || scan.around.speaks_for(t_phone, w.begin, w.end))) return add(w, Type::service_number, 82);
    if (w.size() == 5 && w.groups() == 1 && w.digits.starts_with("95") && scan.around.speaks_for(t_phone, w.begin, w.end, 16, 4)) add(w, Type::service_number, 75);
  }
  void landline_cn(const Window& w) {
    if (w.size() < 10 || w.size() > 12 || w.digits[0] != '0' || w.digits[1] == '0' || glued_after(w) || w.crosses_line()) return;
    const std::size_t area = w.digits[1] <= '2' ? 3 : 4;
    const std::size_t local = w.size() - area;
    if (local < 7 || local > 8 || w.digits[area] == '0' || w.digits[area] == '1') return;
    const bool named = scan.around.speaks_for(t_phone, w.begin, w.end);
    const bool grouped = w.groups() > 1 && w.group_size(0) == area;
    if (!named && (!grouped || scan.around.speaks_against(t_phone, w.begin, w.end))) return;
    bracketed(w, Type::phone_number, named ? 88 : 76);
  }
  /// Takes an opening bracket or plus before the number with it, and an extension behind it.
  void bracketed(const Window& w, Type type, int score) {
    std::size_t begin = w.begin, end = w.end;
    if (scan.before(begin) == '(') --begin;
    if (scan.before(begin) == '+') --begin;
    std::size_t k = end;
    while (k < end + 2 && (scan.at(k) == ' ' || scan.at(k) == '-')) ++k;
    for (const std::string_view word : {"ext.", "ext", "x", "转"})
      if (scan.text.substr(k).starts_with(word)) {
        std::size_t d = k + word.size();
        while (scan.at(d) == ' ') ++d;
        const std::size_t first = d;
        while (is_digit(scan.at(d)) && d < first + 6) ++d;
        if (d > first) end = d;
        break;
      }
    candidates.push_back({begin, end, type, score, "digits"});
  }
  void phone_us(const Window& w) {
    std::string_view s = w.digits;
    std::size_t lead = 0;
    for (const std::string_view code : {"001", "1"})
      if (s.size() == code.size() + 10 && s.starts_with(code)) lead = code.size();
    s.remove_prefix(lead);
    if (s.size() != 10 || s[0] < '1' || w.crosses_line() || run.soft) return;
    const bool with_extension = scan.at(w.end) == 'x' && is_digit(scan.at(w.end + 1));
    if (glued_after(w) && !with_extension) return;
    const bool named = scan.around.speaks_for(t_phone, w.begin, w.end);
    const bool grouped = (lead == 0 && w.groups_are({3, 3, 4})) || (lead > 0 && w.groups_are({lead, 3, 3, 4}));
    if (!grouped && !named && !(lead == 1 && scan.before(w.begin) == '+') && !with_extension) return;
    if (!named && (s[0] < '2' || (!with_extension && s[3] < '1') || scan.around.speaks_against(t_phone, w.begin, w.end))) return;
    bracketed(w, Type::phone_number, named ? 88 : 76);
  }
  void phone_plus(const Window& w) {
    const char c = scan.before(w.begin);
    const bool plus = c == '+' || (c == '(' && w.begin > 1 && scan.text[w.begin - 2] == '+');
    if (w.first != 0 || !plus || w.size() < 8 || w.size() > 15 || w.crosses_line() || glued_after(w)) return;
    bracketed(w, Type::phone_number, 80 + static_cast<int>(w.groups() > 1));
  }
  void ssn(const Window& w) {
    if (w.size() != 9 || !us_ssn(w.digits) || glued_after(w) || w.crosses_line()) return;
    const bool named = scan.around.speaks_for(t_ssn, w.begin, w.end);
    const bool shaped = w.groups_are({3, 2, 4}) && (w.one_kind_of_gap()) && run.gap_before[w.first + 1] != Gap::dot;
    if (named) add(w, Type::us_ssn, 95);
    else if (shaped && !scan.around.speaks_against(t_ssn, w.begin, w.end) && run.gap_before[w.first + 1] == Gap::dash) add(w, Type::us_ssn, 85);
  }
  void by_name_only(const Window& w) {
    if (glued_after(w) || run.soft) return;
    if (w.size() == 9 && aba_routing(w.digits) && scan.around.speaks_for(t_aba, w.begin, w.end)) add(w, Type::aba_routing, 94);
    if (w.size() == 9 && cusip(w.digits) && scan.around.speaks_for(t_cusip, w.begin, w.end)) add(w, Type::cusip, 94);
    if (w.size() == 9 && scan.around.speaks_for(t_passport, w.begin, w.end, 24)) add(w, Type::passport, 72);
    if (w.size() == 18 && uscc(w.digits) && scan.around.speaks_for(t_uscc, w.begin, w.end)) add(w, Type::uscc, 95);
    if (w.size() >= 7 && w.size() <= 12 && w.groups() == 1 && scan.around.speaks_for(t_driver, w.begin, w.end, 24, 0) && !id_card_15(w.digits))
      add(w, Type::us_driver_license, 72);
    if (w.size() >= 8 && w.size() <= 25 && !w.crosses_line() && !is_amount(w) && !id_card_18(w.digits) && scan.around.speaks_for(t_account, w.begin, w.end, 14, 0) &&
        !(luhn(w.digits) && !card_brand(w.digits).empty()) && (w.groups() == 1 || w.one_kind_of_gap()) && w.groups() <= 6)
      add(w, Type::bank_account, 71);
    if ((w.size() == 5 || w.size() == 6 || w.groups_are({5, 4})) && scan.around.speaks_for(t_postal, w.begin, w.end, 16, 0)) add(w, Type::postal_code, 78);
  }
  /// Digits beside a word for phones, of no known shape: whole stretch between line ends.
  void phone_by_name(const Window& w) {
    if (w.size() < 7 || w.size() > 15 || w.crosses_line() || is_amount(w) || glued_after(w)) return;
    const bool open_left = w.first == 0 || run.gap_before[w.first] == Gap::line;
    const bool open_right = w.last + 1 == run.groups || run.gap_before[w.last + 1] == Gap::line;
    if (!open_left || !open_right) return;
    if ((w.digits.starts_with("19") || w.digits.starts_with("20")) && w.groups_are({4, 2, 2})) return;  // a date
    if (scan.around.speaks_for(t_phone, w.begin, w.end, 28, 10) && scan.around.distance(t_card | t_account | t_id | t_ssn | t_otp, w.begin, w.end, 16, 0) < 0)
      bracketed(w, Type::phone_number, 70);
  }

  void look(const Window& w) {
    if (glued_before(w)) return;
    id_card(w);
    bank_card(w);
    if (w.size() >= 9 && w.size() <= 15) {
      mobile_cn(w);
      landline_cn(w);
      phone_us(w);
      ssn(w);
    }
    service_number(w);
    phone_plus(w);
    by_name_only(w);
    phone_by_name(w);
  }
};

bool ip_at(Scan& scan, const Run& run, std::vector<Match>& out) {
  if (run.groups < 4) return false;
  bool any = false;
  for (std::size_t g = 0; g + 4 <= run.groups; ++g) {
    bool fits = true;
    for (std::size_t k = 0; k < 4 && fits; ++k) {
      const std::size_t from = run.group_start[g + k], size = run.group_end(g + k) - from;
      int value = 0;
      for (std::size_t d = 0; d < size && d < 4; ++d) value = value * 10 + (run.digits[from + d] - '0');
      fits = size <= 3 && value <= 255 && (k == 0 || (run.gap_before[g + k] == Gap::dot && run.begin[from] == run.end[from - 1] + 1));
    }
    const std::size_t begin = run.begin[run.group_start[g]];
    if (!fits || (g > 0 && run.gap_before[g] == Gap::dot) || (g + 4 < run.groups && run.gap_before[g + 4] == Gap::dot)) continue;
    if (is_letter(scan.before(begin)) || scan.around.distance(t_not_personal, begin, begin, 12, 0) >= 0) continue;
    out.push_back({begin, run.end[run.group_end(g + 3) - 1], Type::ip_address, 85, "digits"});
    any = true;
  }
  return any;
}

void keep_best(Scan& scan, std::vector<Match>& candidates) {
  std::sort(candidates.begin(), candidates.end(), [](const Match& a, const Match& b) {
    return a.score != b.score ? a.score > b.score : a.end - a.begin > b.end - b.begin;
  });
  const std::size_t first = scan.found.size();
  for (const auto& candidate : candidates) {
    const bool taken = std::any_of(scan.found.begin() + static_cast<std::ptrdiff_t>(first), scan.found.end(),
                                   [&](const Match& m) { return m.begin < candidate.end && candidate.begin < m.end; });
    if (!taken) scan.found.push_back(candidate);
  }
}

}  // namespace

int digit_at(std::string_view s, std::size_t i, std::size_t& bytes) {
  if (is_digit(s[i])) {
    bytes = 1;
    return s[i] - '0';
  }
  const auto value = han(s, i);
  if (value == 0 || value > 10) return -1;
  bytes = 3;
  return value - 1;
}

bool plate_province_at(std::string_view s, std::size_t i) { return han(s, i) == 32; }

std::size_t scan_digits(Scan& scan, std::size_t i) {
  const Run run = read_run(scan.text, i);
  if (run.digits.size() < 5 || run.too_long) return run.stop;
  std::vector<Match> candidates;
  ip_at(scan, run, candidates);
  Judge judge{scan, run, std::move(candidates)};
  for (std::size_t first = 0; first < run.groups; ++first)
    for (std::size_t last = first; last < run.groups; ++last) {
      const std::size_t from = run.group_start[first], until = run.group_end(last);
      if (until - from > 25) break;
      if (until - from < 5) continue;
      judge.look({run, first, last, from, until, run.begin[from], run.end[until - 1], std::string_view(run.digits).substr(from, until - from)});
    }
  keep_best(scan, judge.candidates);
  return run.stop;
}

}  // namespace heng::guard_pii
