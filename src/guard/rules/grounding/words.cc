#include "grounding/words.h"

#include <algorithm>
#include <cmath>

#include "grounding/vocabulary.h"
#include "heng/base/text.h"

namespace heng::guard {

namespace {

std::string ascii(const FoldedText& text, std::size_t begin, std::size_t end) {
  return text::from_utf32(std::u32string_view(text.folded).substr(begin, end - begin));
}

bool is_letter(char32_t c) { return is_ascii_letter(c) || (c >= 0xE0 && c <= 0x24F) || (c >= 0x3B1 && c <= 0x3C9); }

bool is_upper(char32_t c) { return c >= U'A' && c <= U'Z'; }

bool starts_sentence(const FoldedText& text, std::size_t i) {
  while (i > 0 && (is_blank(text.at(i - 1)) || text.at(i - 1) == U'"' || text.at(i - 1) == U'*' || text.at(i - 1) == U'(')) --i;
  if (i == 0) return true;
  const char32_t before = text.at(i - 1);
  return is_line_end(before) || before == U'.' || before == U'!' || before == U'?' || before == U':' || before == U'|' ||
         before == U'。' || before == U';';
}

/// Latin word at `i`, with inner apostrophes, ampersands and points of initials; returns its end.
std::size_t latin_word(const FoldedText& text, std::size_t i, std::vector<Word>& out) {
  std::size_t end = i;
  bool digits = false;
  while (end < text.size()) {
    const char32_t c = text.at(end);
    if (is_letter(c)) {
      ++end;
    } else if (is_ascii_digit(c)) {
      digits = true;
      ++end;
    } else if ((c == U'\'' || c == U'&') && is_letter(text.at(end + 1))) {
      ++end;
    } else {
      break;
    }
  }
  std::string word = ascii(text, i, end);
  if (word.ends_with("'s")) word.resize(word.size() - 2);
  if (word.ends_with("n't") || is_function_word(word)) {
    // a single capital letter may be a name: Bank A
    if (!(end - i == 1 && is_upper(text.original[i]) && !starts_sentence(text, i)) || word == "i") return end;
  }
  Word found;
  found.begin = i;
  found.end = end;
  const bool all_capitals = end - i >= 2 && std::all_of(text.original.begin() + static_cast<std::ptrdiff_t>(i),
                                                        text.original.begin() + static_cast<std::ptrdiff_t>(end),
                                                        [](char32_t c) { return is_upper(c) || !is_letter(fold(c)); });
  found.name = all_capitals || digits || (is_upper(text.original[i]) && !starts_sentence(text, i));
  found.stem = digits ? word : stem(word);
  found.generic = is_generic_word(found.stem);
  out.push_back(std::move(found));
  return end;
}

std::size_t han_run(const FoldedText& text, std::size_t i, std::vector<Word>& out) {
  std::size_t end = i;
  while (end < text.size() && text::is_cjk(text.at(end)) && !is_function_character(text.at(end))) ++end;
  const auto push = [&](std::size_t begin, std::size_t length) {
    Word found;
    found.begin = begin;
    found.end = begin + length;
    found.stem = text::from_utf32(std::u32string_view(text.folded).substr(begin, length));
    found.generic = is_generic_word(found.stem);
    out.push_back(std::move(found));
  };
  if (end - i == 1)
    push(i, 1);
  else
    for (std::size_t at = i; at + 1 < end; ++at) push(at, 2);
  return std::max(end, i + 1);
}

}  // namespace

std::string stem(std::string_view word) {
  std::string s(word);
  const auto ends = [&](std::string_view tail) { return s.size() > tail.size() + 2 && s.ends_with(tail); };
  const auto cut = [&](std::size_t n) { s.resize(s.size() - n); };
  if (const char* regular = irregular_stem(s)) return regular;
  if (ends("ies")) {
    cut(3);
    s += 'y';
  } else if (ends("sses") || ends("xes") || ends("ches") || ends("shes")) {
    cut(2);
  } else if (ends("s") && !s.ends_with("ss") && !s.ends_with("us") && !s.ends_with("is")) {
    cut(1);
  }
  if (ends("ingly") || ends("edly")) cut(2);
  if (ends("ing") || ends("ed")) {
    const std::size_t n = s.ends_with("ing") ? 3 : 2;
    if (s.size() - n >= 3) {
      cut(n);
      if (s.size() > 3 && s[s.size() - 1] == s[s.size() - 2] && s.back() != 'l' && s.back() != 's') cut(1);
      if (s.back() == 'i') s.back() = 'y';
    }
  } else if (ends("ly")) {
    cut(2);
  }
  if (ends("ation")) {
    cut(5);
  } else if (ends("ment") && s.size() > 7) {
    cut(4);
  }
  if (s.size() > 3 && s.back() == 'e') cut(1);
  return s;
}

std::vector<Word> content_words(const FoldedText& text) {
  std::vector<Word> out;
  for (std::size_t i = 0; i < text.size();) {
    const char32_t c = text.at(i);
    if (is_letter(c)) {
      i = latin_word(text, i, out);
    } else if (text::is_cjk(c)) {
      i = is_function_character(c) ? i + 1 : han_run(text, i, out);
    } else if (is_ascii_digit(c)) {
      // digits belong to the figures; codes that begin with digits are read with their letters
      while (is_ascii_digit(text.at(i))) ++i;
    } else {
      ++i;
    }
  }
  return out;
}

std::vector<Word> content_words(std::string_view text) { return content_words(fold(text)); }

const std::vector<std::string>& synonyms(const std::string& stem) {
  static const auto table = [] {
    std::unordered_map<std::string, std::vector<std::string>> out;
    for (const auto& group : synonym_groups()) {
      std::vector<std::string> stems;
      for (const auto& phrase : group)
        for (const auto& word : content_words(phrase)) stems.push_back(word.stem);
      for (const auto& a : stems)
        for (const auto& b : stems)
          if (a != b) out[a].push_back(b);
    }
    return out;
  }();
  static const std::vector<std::string> none;
  const auto found = table.find(stem);
  return found == table.end() ? none : found->second;
}

WordSet word_set(const std::vector<Word>& words) {
  WordSet out;
  for (const auto& word : words) out.insert(word.stem);
  return out;
}

double coverage_of(const std::string& stem, const WordSet& set) {
  if (set.contains(stem)) return 1;
  for (const auto& other : synonyms(stem))
    if (set.contains(other)) return 0.9;
  // the same word with another ending: "verif" and "verify", "distribut" and "distributor"
  if (stem.size() >= 6 && static_cast<unsigned char>(stem[0]) < 0x80)
    for (const auto& other : set)
      if (other.size() >= 5 && static_cast<unsigned char>(other[0]) < 0x80) {
        const std::size_t common = std::min(stem.size(), other.size());
        if (common >= 6 && stem.compare(0, common, other, 0, common) == 0) return 0.85;
      }
  return 0;
}

void WordWeights::add(const WordSet& unit) {
  ++units_;
  for (const auto& word : unit) ++units_with_[word];
}

double WordWeights::weight(const Word& word) const {
  const auto found = units_with_.find(word.stem);
  const double with = found == units_with_.end() ? 0 : found->second;
  const double rare = std::log((units_ + 1.0) / (with + 0.5)) / std::log(units_ + 2.0);
  double weight = 0.5 + std::clamp(rare, 0.0, 1.0);
  if (word.name) weight += 0.5;
  return word.generic ? weight * 0.35 : weight;
}

}  // namespace heng::guard
