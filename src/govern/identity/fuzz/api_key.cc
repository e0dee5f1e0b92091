#include "../src/api_key.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto key = heng::identity::parse_api_key(text);
  if (text.starts_with("Bearer ")) text.remove_prefix(7);
  if (key && heng::identity::print_api_key(*key) != text) std::abort();
  return 0;
}
