// Security codes, and names of companies that are not listed.
#include <algorithm>
#include <optional>

#include "heng/base/text.h"
#include "names.h"

namespace heng::insight_entities {
namespace {

using View = std::u32string_view;

std::string ascii(View s) {
  std::string out;
  for (const char32_t c : s) out += c < 0x80 ? static_cast<char>(c) : '?';
  return out;
}

bool word_character(char32_t c) { return latin(c) || digit(c); }

std::size_t digits_at(View text, std::size_t at) {
  std::size_t n = 0;
  while (at + n < text.size() && digit(text[at + n])) ++n;
  return n;
}

/// The exchange that a six-digit number belongs to by its beginning (rules of the three exchanges); "" for none.
const char* market_of(const std::string& code) {
  auto begins = [&](std::initializer_list<const char*> with) { return std::any_of(with.begin(), with.end(), [&](const char* p) { return code.starts_with(p); }); };
  if (begins({"600", "601", "603", "605", "688", "689", "900", "51", "56", "58", "110", "113", "118"})) return "SH";
  if (begins({"000", "001", "002", "003", "300", "301", "200", "15", "16", "123", "127", "128"})) return "SZ";
  if (begins({"43", "83", "87", "88", "92"})) return "BJ";
  return "";
}

void add(const Directory& directory, std::size_t begin, std::size_t end, const std::string& code, std::vector<Candidate>& out) {
  Candidate found;
  found.entity.type = "security";
  found.entity.begin = begin;
  found.entity.end = end;
  found.entity.value = normal_code(code);
  if (const Company* company = directory.by_code(code)) {
    found.entity.id = company->code;
    found.entity.name = company->name_zh.empty() ? company->name_en : company->name_zh;
  }
  found.rank = 6;
  out.push_back(std::move(found));
}

constexpr std::size_t ticker_reach = 80;
constexpr View code_words[] = {U"代码", U"证券", U"股票", U"a股", U"code", U"ticker", U"stock"};
bool code_word_before(View text, std::size_t at) {
  const std::size_t from = at > 12 ? at - 12 : 0;
  const View before = text.substr(from, at - from);
  return std::any_of(std::begin(code_words), std::end(code_words), [&](View word) { return before.find(word) != View::npos; });
}

/// 600519, 600519.SH, SH600519, 0700.HK. Returns the end, or `at`.
std::size_t number_code(const Directory& directory, View text, std::size_t at, std::vector<Candidate>& out) {
  const std::size_t n = digits_at(text, at);
  std::size_t end = at + n;
  if (n < 4 || n > 6) return at;
  const std::string body = ascii(text.substr(at, n));
  if (end + 2 < text.size() && text[end] == U'.' && latin(text[end + 1])) {
    std::size_t letters = 0;
    while (end + 1 + letters < text.size() && latin(text[end + 1 + letters])) ++letters;
    const std::string code = body + "." + ascii(text.substr(end + 1, letters));
    const std::string normal = normal_code(code);
    if (!normal.empty() && (n == 6) != normal.ends_with(".HK")) {
      add(directory, at, end + 1 + letters, code, out);
      return end + 1 + letters;
    }
  }
  if (n <= 5 && at >= 3 && (at_word(text, at - 3, U"hk:") || at_word(text, at - 3, U"hk.")) && (at == 3 || !word_character(text[at - 4]))) {
    add(directory, at - 3, end, body + ".HK", out);
    return end;
  }
  if (n == 5 && at >= 2 && at_word(text, at - 2, U"hk") && (at == 2 || !word_character(text[at - 3]))) {
    add(directory, at - 2, end, body + ".HK", out);
    return end;
  }
  if (n != 6) return at;
  for (const auto& [prefix, market] : {std::pair{View(U"sh"), "SH"}, std::pair{View(U"sz"), "SZ"}, std::pair{View(U"bj"), "BJ"}}) {
    for (const std::size_t gap : {std::size_t{0}, std::size_t{1}}) {
      if (at < 2 + gap || !at_word(text, at - 2 - gap, prefix) || (gap && text[at - 1] != U'.' && text[at - 1] != U':')) continue;
      if (at > 2 + gap && word_character(text[at - 3 - gap])) continue;
      add(directory, at - 2 - gap, end, body + "." + market, out);
      return end;
    }
  }
  const std::string market = market_of(body);
  if (market.empty()) return at;
  const char32_t before = at ? text[at - 1] : U' ', behind = end < text.size() ? text[end] : U' ';
  if (word_character(before) || before == U'.' || before == U',' || before == U'-' || before == U'¥' || before == U'$') return at;
  if (word_character(behind) || behind == U'%' || behind == U'元' || behind == U'万' || behind == U'亿' || behind == U'股' || behind == U'年' ||
      ((behind == U'.' || behind == U',') && end + 1 < text.size() && digit(text[end + 1]))) return at;
  const bool bracketed = (before == U'(' && behind == U')') || (before == U'[' && behind == U']');
  const std::string code = body + "." + market;
  // a bare number is a code where the directory knows it, or something says so
  if (!directory.by_code(code) && !bracketed && !code_word_before(text, at)) return at;
  add(directory, at, end, code, out);
  return end;
}

/// $AAPL, AAPL.US, NASDAQ: AAPL, and AAPL alone where the directory knows it and the text is about shares.
std::size_t ticker(const Directory& directory, View original, View text, std::size_t at, std::vector<Candidate>& out) {
  std::size_t n = 0;
  while (at + n < original.size() && original[at + n] >= U'A' && original[at + n] <= U'Z') ++n;
  std::size_t end = at + n;
  if (n == 0 || n > 5) return at;
  const std::string body = ascii(original.substr(at, n));
  if (end + 1 < original.size() && original[end] == U'.' && n <= 5) {
    for (const View market : {View(U"us"), View(U"o"), View(U"n")}) {
      const std::size_t behind = end + 1 + market.size();
      if (at_word(text, end + 1, market) && (behind >= text.size() || !word_character(text[behind]))) {
        add(directory, at, behind, body + ".US", out);
        return behind;
      }
    }
  }
  if (end < original.size() && word_character(original[end])) return at;
  if (at > 0 && original[at - 1] == U'$') {
    add(directory, at - 1, end, body + ".US", out);
    return end;
  }
  for (const View exchange : {View(U"nasdaq"), View(U"nyse"), View(U"纳斯达克"), View(U"纽交所")}) {
    std::size_t from = at;
    while (from > 0 && (text[from - 1] == U' ' || text[from - 1] == U':')) --from;
    if (from == at || from < exchange.size() || !at_word(text, from - exchange.size(), exchange)) continue;
    add(directory, at, end, body + ".US", out);
    return end;
  }
  if (n >= 2 && directory.by_code(body + ".US") && speaks_of_shares(text, at, end)) {
    // in a text written in capitals a word is no ticker
    const std::size_t from = at > ticker_reach ? at - ticker_reach : 0;
    const View around = original.substr(from, end - from + ticker_reach);
    const auto lower = std::count_if(around.begin(), around.end(), [](char32_t c) { return c >= U'a' && c <= U'z'; });
    const auto upper = std::count_if(around.begin(), around.end(), [](char32_t c) { return c >= U'A' && c <= U'Z'; });
    const bool chinese = std::any_of(around.begin(), around.end(), [](char32_t c) { return text::is_cjk(c); });
    if (chinese || 3 * lower > upper) {
      add(directory, at, end, body + ".US", out);
      return end;
    }
  }
  return at;
}

constexpr View endings_zh[] = {U"股份有限公司", U"有限责任公司", U"集团有限公司", U"有限公司", U"集团公司"};
// where a name cannot have begun yet: words that lead up to one
constexpr View leads[] = {U"控股股东", U"实际控制人", U"子公司", U"母公司", U"孙公司", U"公司", U"关联方", U"质押给", U"转让给", U"出售给", U"收购", U"起诉", U"投资", U"持有", U"担保人", U"被告", U"原告", U"股东", U"方为", U"名为", U"系",
                          U"由", U"与", U"和", U"及", U"向", U"对", U"将", U"为", U"的", U"在", U"从", U"是", U"给", U"以及", U"购买", U"受让", U"参股", U"旗下", U"下属", U"委托", U"通过", U"设立", U"认购", U"所持", U"即", U"被", U"让",
                          U"签订", U"签署", U"增资", U"控股的", U"全资", U"向其"};

}  // namespace

void find_codes(const Directory& directory, View original, View text, std::vector<Candidate>& out) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char32_t before = i ? text[i - 1] : U' ';
    std::size_t end = i;
    if (digit(text[i]) && !digit(before)) end = number_code(directory, text, i, out);
    else if (original[i] >= U'A' && original[i] <= U'Z' && !word_character(before)) end = ticker(directory, original, text, i, out);
    if (end > i) i = end - 1;
  }
}

