#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace heng::formats {

/// UTF-8 of bytes in the named character set; empty optional for a name that ICU does not know. Bytes that mean nothing
/// become U+FFFD.
std::optional<std::string> from_charset(std::string_view bytes, const std::string& charset);

/// UTF-8 of bytes whose character set is told by a byte order mark, by `declared` (may be empty), or else guessed: UTF-8,
/// UTF-16 without mark, then GB18030, Big5, Shift-JIS, EUC and single-byte sets. `charset`: what was used.
std::string to_utf8(std::string_view bytes, const std::string& declared, std::string* charset = nullptr);

/// Whether bytes without a known signature look like data, not text.
bool looks_binary(std::string_view bytes);

}  // namespace heng::formats
