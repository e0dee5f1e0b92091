#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "heng/tlog/tile.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  auto entries = heng::tlog::parse_bundle(bytes, data[0]);
  if (!entries.ok()) return 0;
  std::string again;
  for (const auto entry : *entries) {
    if (!heng::tlog::append_entry(again, entry).ok()) std::abort();
  }
  if (again != bytes) std::abort();
  return 0;
}
