#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace heng::guard {

bool is_function_word(std::string_view folded);
bool is_function_character(char32_t c);
/// By stem.
bool is_generic_word(std::string_view stem);
/// "fell" → "fall"; nullptr where regular.
const char* irregular_stem(std::string_view folded);
/// Groups of phrases that mean the same in Chinese and English.
const std::vector<std::vector<std::string>>& synonym_groups();

}  // namespace heng::guard