void find_unlisted(View original, View text, std::vector<Candidate>& out) {
  auto found = [&](std::size_t begin, std::size_t end) {
    Candidate candidate;
    candidate.entity.type = "company";
    candidate.entity.begin = begin;
    candidate.entity.end = end;
    candidate.rank = 5;
    out.push_back(std::move(candidate));
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    for (const View ending : endings_zh) {
      if (!at_word(text, i, ending)) continue;
      std::size_t begin = i;
      while (begin > 0 && i - begin < 24) {
        const char32_t c = text[begin - 1];
        if (!text::is_cjk(c) && !word_character(c) && c != U'(' && c != U')') break;
        const bool lead = std::any_of(std::begin(leads), std::end(leads), [&](View word) {
          return begin >= word.size() && at_word(text, begin - word.size(), word) && i - begin >= 2;
        });
        if (lead) break;
        --begin;
      }
      while (begin < i && (text[begin] == U')' || text[begin] == U'(' || digit(text[begin]))) ++begin;
      if (i - begin >= 2) found(begin, i + ending.size());
      i += ending.size() - 1;
      break;
    }
    // Acme Widgets Inc.
    if (original[i] >= U'A' && original[i] <= U'Z' && (i == 0 || !word_character(original[i - 1]))) {
      std::size_t at = i, end = i;
      int words = 0;
      for (; words < 6 && at < original.size() && ((original[at] >= U'A' && original[at] <= U'Z') || original[at] == U'&'); ++words) {
        std::size_t stop = at + 1;
        while (stop < original.size() && (word_character(original[stop]) || original[stop] == U'-' || original[stop] == U'\'')) ++stop;
        const View word = text.substr(at, stop - at);
        static constexpr View endings_en[] = {U"inc", U"corp", U"corporation", U"ltd", U"limited", U"plc", U"llc", U"ag", U"group", U"holdings", U"bancorp", U"co"};
        if (words > 0 && std::find(std::begin(endings_en), std::end(endings_en), word) != std::end(endings_en)) {
          end = stop < original.size() && original[stop] == U'.' && (word == U"inc" || word == U"corp" || word == U"ltd" || word == U"co") ? stop + 1 : stop;
        }
        if (stop + 1 >= original.size()) break;
        if (original[stop] == U',' && original[stop + 1] == U' ') at = stop + 2;  // Acme, Inc.
        else if (original[stop] == U' ') at = stop + 1;
        else if (original[stop] == U'.' && end == stop + 1 && original[stop + 1] == U',' && stop + 2 < original.size()) at = stop + 3;
        else break;
      }
      if (end > i) {
        found(i, end);
        i = end - 1;
      }
    }
  }
}

}  // namespace heng::insight_entities
