#include <array>
#include <string>

#include "heng/base/text.h"

namespace heng::text {
namespace {

constexpr std::array abbreviations = {"mr", "mrs", "ms", "dr", "prof", "inc", "ltd", "co", "corp", "no", "nos", "vs", "etc",
                                      "approx", "est", "fig", "sec", "art", "jan", "feb", "mar", "apr", "jun", "jul", "aug",
                                      "sep", "sept", "oct", "nov", "dec", "u.s", "u.k", "e.g", "i.e", "a.m", "p.m", "st", "cf",
                                      "pp", "vol", "ch", "para", "jr", "sr", "plc", "n.a", "ph.d"};

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// The word that ends just before byte `stop`, lower-case, inner points kept.
std::string word_before(std::string_view s, std::size_t begin, std::size_t stop) {
  std::size_t at = stop;
  while (at > begin && (is_letter_or_digit(s[at - 1]) || s[at - 1] == '.')) --at;
  return lower(s.substr(at, stop - at));
}

bool is_abbreviation(const std::string& word) {
  if (word.size() == 1 && word[0] >= 'a' && word[0] <= 'z') return true;  // an initial
  for (const char* known : abbreviations)
    if (word == known) return true;
  return false;
}

bool is_number(const std::string& word) {
  if (word.empty() || word.size() > 3) return false;
  for (const char c : word)
    if ((c < '0' || c > '9') && c != '.') return false;
  return true;
}

/// Whether the full stop at `at` ends a sentence that began at `begin`.
bool point_ends_sentence(std::string_view s, std::size_t begin, std::size_t at) {
  if (at + 1 < s.size()) {
    const char after = s[at + 1];
    const bool closes = after == ' ' || after == '\n' || after == '\t' || after == '\r' || after == '"' || after == '\'' ||
                        after == ')' || after == '[' || static_cast<unsigned char>(after) >= 0x80;
    if (!closes) return false;
  }
  const std::string word = word_before(s, begin, at);
  if (is_abbreviation(word)) return at + 1 >= s.size();
  // "1. First item": the number stands alone at the start
  if (is_number(word) && trim(s.substr(begin, at - begin)).size() == word.size()) return false;
  return true;
}

/// Takes closing quotes, brackets, repeated stops and citation marks "[1]" that belong to the sentence ending at `at`.
std::size_t take_tail(std::string_view s, std::size_t at) {
  while (at < s.size()) {
    std::size_t after = at;
    const char32_t c = next(s, after);
    if (c == U'”' || c == U'’' || c == U'」' || c == U'』' || c == U'）' || c == U')' || c == U'"' || c == U'。' || c == U'！' ||
        c == U'？' || c == U'!' || c == U'?' || c == U'】') {
      at = after;
      continue;
    }
    std::size_t mark = at;
    while (mark < s.size() && s[mark] == ' ') ++mark;
    if (mark < s.size() && s[mark] == '[') {
      std::size_t end = mark + 1;
      while (end < s.size() && ((s[end] >= '0' && s[end] <= '9') || s[end] == ',' || s[end] == ' ')) ++end;
      if (end < s.size() && s[end] == ']' && end > mark + 1) {
        at = end + 1;
        continue;
      }
    }
    break;
  }
  return at;
}

}  // namespace

std::vector<Range> sentences(std::string_view s) {
  std::vector<Range> out;
  std::size_t begin = 0;
  auto close = [&](std::size_t end) {
    const std::string_view inner = trim(s.substr(begin, end - begin));
    if (!inner.empty()) {
      const auto from = static_cast<std::size_t>(inner.data() - s.data());
      out.push_back({from, from + inner.size()});
    }
    begin = end;
  };
  for (std::size_t i = 0; i < s.size();) {
    const std::size_t at = i;
    const char32_t c = next(s, i);
    bool stop = c == U'。' || c == U'！' || c == U'？' || c == U'；' || c == U'!' || c == U'?' || c == U'\u2029';
    if (c == U'.') stop = point_ends_sentence(s, begin, at);
    if (c == U'…') stop = i >= s.size() || s[i] == ' ' || s[i] == '\n';
    if (c == U'\n') {
      close(at);
      continue;
    }
    if (stop) {
      i = take_tail(s, i);
      close(i);
    }
  }
  close(s.size());
  return out;
}

}  // namespace heng::text
