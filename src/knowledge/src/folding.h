#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace heng::knowledge {

enum class CharClass : unsigned char { other, letter, digit, cjk };

/// A code point after folding and the bytes it came from.
struct FoldedChar {
  char32_t c = 0;
  CharClass kind = CharClass::other;
  std::size_t begin = 0, end = 0;
};

/// NFKC with case folding, diacritics dropped from Latin letters, traditional characters as simplified ones.
void fold(std::string_view text, std::vector<FoldedChar>& out);

CharClass class_of(char32_t c);

}  // namespace heng::knowledge
