#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "heng/contracts/insight.h"

namespace heng::insight_entities {

/// The text with full-width forms and case folded, one code point for one, so that positions stay.
std::u32string folded(std::u32string_view text);

inline bool digit(char32_t c) { return c >= U'0' && c <= U'9'; }
inline bool latin(char32_t c) { return (c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z'); }

/// A candidate: what overlaps a better one is dropped (higher rank, then longer, then earlier).
struct Candidate {
  Entity entity;
  int rank = 0;
};

/// Whether the text at `at` goes on with `word`.
inline bool at_word(std::u32string_view text, std::size_t at, std::u32string_view word) { return text.substr(std::min(at, text.size()), word.size()) == word; }

/// Each adds what it finds. `original`: as written; `text`: folded.
void find_quantities(std::u32string_view text, std::vector<Candidate>& out);
void find_dates(std::u32string_view text, std::vector<Candidate>& out);
void find_people(std::u32string_view original, std::u32string_view text, std::vector<Candidate>& out);

}  // namespace heng::insight_entities
