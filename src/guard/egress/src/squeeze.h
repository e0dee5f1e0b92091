#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace heng::guard_egress {

/// Letters and digits only: folded, lower case, Chinese numerals as digits; with the original's bytes.
struct Squeezed {
  std::string text;
  std::vector<std::uint32_t> begin, end;
};
Squeezed squeeze(std::string_view original);
std::string rot13(std::string_view s);

}  // namespace heng::guard_egress
