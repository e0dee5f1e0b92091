// Any bytes as streams.toml: taken or refused with a reason.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "heng/streams/setup.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto setup = heng::streams::parse_setup({reinterpret_cast<const char*>(data), size}, "streams.toml");
  if (!setup.ok() && setup.error().message.empty()) std::abort();
  if (setup.ok())
    for (const auto& rule : setup->rules) (void)heng::streams::describe(rule);
  return 0;
}
