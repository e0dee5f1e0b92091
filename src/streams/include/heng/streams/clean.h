#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "heng/base/result.h"

namespace heng::streams {

constexpr std::size_t longest_message_bytes = 1'000'000;

/// Makes the text that is stored and labelled: HTML remnants taken out (tags, comments, scripts, character references), NFKC,
/// control and invisible characters removed, white space joined, boilerplate lines removed (disclaimers, "责任编辑", "Read more",
/// copyright). The same bytes always give the same text, and a clean text stays as it is.
/// Errors: malformed_input (not UTF-8: names the byte), too_large (longest_message_bytes), invalid_argument (nothing is left).
Result<std::string> clean(std::string_view raw);

}  // namespace heng::streams
