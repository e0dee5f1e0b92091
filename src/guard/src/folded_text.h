#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace heng::guard {

/// A text as code points, beside a form folded one to one for comparing: half width, lower case, one kind of dash, space
/// and quote. Positions are the same in both.
struct FoldedText {
  std::u32string original;
  std::u32string folded;

  std::size_t size() const { return folded.size(); }
  char32_t at(std::size_t i) const { return i < folded.size() ? folded[i] : U'\0'; }
  std::string slice(std::size_t begin, std::size_t end) const;
};

/// Invalid UTF-8 gives an empty text.
FoldedText fold(std::string_view text);
char32_t fold(char32_t c);

inline bool is_ascii_digit(char32_t c) { return c >= U'0' && c <= U'9'; }
inline bool is_ascii_letter(char32_t c) { return c >= U'a' && c <= U'z'; }  // folded text only
inline bool is_ascii_word(char32_t c) { return is_ascii_digit(c) || is_ascii_letter(c); }
inline bool is_blank(char32_t c) { return c == U' ' || c == U'\t'; }
inline bool is_line_end(char32_t c) { return c == U'\n' || c == U'\r'; }

/// Whether `word` (folded) stands at `i`; a word ending in a letter must end there.
bool word_at(const FoldedText& text, std::size_t i, std::u32string_view word);
std::size_t skip_blanks(const FoldedText& text, std::size_t i, std::size_t most = 2);

}  // namespace heng::guard
