#include <cstdint>
#include <string_view>

#include "heng/infer/gguf_header.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  (void)heng::infer::parse_gguf_header(bytes, size);
  (void)heng::infer::parse_gguf_header(bytes, size * 1000);  // as if the file went on
  return 0;
}
