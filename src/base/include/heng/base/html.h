#pragma once

#include <string>
#include <string_view>

namespace heng::text {

/// Text as it may stand in HTML, in elements and in quoted attributes: & < > " ' as character references.
std::string escape_html(std::string_view text);

}  // namespace heng::text
