// Amounts of money, quantities of shares, rates.
#include <algorithm>
#include <optional>

#include "heng/base/decimal.h"
#include "heng/base/text.h"
#include "scan.h"

namespace heng::insight_entities {
namespace {

using View = std::u32string_view;

struct Number {
  Decimal value;
  std::size_t end = 0;
};

int han_digit(char32_t c) {
  static constexpr View digits = U"零一二三四五六七八九", formal = U"〇壹贰叁肆伍陆柒捌玖";
  if (c == U'两') return 2;
  for (const View set : {digits, formal}) {
    const auto at = set.find(c);
    if (at != View::npos) return static_cast<int>(at);
  }
  return -1;
}

std::int64_t han_unit(char32_t c) {
  switch (c) {
    case U'十': case U'拾': return 10;
    case U'百': case U'佰': return 100;
    case U'千': case U'仟': return 1000;
    case U'万': case U'萬': return 10000;
    case U'亿': case U'億': return 100000000;
    default: return 0;
  }
}

/// 二十亿, 三千五百万: a number in Chinese numerals, its 万 and 亿 included.
std::optional<Number> han_number(View text, std::size_t at) {
  std::int64_t total = 0, section = 0, current = 0;
  std::size_t i = at;
  for (; i < text.size() && i - at < 24; ++i) {
    const int d = han_digit(text[i]);
    if (d >= 0) {
      current = d;
      continue;
    }
    const std::int64_t unit = han_unit(text[i]);
    if (!unit || (i == at && unit != 10)) break;  // 十亿 begins with a unit, 亿 alone is no number
    if (unit < 10000) {
      section += (current ? current : 1) * unit;
    } else {
      total = (total + section + current) * unit;
      section = 0;
    }
    current = 0;
  }
  if (i == at) return std::nullopt;
  total += section + current;
  if (total < 0 || total > 1'000'000'000'000'000) return std::nullopt;
  return Number{Decimal(total), i};
}

/// 1,234.5 with its thousands separators.
std::optional<Number> plain_number(View text, std::size_t at) {
  if (at >= text.size() || !digit(text[at])) return std::nullopt;
  std::string digits;
  std::size_t i = at;
  while (i < text.size() && digits.size() < 24) {
    const char32_t c = text[i];
    if (digit(c)) digits += static_cast<char>(c);
    else if (c == U',' && i + 3 < text.size() && digit(text[i + 1]) && digit(text[i + 2]) && digit(text[i + 3]) && !(i + 4 < text.size() && digit(text[i + 4])) &&
             digits.find('.') == std::string::npos && i - at <= 15) {}
    else if (c == U'.' && i + 1 < text.size() && digit(text[i + 1]) && digits.find('.') == std::string::npos) digits += '.';
    else break;
    ++i;
  }
  auto value = Decimal::parse(digits);
  if (!value.ok()) return std::nullopt;
  return Number{*value, i};
}

struct Word {
  View text;
  const char* name;
  std::int64_t factor = 1;
};

constexpr Word magnitudes[] = {{U"万亿", "", 1000000000000}, {U"百亿", "", 10000000000}, {U"千亿", "", 100000000000}, {U"亿", "", 100000000},
                               {U"千万", "", 10000000}, {U"百万", "", 1000000}, {U"十万", "", 100000}, {U"万", "", 10000}, {U"千", "", 1000},
                               {U" trillion", "", 1000000000000}, {U" billion", "", 1000000000}, {U" million", "", 1000000},
                               {U"trillion", "", 1000000000000}, {U"billion", "", 1000000000}, {U"million", "", 1000000},
                               {U" bn", "", 1000000000}, {U"bn", "", 1000000000}, {U" mn", "", 1000000}, {U"mn", "", 1000000}};

constexpr Word currencies_behind[] = {{U"元人民币", "CNY"}, {U"人民币", "CNY"}, {U"港元", "HKD"}, {U"港币", "HKD"}, {U"美元", "USD"}, {U"美金", "USD"}, {U"欧元", "EUR"},
                                      {U"英镑", "GBP"}, {U"日元", "JPY"}, {U"日圆", "JPY"}, {U"澳元", "AUD"}, {U"加元", "CAD"}, {U"新加坡元", "SGD"}, {U"韩元", "KRW"}, {U"瑞士法郎", "CHF"},
                                      {U"新台币", "TWD"}, {U"元", "CNY"}, {U"圆整", "CNY"}, {U" yuan", "CNY"}, {U" rmb", "CNY"}, {U" renminbi", "CNY"}, {U" dollars", "USD"},
                                      {U" u.s. dollars", "USD"}, {U" us dollars", "USD"}, {U" euros", "EUR"}, {U" pounds", "GBP"}, {U" usd", "USD"}, {U" eur", "EUR"}, {U" gbp", "GBP"},
                                      {U" cny", "CNY"}, {U" hkd", "HKD"}, {U" jpy", "JPY"}, {U" yen", "JPY"}};

constexpr Word currencies_before[] = {{U"人民币", "CNY"}, {U"港币", "HKD"}, {U"hk$", "HKD"}, {U"us$", "USD"}, {U"a$", "AUD"}, {U"c$", "CAD"}, {U"s$", "SGD"}, {U"nt$", "TWD"}, {U"rmb", "CNY"},
                                      {U"usd", "USD"}, {U"hkd", "HKD"}, {U"cny", "CNY"}, {U"eur", "EUR"}, {U"gbp", "GBP"}, {U"jpy", "JPY"}, {U"美元", "USD"}, {U"欧元", "EUR"},
                                      {U"$", "USD"}, {U"¥", "CNY"}, {U"€", "EUR"}, {U"£", "GBP"}};

constexpr Word share_units[] = {{U"股", "shares"}, {U" shares", "shares"}, {U" ordinary shares", "shares"}, {U"手", "lots"}};

constexpr Word rate_units[] = {{U"个百分点", "pp"}, {U"百分点", "pp"}, {U"个基点", "bp"}, {U"基点", "bp"}, {U" basis points", "bp"}, {U" percentage points", "pp"}, {U" bps", "bp"}, {U"bps", "bp"},
                               {U" bp", "bp"}, {U"bp", "bp"}, {U"%", "%"}, {U" %", "%"}, {U" percent", "%"}, {U" per cent", "%"}, {U"‰", "‰"}};

constexpr Word parts_of[] = {{U"百分之", "%"}, {U"千分之", "‰"}, {U"万分之", "‱"}};

template <std::size_t n>
const Word* word_at(const Word (&words)[n], View text, std::size_t at) {
  for (const Word& word : words) {
    const std::size_t end = at + word.text.size();
    // "bn" is no magnitude in "bnp"
    if (at_word(text, at, word.text) && !(latin(word.text.back()) && end < text.size() && latin(text[end]))) return &word;
  }
  return nullptr;
}

/// A currency that ends at `at` (a space between is allowed); its first character goes to `begin`.
const Word* currency_before(View text, std::size_t at, std::size_t& begin) {
  const std::size_t end = at > 0 && text[at - 1] == U' ' ? at - 1 : at;
  for (const Word& word : currencies_before) {
    if (end < word.text.size() || !at_word(text, end - word.text.size(), word.text)) continue;
    begin = end - word.text.size();
    if (latin(word.text.front()) && begin > 0 && latin(text[begin - 1])) continue;
    return &word;
  }
  return nullptr;
}

std::string with_unit(const Decimal& value, const char* unit) { return value.normalized().to_string() + " " + unit; }

void add(std::size_t begin, std::size_t end, const char* type, std::string value, int rank, std::vector<Candidate>& out) {
  Candidate found;
  found.entity.type = type;
  found.entity.begin = begin;
  found.entity.end = end;
  found.entity.value = std::move(value);
  found.rank = rank;
  out.push_back(std::move(found));
}

/// What the number at [begin, number.end) counts; false where nothing says so.
bool read_unit(View text, std::size_t begin, Number number, std::vector<Candidate>& out) {
  if (const Word* unit = word_at(rate_units, text, number.end)) {
    const bool negative = begin > 0 && text[begin - 1] == U'-' && !(begin > 1 && (digit(text[begin - 2]) || text[begin - 2] == U'%'));
    add(negative ? begin - 1 : begin, number.end + unit->text.size(), "rate", with_unit(negative ? -number.value : number.value, unit->name), 3, out);
    return true;
  }
  std::size_t end = number.end;
  Decimal value = number.value;
  if (end < text.size() && (text[end] == U'余' || text[end] == U'多')) ++end;
  if (const Word* magnitude = word_at(magnitudes, text, end)) {
    auto scaled = Decimal::multiply(value, Decimal(magnitude->factor));
    if (!scaled.ok()) return false;
    value = *scaled;
    end += magnitude->text.size();
    if (end < text.size() && (text[end] == U'余' || text[end] == U'多')) ++end;
  }
  std::size_t from = begin;
  const Word* before = currency_before(text, begin, from);
  if (const Word* behind = word_at(currencies_behind, text, end)) {
    const bool agree = before && std::string_view(before->name) == behind->name;
    const bool mixed = before && std::string_view(behind->name) == "CNY";  // 港币5亿元
    add(agree || mixed ? from : begin, end + behind->text.size(), "amount", with_unit(value, mixed ? before->name : behind->name), 3, out);
    return true;
  }
  if (before) {
    add(from, end, "amount", with_unit(value, before->name), 3, out);
    return true;
  }
  if (const Word* unit = word_at(share_units, text, end)) {
    const std::size_t behind = end + unit->text.size();
    if (unit->text == U"股" && behind < text.size() && (text[behind] == U'东' || text[behind] == U'权' || text[behind] == U'票')) return false;
    add(begin, behind, "quantity", with_unit(value, unit->name), 3, out);
    return true;
  }
  return false;
}

}  // namespace

void find_quantities(View text, std::vector<Candidate>& out) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (const Word* part = word_at(parts_of, text, i)) {
      const std::size_t at = i + part->text.size();
      auto number = plain_number(text, at);
      if (!number) number = han_number(text, at);
      if (number) {
        add(i, number->end, "rate", with_unit(number->value, part->name), 3, out);
        i = number->end - 1;
        continue;
      }
    }
    if (digit(text[i])) {
      const auto number = plain_number(text, i);
      if (!number) continue;
      read_unit(text, i, *number, out);
      i = number->end - 1;
    } else if (han_digit(text[i]) >= 0 || text[i] == U'十') {
      const auto number = han_number(text, i);
      if (!number) continue;
      // 一股, 三手: more often words than counts
      if (number->end - i > 1 || word_at(currencies_behind, text, number->end)) read_unit(text, i, *number, out);
      i = number->end - 1;
    }
  }
}

}  // namespace heng::insight_entities
