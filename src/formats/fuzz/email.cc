#include "fuzz_format.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return heng::formats::fuzz_format(heng::formats::Format::email, data, size);
}
