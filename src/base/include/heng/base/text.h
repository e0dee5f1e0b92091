#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "heng/base/result.h"

namespace heng::text {

/// Offset of the first byte that is not valid UTF-8 (RFC 3629), or npos.
std::size_t first_invalid_utf8(std::string_view s);
inline bool is_valid_utf8(std::string_view s) { return first_invalid_utf8(s) == std::string_view::npos; }

/// Replaces each invalid byte sequence by U+FFFD.
std::string replace_invalid_utf8(std::string_view s);

/// Length of the longest prefix of `s` that does not end inside a UTF-8 sequence (for streaming).
std::size_t complete_utf8_prefix(std::string_view s);

/// Number of Unicode code points. `s` must be valid UTF-8.
std::size_t code_points(std::string_view s);

/// Decodes the code point at byte `i` and advances `i` past it. `s` must be valid UTF-8.
char32_t next(std::string_view s, std::size_t& i);

void append(std::string& out, char32_t c);
std::u32string to_utf32(std::string_view s);
std::string from_utf32(std::u32string_view s);

/// Byte offset of code point number `index`, or s.size() where there are fewer.
std::size_t byte_offset(std::string_view s, std::size_t index);

/// NFKC (full-width → half-width, ligatures, compatibility forms). `s` must be valid UTF-8.
std::string nfkc(std::string_view s);
/// NFC.
std::string nfc(std::string_view s);
/// Simple lower case, all scripts.
std::string lower(std::string_view s);

std::string_view trim(std::string_view s);
std::vector<std::string_view> split(std::string_view s, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
bool starts_with_ci(std::string_view s, std::string_view prefix);  ///< ASCII case-insensitive.
bool equals_ci(std::string_view a, std::string_view b);            ///< ASCII case-insensitive.

bool is_cjk(char32_t c);     ///< Han, incl. extensions and compatibility ideographs.
bool is_digit(char32_t c);   ///< ASCII or full-width digit.
bool is_space(char32_t c);

enum class Language { chinese, english, other };
/// By the share of Han characters against Latin letters; "other" when there are neither.
Language language_of(std::string_view s);

/// Sentences as byte ranges [begin, end), surrounding white space left out. Knows zh 。！？；… and en . ! ? with
/// abbreviations, decimals ("3.5%"), list numbers and citation marks such as "[1]" after the stop kept with the sentence.
struct Range {
  std::size_t begin = 0;
  std::size_t end = 0;
};
std::vector<Range> sentences(std::string_view s);

/// Columns a string takes in a terminal (wide characters count 2, combining ones 0).
std::size_t display_width(std::string_view s);

}  // namespace heng::text
