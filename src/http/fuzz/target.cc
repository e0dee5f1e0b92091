#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "heng/base/text.h"
#include "heng/http/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto target = heng::http::parse_target(text); target.ok()) {
    if (!heng::text::is_valid_utf8(target->path)) std::abort();
    for (const auto& [name, value] : target->query)
      if (!heng::text::is_valid_utf8(name) || !heng::text::is_valid_utf8(value)) std::abort();
  }
  (void)heng::http::percent_decode(text, true);
  return 0;
}
