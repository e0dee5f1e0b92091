#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace heng::oidc {

/// RFC 4648 section 5 without padding.
std::string to_base64url(std::string_view bytes);
/// Nothing for padding, other characters, a length that cannot be, or bits left over: each text has one reading only.
std::optional<std::string> from_base64url(std::string_view text);
/// application/x-www-form-urlencoded: everything but letters, digits and - . _ ~ as %XX.
std::string percent_encode(std::string_view text);

}  // namespace heng::oidc
