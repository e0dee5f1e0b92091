#pragma once

#include <cstddef>
#include <string_view>

namespace heng::formats {

/// "•", "(a)", "3.", "ITEM 8.", "一、": stands before the text of a list item or clause.
bool is_list_marker(std::string_view text);
/// Text that begins with a bullet or a clause number.
bool is_list_item(std::string_view text);
bool ends_sentence(std::string_view text);

/// Level of a heading by its words, size (1: as the body's) and weight; 0 where it is none.
int heading_level(std::string_view text, std::size_t lines, double relative_size, bool bold);

}  // namespace heng::formats
