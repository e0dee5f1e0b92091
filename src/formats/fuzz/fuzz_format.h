#pragma once

#include <cstdint>
#include <string_view>

#include "heng/base/text.h"
#include "heng/formats/reader.h"

namespace heng::formats {

/// Whatever the bytes are: an error that says something, or blocks of valid UTF-8 with rows where they belong.
inline void check(const Result<Reading>& reading) {
  if (!reading) {
    if (reading.error().message.empty()) __builtin_trap();
    return;
  }
  for (const Block& block : reading->document.blocks) {
    if (!text::is_valid_utf8(block.text) || (block.kind == BlockKind::table) == block.rows.empty()) __builtin_trap();
    if (block.header_rows < 0 || block.header_rows > static_cast<int>(block.rows.size())) __builtin_trap();
    for (const auto& row : block.rows) {
      for (const auto& cell : row) {
        if (!text::is_valid_utf8(cell)) __builtin_trap();
      }
    }
  }
}

inline Limits small_limits() {
  Limits limits;
  limits.max_unpacked_bytes = 8u << 20;
  limits.max_part_bytes = 4u << 20;
  limits.max_cells = 50'000;
  return limits;
}

inline int fuzz_format(Format format, const std::uint8_t* data, std::size_t size) {
  Limits limits = small_limits();
  check(read(format, "x", std::string_view(reinterpret_cast<const char*>(data), size), limits));
  return 0;
}

}  // namespace heng::formats
