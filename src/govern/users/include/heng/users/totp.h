#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace heng::users {

/// HOTP (RFC 4226) with HMAC-SHA-1: the counter's code of so many digits (6 to 8).
std::string hotp(std::string_view secret, std::uint64_t counter, int digits);
/// The step of 30 seconds in which a code holds (RFC 6238, T0 = 0).
inline std::int64_t totp_step(std::int64_t unix_ms) { return unix_ms / 30'000; }
/// The step the six-digit code belongs to: this one, the one before or the one after; nothing where it is none of them, or not
/// after `last_used` (a code serves once, RFC 6238 section 5.2).
std::optional<std::int64_t> totp_match(std::string_view secret, std::string_view code, std::int64_t unix_ms, std::int64_t last_used);
/// RFC 4648 base 32 without padding.
std::string base32(std::string_view bytes);

}  // namespace heng::users
