#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace heng::oidc {

using Json = nlohmann::json;

/// An object of at most so many bytes and 16 levels in which no name stands twice (RFC 8725 section 2.4: two readers must not see two
/// things); nothing where it is anything else.
std::optional<Json> parse_object(std::string_view text, std::size_t most_bytes);

/// The text under a name; nothing where there is none, or something else.
std::optional<std::string> text_of(const Json& object, const char* name);

}  // namespace heng::oidc
