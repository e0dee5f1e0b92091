#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "folded_text.h"

namespace heng::guard {

/// A content word: the stem of a Latin word, or a pair of Han characters (one where it stands alone).
struct Word {
  std::string stem;
  std::size_t begin = 0, end = 0;  ///< Code points.
  bool name = false;               ///< Proper name by its capitals, or a code.
  bool subject = false;            ///< Part of a name, or of what a product or institution is called: 稳健债券 of 稳健债券基金.
  bool generic = false;            ///< So common that it says little (规定, "requirements").
};

/// Content words of a text in order, for judging it: Han words by ICU's dictionary, cut to pairs. Function words, figures and
/// citation marks are left out.
std::vector<Word> content_words(const FoldedText& text);
std::vector<Word> content_words(std::string_view text);
/// Everything a text can be found by: every pair and every single Han character, besides the Latin words.
std::vector<Word> source_words(const FoldedText& text);
std::vector<Word> source_words(std::string_view text);
/// The text with its figures blanked out.
FoldedText without_figures(const FoldedText& text);

/// Stem of a folded Latin word: "increases", "increased" → "increas".
std::string stem(std::string_view word);

/// Other stems that mean the same, in both languages (a small glossary of banking and markets); may be empty.
const std::vector<std::string>& synonyms(const std::string& stem);

using WordSet = std::unordered_set<std::string>;
WordSet word_set(const std::vector<Word>& words);
/// 1 where the set holds the word, 0.9 where it holds a synonym, else 0.
double coverage_of(const std::string& stem, const WordSet& set);

/// How much each word tells, from the units of the passages at hand.
class WordWeights {
 public:
  void add(const WordSet& unit);
  /// 0.3 (in every unit, generic) … 2 (rare or unknown).
  double weight(const Word& word) const;

 private:
  std::unordered_map<std::string, int> units_with_;
  int units_ = 0;
};

}  // namespace heng::guard
