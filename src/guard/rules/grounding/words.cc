#include "grounding/words.h"

#include <unicode/brkiter.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "grounding/vocabulary.h"
#include "heng/base/text.h"
#include "heng/guard/figures.h"

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
  // at the start of a sentence a capital says nothing, unless "'s" or another capital follows
  const bool possessive = text.at(end - 2) == U'\'' && text.at(end - 1) == U's';
  const bool capital_follows = text.at(end) == U' ' && end + 1 < text.size() && is_upper(text.original[end + 1]);
  const bool capital = is_upper(text.original[i]) && (!starts_sentence(text, i) || possessive || capital_follows);
  found.name = all_capitals || digits || capital;
  found.subject = found.name;
  found.stem = digits ? word : stem(word);
  found.generic = is_generic_word(found.stem);
  // "Scope 1": digits that are no figure tell the word apart
  std::size_t digit = end + 1;
  while (text.at(end) == U' ' && is_ascii_digit(text.at(digit)) && digit - end < 4) ++digit;
  if (text.at(end) == U' ' && digit > end + 1 && !is_ascii_word(text.at(digit))) {
    Word numbered = found;
    numbered.stem += " " + ascii(text, end + 1, digit);
    numbered.name = numbered.subject = true;
    numbered.generic = false;
    numbered.end = digit;
    out.push_back(std::move(found));
    out.push_back(std::move(numbered));
    return digit;
  }
  out.push_back(std::move(found));
  return end;
}

void push_han(const FoldedText& text, std::size_t begin, std::size_t length, std::vector<Word>& out) {
  Word found;
  found.begin = begin;
  found.end = begin + length;
  found.stem = text::from_utf32(std::u32string_view(text.folded).substr(begin, length));
  found.generic = length == 1 || is_generic_word(found.stem);
  out.push_back(std::move(found));
}

std::size_t han_end(const FoldedText& text, std::size_t i) {
  while (i < text.size() && text::is_cjk(text.at(i)) && !is_function_character(text.at(i))) ++i;
  return i;
}

/// Lengths of the words of a run of Han characters, by ICU's dictionary.
std::vector<std::size_t> han_words(const FoldedText& text, std::size_t begin, std::size_t end) {
  thread_local const std::unique_ptr<icu::BreakIterator> breaker = [] {
    UErrorCode status = U_ZERO_ERROR;
    std::unique_ptr<icu::BreakIterator> made(icu::BreakIterator::createWordInstance(icu::Locale::getChinese(), status));
    return U_SUCCESS(status) ? std::move(made) : nullptr;
  }();
  std::vector<std::size_t> out;
  if (!breaker) return {end - begin};
  const auto run = icu::UnicodeString::fromUTF32(reinterpret_cast<const UChar32*>(text.folded.data() + begin), static_cast<int32_t>(end - begin));
  breaker->setText(run);
  int32_t last = breaker->first();
  for (int32_t at = breaker->next(); at != icu::BreakIterator::DONE; at = breaker->next()) {
    out.push_back(static_cast<std::size_t>(run.countChar32(last, at - last)));
    last = at;
  }
  return out;
}

/// Marks what stands before 基金, 银行, 卡 … in the same run as the name of the thing.
void mark_subjects(const FoldedText& text, std::size_t run_begin, std::size_t run_end, std::vector<Word>& out, std::size_t first) {
  for (const auto head : {U"基金", U"银行", U"公司", U"集团", U"证券", U"支行", U"分行", U"信托", U"保险", U"卡", U"账户"}) {
    const std::u32string_view word(head);
    const auto at = std::u32string_view(text.folded).substr(run_begin, run_end - run_begin).find(word);
    if (at == std::u32string_view::npos) continue;
    for (std::size_t w = first; w < out.size(); ++w)
      if (out[w].end <= run_begin + at + word.size() && !out[w].generic) out[w].subject = true;
  }
}

/// Single characters in a row are taken in pairs, as words that the dictionary lacks: side by side where they come out even
/// (金卡|主卡), else overlapping.
void push_singles(const FoldedText& text, std::size_t begin, std::size_t count, std::vector<Word>& out) {
  if (count == 1) return push_han(text, begin, 1, out);
  const std::size_t step = count % 2 == 0 ? 2 : 1;
  for (std::size_t k = 0; k + 1 < count; k += step) push_han(text, begin + k, 2, out);
}

std::size_t han_run(const FoldedText& text, std::size_t i, std::vector<Word>& out) {
  const std::size_t end = han_end(text, i), first = out.size();
  std::size_t at = i, singles = 0;
  for (const std::size_t length : han_words(text, i, end)) {
    if (length == 1) {
      ++singles;
    } else {
      if (singles > 0) push_singles(text, at - singles, singles, out);
      singles = 0;
      for (std::size_t k = at; k + 1 < at + length; ++k) push_han(text, k, 2, out);
    }
    at += length;
  }
  if (singles > 0) push_singles(text, at - singles, singles, out);
  mark_subjects(text, i, end, out, first);
  return std::max(end, i + 1);
}

std::size_t source_run(const FoldedText& text, std::size_t i, std::vector<Word>& out) {
  const std::size_t end = han_end(text, i), first = out.size();
  for (std::size_t at = i; at < end; ++at) {
    push_han(text, at, 1, out);
    if (at + 1 < end) push_han(text, at, 2, out);
  }
  mark_subjects(text, i, end, out, first);
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

namespace {

template <class HanReader>
std::vector<Word> read_words(const FoldedText& text, HanReader han) {
  std::vector<Word> out;
  for (std::size_t i = 0; i < text.size();) {
    const char32_t c = text.at(i);
    if (is_letter(c)) {
      i = latin_word(text, i, out);
    } else if (text::is_cjk(c)) {
      i = is_function_character(c) ? i + 1 : han(text, i, out);
    } else if (is_ascii_digit(c)) {
      // digits belong to the figures; codes that begin with digits are read with their letters
      while (is_ascii_digit(text.at(i))) ++i;
    } else {
      ++i;
    }
  }
  return out;
}

}  // namespace

std::vector<Word> content_words(const FoldedText& text) { return read_words(without_figures(text), han_run); }
std::vector<Word> content_words(std::string_view text) { return content_words(fold(text)); }
std::vector<Word> source_words(const FoldedText& text) { return read_words(without_figures(text), source_run); }
std::vector<Word> source_words(std::string_view text) { return source_words(fold(text)); }

FoldedText without_figures(const FoldedText& text) {
  FoldedText out = text;
  for (const auto& figure : extract_figures(text.slice(0, text.size())))
    for (std::size_t i = figure.begin; i < figure.end; ++i) out.folded[i] = out.original[i] = U' ';
  return out;
}

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
  // both characters, apart: 收取 in 收…取
  if (stem.size() == 6 && static_cast<unsigned char>(stem[0]) >= 0xE3 && set.contains(stem.substr(0, 3)) && set.contains(stem.substr(3))) return 0.4;
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
