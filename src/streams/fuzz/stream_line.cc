// Any bytes as a message, a body and a text: errors are answers, a clean text stays clean.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "heng/base/text.h"
#include "heng/streams/clean.h"
#include "heng/streams/message.h"
#include "similar.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  (void)heng::streams::parse_line(bytes, true, 480);
  (void)heng::streams::split_body(bytes, 100);
  const auto text = heng::streams::clean(bytes);
  if (!text.ok()) return 0;
  if (text->empty() || !heng::text::is_valid_utf8(*text)) std::abort();
  (void)heng::streams::fingerprint(heng::streams::shingles(*text));
  (void)heng::streams::figures(*text);
  return 0;
}
