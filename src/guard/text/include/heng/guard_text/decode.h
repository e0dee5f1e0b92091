#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace heng::guard_text {

/// A stretch of text that reads as encoded text, and what it says.
struct Decoded {
  std::size_t begin = 0, end = 0;   ///< Bytes of the text given.
  std::string text;                 ///< Valid UTF-8, mostly printable.
  const char* encoding = "";        ///< "base64", "hex", "percent", "escape" (\u0031, &#49;).
};

struct DecodeLimits {
  std::size_t shortest = 12;            ///< Encoded bytes.
  std::size_t longest = 64 * 1024;      ///< Encoded bytes of one stretch; longer ones are cut here.
  std::size_t most = 64;                ///< Stretches of one text.
};

/// Stretches of base64 (both alphabets), hex, percent-encoding and numeric escapes whose decoded bytes are printable UTF-8.
/// One level; callers go deeper themselves, to a bounded depth. Linear in the text.
std::vector<Decoded> decode_stretches(std::string_view text, const DecodeLimits& limits = {});

}  // namespace heng::guard_text
