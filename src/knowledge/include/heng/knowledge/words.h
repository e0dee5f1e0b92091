#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace heng::knowledge {

/// How a text is cut: `index` gives every form under which it may be sought, `query` only the most telling ones.
enum class WordsFor { index, query };

/// One token. `text` is folded: NFKC, lower case, no diacritics, traditional characters as simplified ones, English stems
/// (Snowball), numbers without thousands separators and trailing zeros ("1,234.50" → "1234.5").
struct Word {
  std::string text;
  std::size_t begin = 0, end = 0;  ///< Bytes of the source.
  bool same_place = false;         ///< Another form of the token before it; does not count for the length.
};

/// Cuts Chinese and English text into tokens. Runs of Han, kana and Hangul become single characters and overlapping pairs
/// (a query: pairs only, a lone character where the run has one), so every word of one or two characters is found without
/// a dictionary. "第十二条" also gives "第12条", "FY2015" also "2015", "10-K" also "10k".
/// Not thread-safe (holds a stemmer); cheap to create, one per thread. Invalid UTF-8 is read as U+FFFD.
class WordSplitter {
 public:
  WordSplitter();
  ~WordSplitter();
  WordSplitter(WordSplitter&&) noexcept;
  WordSplitter& operator=(WordSplitter&&) noexcept;

  /// Calls `sink` for each token in order; stops where it returns false.
  void split(std::string_view text, WordsFor purpose, const std::function<bool(const Word&)>& sink);
  std::vector<Word> words(std::string_view text, WordsFor purpose);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// A token of a query and how much it counts.
struct QueryTerm {
  std::string text;
  double weight = 1;
  bool operator==(const QueryTerm&) const = default;
};

/// What to look for: tokens without stop words (unless nothing else is there), each once, and with lower weight the terms
/// under which filings, statements and laws file what the question names ("D&A" → depreciation, amortization).
/// At most `most` terms, heaviest first.
std::vector<QueryTerm> query_terms(WordSplitter& splitter, std::string_view question, std::size_t most = 64);

/// The question without sentences that only instruct the answerer, for embedding; the same text where there are none.
std::string essential_question(std::string_view question);

}  // namespace heng::knowledge
