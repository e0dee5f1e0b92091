#include "marks.h"

#include <string>

#include "heng/base/text.h"

namespace heng::knowledge::marks {
namespace {

constexpr std::u32string_view numerals = U"零〇一二三四五六七八九十百千两0123456789０１２３４５６７８９";

bool in(std::u32string_view set, char32_t c) { return set.find(c) != std::u32string_view::npos; }

std::size_t ordinal(std::string_view line, std::u32string_view units) {
  std::size_t i = 0;
  if (line.empty() || text::next(line, i) != U'第') return 0;
  bool any = false;
  while (i < line.size()) {
    const char32_t c = text::next(line, i);
    if (in(numerals, c)) {
      any = true;
    } else if (in(units, c)) {
      if (!any) return 0;
      // 第十二条之一
      if (std::size_t j = i; j < line.size() && text::next(line, j) == U'之' && j < line.size() && in(numerals, text::next(line, j))) i = j;
      return i;
    } else if (c != ' ') {
      return 0;
    }
  }
  return 0;
}

bool digit(char c) { return c >= '0' && c <= '9'; }
bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// "(a)", "(12)", "（一）" at `line`'s start; length or 0.
std::size_t bracketed(std::string_view line) {
  std::size_t i = 0;
  if (line.empty()) return 0;
  const char32_t open = text::next(line, i);
  if (open != '(' && open != U'（') return 0;
  int inside = 0;
  while (i < line.size() && inside <= 5) {
    const char32_t c = text::next(line, i);
    if (c == ')' || c == U'）') return inside > 0 ? i : 0;
    if (!in(numerals, c) && !(c < 0x80 && letter(static_cast<char>(c)))) return 0;
    ++inside;
  }
  return 0;
}

}  // namespace

std::size_t article(std::string_view line) { return ordinal(line, U"条"); }
std::size_t chapter(std::string_view line) { return ordinal(line, U"章节编篇"); }

std::size_t rule_number(std::string_view line) {
  std::size_t i = 0;
  int groups = 0;
  while (i < line.size() && digit(line[i])) {
    const std::size_t start = i;
    while (i < line.size() && digit(line[i])) ++i;
    if (i - start > 4) return 0;
    if (i < line.size() && letter(line[i]) && (i + 1 == line.size() || !letter(line[i + 1]))) ++i;  // 5A.1.2
    ++groups;
    if (i < line.size() && line[i] == '.' && i + 1 < line.size() && (digit(line[i + 1]) || line[i + 1] == '(')) ++i;
    else break;
  }
  if (groups == 0) return 0;
  bool closed = false;
  while (i < line.size()) {
    if (const auto length = bracketed(line.substr(i)); length > 0) {
      i += length;
      closed = true;
    } else {
      break;
    }
  }
  if (i < line.size() && (line[i] == ')' || line[i] == '.')) {
    ++i;
    closed = true;
  }
  if (i < line.size() && line[i] != ' ' && line[i] != '\t' && line[i] != '\n') return 0;
  return groups >= 2 || closed ? i : 0;
}

bool starts_with_mark(std::string_view line) {
  if (line.empty()) return false;
  if (article(line) > 0 || chapter(line) > 0 || bracketed(line) > 0) return true;
  if (const auto length = rule_number(line); length > 0 && length < line.size()) return true;
  std::size_t i = 0;
  const char32_t first = text::next(line, i);
  if (in(U"•●○■□◆◇▪‣·*–—", first) && i < line.size()) return true;
  if (first == '-' && i < line.size() && line[i] == ' ') return true;
  if (in(numerals, first)) {
    while (i < line.size()) {
      const char32_t c = text::next(line, i);
      if (c == U'、') return true;
      if (!in(numerals, c)) return false;
    }
  }
  return false;
}

bool is_page_number(std::string_view line) {
  line = text::trim(line);
  if (line.empty() || line.size() > 32) return false;
  std::string plain;
  int digits = 0;
  for (const char c : text::lower(text::nfkc(line))) {
    if (digit(c)) {
      ++digits;
      if (plain.empty() || plain.back() != '#') plain.push_back('#');
    } else if (c != ' ' && c != '-' && static_cast<unsigned char>(c) != 0xE2 && static_cast<unsigned char>(c) != 0x80 &&
               static_cast<unsigned char>(c) != 0x93 && static_cast<unsigned char>(c) != 0x94) {
      plain.push_back(c);
    }
  }
  if (digits > 8) return false;
  if (plain == "#") return digits <= 4;
  for (const char* form : {"page#", "page#of#", "#of#", "#/#", "第#页", "第#页共#页", "第#页/共#页", "#页", "f#", "s#", "p.#", "pg#"})
    if (plain == form) return true;
  return digits == 0 && plain.size() <= 5 && plain.find_first_not_of("ivxl") == std::string::npos;
}

bool is_contents_line(std::string_view line) {
  line = text::trim(line);
  if (line.empty() || line.size() > 300 || !digit(line.back())) return false;
  std::size_t i = line.size();
  while (i > 0 && digit(line[i - 1])) --i;
  int dots = 0;
  while (i > 0) {
    const char c = line[i - 1];
    if (c == '.') {
      ++dots;
      --i;
    } else if (c == ' ' || c == '-') {
      --i;
    } else if (i >= 3 && (line.substr(i - 3, 3) == "…" || line.substr(i - 3, 3) == "·")) {
      dots += 3;
      i -= 3;
    } else if (i >= 2 && line.substr(i - 2, 2) == "·") {
      ++dots;
      i -= 2;
    } else {
      break;
    }
  }
  return dots >= 4;
}

bool states_units(std::string_view line) {
  line = text::trim(line);
  if (line.empty() || line.size() > 200) return false;
  const std::string lower = text::lower(line);
  for (const char* mark : {"单位：", "单位:", "人民币元", "币种", "in millions", "in thousands", "in billions", "(millions", "dollars in",
                           "$ in", "amounts in", "except per share", "(thousands", "百万元", "千元", "万元）", "(unaudited"})
    if (lower.find(mark) != std::string::npos) return true;
  return false;
}

}  // namespace heng::knowledge::marks
