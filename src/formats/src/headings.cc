#include "headings.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

#include "heng/base/text.h"

namespace heng::formats {
namespace {

constexpr std::u32string_view bullets = U"•●▪■◆◦○‣–·\uF0B7\uF0A7\uF076\u2713\uF0D8";
constexpr std::u32string_view chinese_numerals = U"一二三四五六七八九十百零〇";

bool numeral(char32_t c) { return chinese_numerals.find(c) != std::u32string_view::npos; }

std::u32string head(std::string_view text, std::size_t count) {
  std::u32string out;
  for (std::size_t i = 0; i < text.size() && out.size() < count;) out.push_back(text::next(text, i));
  return out;
}

// "第三节", "第十二条": 节, 章, 编, 部分 and the like head a part of a document.
char32_t chinese_part(const std::u32string& text) {
  if (text.size() < 3 || text[0] != U'第') return 0;
  std::size_t i = 1;
  while (i < text.size() && (numeral(text[i]) || text::is_digit(text[i]) || text[i] == U' ')) ++i;
  return i > 1 && i < text.size() ? text[i] : 0;
}

// Length of "一、", "（二）", "3、", "(4)", "1.2.3" at the start, 0 where there is none.
struct Number {
  std::size_t length = 0;
  int level = 0;
};

Number clause_number(const std::u32string& text) {
  std::size_t i = 0;
  if (text.empty()) return {};
  bool bracket = text[0] == U'(' || text[0] == U'（';
  if (bracket) ++i;
  std::size_t start = i;
  bool chinese = i < text.size() && numeral(text[i]);
  int dots = 0;
  while (i < text.size() && (chinese ? numeral(text[i]) : text::is_digit(text[i]) || (text[i] == U'.' && i > start))) dots += text[i++] == U'.';
  if (i == start || i - start > 8) return {};
  if (bracket) {
    if (i >= text.size() || (text[i] != U')' && text[i] != U'）')) return {};
    return {i + 1, chinese ? 3 : 5};
  }
  if (i < text.size() && (text[i] == U'、' || (chinese && (text[i] == U'.' || text[i] == U'．')))) return {i + 1, chinese ? 2 : 4};
  if (!chinese && dots > 0) return {i, text[i - 1] == U'.' ? 1 + dots : 2 + dots};
  return {};
}

bool starts_with_word(std::string_view text, std::string_view word) {
  return text::starts_with_ci(text, word) && (text.size() == word.size() || !std::isalpha(static_cast<unsigned char>(text[word.size()])));
}

}  // namespace

bool is_list_marker(std::string_view text) {
  if (text.empty() || text.size() > 12) return false;
  std::u32string word = head(text, 12);
  if (word.size() == 1) return bullets.find(word[0]) != std::u32string_view::npos;
  if (text::starts_with_ci(text, "item ") && text.back() == '.') return true;
  bool bracket = word.front() == U'(' && word.back() == U')';
  if (!bracket && word.back() != U'.' && word.back() != U')' && word.back() != U'、') return false;
  std::size_t first = bracket ? 1 : 0, count = word.size() - first - 1;
  if (count == 0 || count > 4) return false;
  int letters = 0, digits = 0, dots = 0;
  bool roman = true;
  for (char32_t c : word.substr(first, count)) {
    if (c == U'.') ++dots;
    else if (text::is_digit(c) || numeral(c)) ++digits;
    else if ((c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z')) ++letters;
    else return false;
    if (c != U'.') roman = roman && std::u32string_view(U"ivxIVX").find(c) != std::u32string_view::npos;
  }
  // "1995." ends a sentence, "J.P." is a name
  if (dots == 0 && digits > 2) return false;
  if (letters > 1 && !(roman && dots == 0)) return false;
  // "(12)" alone is a negative figure more often than a clause
  if (bracket && digits > 1) return false;
  return (letters > 0) != (digits > 0);
}

bool is_list_item(std::string_view text) {
  std::u32string start = head(text, 2);
  if (start.size() == 2 && bullets.find(start[0]) != std::u32string_view::npos && (start[1] == U' ' || start[0] != U'–')) return true;
  std::size_t space = text.find(' ');
  if (space != std::string_view::npos && space < 8 && is_list_marker(text.substr(0, space))) return true;
  return clause_number(head(text, 10)).length > 0 && !std::isdigit(static_cast<unsigned char>(text[0]));
}

bool ends_sentence(std::string_view text) {
  text = text::trim(text);
  for (std::string_view stop : {".", "。", "；", ";", "!", "！", "?", "？", ":", "："}) {
    if (text.ends_with(stop)) return true;
  }
  return false;
}

int heading_level(std::string_view text, std::size_t lines, double relative_size, bool bold) {
  std::u32string start = head(text, 200);
  bool letters = std::any_of(start.begin(), start.end(), [](char32_t c) { return text::is_cjk(c) || (c < 128 && std::isalpha(static_cast<int>(c))); });
  if (!letters || start.size() >= 160 || lines > 3) return 0;
  bool big = relative_size >= 1.12;
  char32_t part = chinese_part(start);
  bool stop = ends_sentence(text);
  if ((part == U'章' || part == U'编' || part == U'部') && !stop && start.size() < 50) return 1;
  if (part == U'节' && !stop && start.size() < 50) return big || bold ? 1 : 2;
  if (starts_with_word(text, "part") && start.size() < 12 && (big || bold)) return 1;
  if (starts_with_word(text, "item") && std::isdigit(static_cast<unsigned char>(text.size() > 5 ? text[5] : ' ')) && (big || bold)) return 2;
  Number number = clause_number(start);
  if (number.length > 0 && start.size() < 48 && (!stop || (bold && lines == 1))) {
    bool chinese = std::any_of(start.begin(), start.end(), [](char32_t c) { return text::is_cjk(c); });
    if (chinese || big || bold) return std::min(number.level, 6);
  }
  // a bullet or a sentence is no heading however it is set
  if (is_list_item(text) || (stop && !(bold && text.back() == '.' && start.size() < 80 && lines == 1))) return 0;
  if (big) return relative_size >= 1.6 ? 1 : relative_size >= 1.3 ? 2 : 3;
  if (bold && relative_size > 0.65 && std::islower(static_cast<unsigned char>(text[0])) == 0) return 4;
  return 0;
}

}  // namespace heng::formats
