#include <cstdint>
#include <string_view>

#include "heng/parse/wire.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto read = heng::parse::decode(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!read && read.error().message.empty()) __builtin_trap();
  return 0;
}
