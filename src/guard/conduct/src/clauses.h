#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace heng::guard_conduct {

/// A text made comparable: folded, lower case, spaces and marks between Chinese characters gone; with the way back.
struct Folded {
  std::string text;
  std::vector<std::uint32_t> original;   ///< Byte of the original for each byte of text.
  std::vector<std::uint32_t> original_end;
};
Folded fold(std::string_view original);

/// Begin and end of the clause around [begin, end): between commas, stops, line ends. Enumeration marks (、 and "and") do not end one.
struct Clause {
  std::size_t begin = 0, end = 0;
};
Clause clause_at(std::string_view text, std::size_t begin, std::size_t end);
/// The sentence around: between full stops, question and exclamation marks, line ends.
Clause sentence_at(std::string_view text, std::size_t begin, std::size_t end);

/// Whether what stands at [begin, end) is denied, forbidden, warned of or asked about, not promised.
bool is_not_promised(std::string_view text, std::size_t begin, std::size_t end);

}  // namespace heng::guard_conduct
