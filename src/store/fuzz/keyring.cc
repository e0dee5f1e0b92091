#include <cstddef>
#include <cstdint>
#include <string_view>

#include "heng/store/keys.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)heng::store::parse_keyring(text);
  (void)heng::store::SecretKey::from_hex(text);
  return 0;
}
