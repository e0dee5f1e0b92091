#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace heng::insight {

/// Which features a linear head reads. Stored with the head; a text is read the same way in training and in use.
struct FeatureSettings {
  int han_longest = 4;           ///< n-grams of 1…n code points that begin at a Han character, mark or symbol.
  int latin_shortest = 3;        ///< n-grams inside words of other scripts, word ends marked.
  int latin_longest = 5;
  int pair_window = 2;           ///< Ordered pairs of words at most so many words apart; 1: neighbours only.
  bool fold_digits = true;       ///< Every digit reads as 0.
};

/// A text as the features see it: folded code points and, for explanations, where each came from.
struct FoldedCodes {
  std::vector<std::uint32_t> codes;      ///< With a mark before the first and behind the last.
  std::vector<std::uint32_t> sources;    ///< Index of the code point of the original; filled only where asked for.
};

constexpr std::size_t longest_word = 64;
constexpr std::uint32_t code_edge = 0xE001, code_link = 0xE000, code_field = 0xE002;  ///< A field mark is U+001E in the text.

/// Compatibility forms made plain, lower case, white space to one space, a character repeated more than three times cut to
/// three, a web address to one mark. `text` must be valid UTF-8. Allocation: none once `out` has grown.
void fold(std::string_view text, const FeatureSettings& settings, bool with_sources, FoldedCodes& out);

/// Han, kana, marks, symbols: a word of its own. The others (letters and digits) form words.
class CodeClasses {
 public:
  static const CodeClasses& get();
  std::uint16_t folded(std::uint32_t c) const { return folded_[c]; }        ///< c < 0x10000; 0: left out.
  bool in_word(std::uint32_t c) const { return c < 0x10000 && in_word_[c]; }

 private:
  CodeClasses();
  std::array<std::uint16_t, 0x10000> folded_;
  std::array<bool, 0x10000> in_word_;
};

namespace feature_hash {
constexpr std::uint64_t multiplier = 0x9E3779B97F4A7C15ull;
inline std::uint64_t step(std::uint64_t h, std::uint64_t value) { return (((h << 7) | (h >> 57)) ^ value) * multiplier; }
constexpr std::uint64_t han = 0x51ull * multiplier, word = 0xA3ull * multiplier, part = 0xC7ull * multiplier, pair = 0xE9ull * multiplier;
}  // namespace feature_hash

/// Calls sink(hash, begin, end) for every feature of the folded text, in the order of the text; begin and end are indices
/// into `codes`. A pair's span is that of its second word, so that its weight is shown there.
template <class Sink>
void for_each_feature(const FoldedCodes& text, const FeatureSettings& settings, Sink&& sink) {
  using namespace feature_hash;
  const CodeClasses& classes = CodeClasses::get();
  const std::uint32_t* codes = text.codes.data();
  const std::size_t count = text.codes.size();
  std::uint64_t field = 0;                // what stands behind a field mark counts apart from the same before it
  std::array<std::uint64_t, 8> before{};  // the hashes of the last words
  std::size_t words = 0;
  const std::size_t window = static_cast<std::size_t>(settings.pair_window);
  std::size_t i = 0;
  while (i < count) {
    const std::uint32_t c = codes[i];
    if (c == ' ') {
      ++i;
      continue;
    }
    if (c == code_field) {
      field = step(field, code_field);
      words = 0;
      ++i;
      continue;
    }
    if (!classes.in_word(c)) {
      const std::size_t end = i + static_cast<std::size_t>(settings.han_longest) < count ? i + static_cast<std::size_t>(settings.han_longest) : count;
      std::uint64_t h = han ^ field;
      for (std::size_t j = i; j < end; ++j) {
        h = step(h, codes[j]);
        sink(h, i, j + 1);
      }
      ++i;
      continue;
    }
    std::size_t end = i;
    std::uint64_t whole = word ^ field;
    for (; end < count && classes.in_word(codes[end]); ++end) whole = step(whole, codes[end]);
    sink(whole, i, end);
    for (std::size_t k = 1; k <= window && k <= words; ++k) sink(step(step(pair, before[(words - k) % before.size()] + (k > 1)), whole), i, end);
    before[words++ % before.size()] = whole;
    // parts of the word (its first 64 characters); its two ends count as one character each
    const std::size_t letters = end - i < longest_word ? end - i : longest_word, length = letters + 2;
    std::array<std::uint32_t, longest_word + 2> padded;
    padded[0] = ' ';
    for (std::size_t k = 0; k < letters; ++k) padded[k + 1] = codes[i + k];
    padded[length - 1] = ' ';
    const std::size_t shortest = static_cast<std::size_t>(settings.latin_shortest), longest = static_cast<std::size_t>(settings.latin_longest);
    for (std::size_t a = 0; a + shortest <= length; ++a) {
      const std::size_t stop = a + longest < length ? a + longest : length;
      std::uint64_t h = part ^ field;
      std::size_t at = a;
      for (; at + 1 < a + shortest; ++at) h = step(h, padded[at]);
      for (; at < stop; ++at) {
        h = step(h, padded[at]);
        sink(h, i + (a == 0 ? 0 : a - 1), i + (at < letters ? at : letters));
      }
    }
    i = end;
  }
}

}  // namespace heng::insight
