#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "heng/audit/entry.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  auto entry = heng::audit::Entry::decode(bytes);
  if (entry.ok() && entry->encode() != bytes) std::abort();
  return 0;
}
