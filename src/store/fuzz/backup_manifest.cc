#include <cstddef>
#include <cstdint>
#include <string_view>

#include "heng/store/backup.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)heng::store::parse_manifest({reinterpret_cast<const char*>(data), size});
  return 0;
}
