#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "chat_request.h"
#include "fields.h"
#include "heng/base/text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const heng::api::ChatRequestLimits limits{100};
  if (const auto parsed = heng::api::parse_chat_request(body, limits); parsed.ok()) {
    if (parsed->chat.messages.empty() || parsed->chat.max_tokens < 1 || parsed->chat.max_tokens > 100) std::abort();
    for (const auto& message : parsed->chat.messages)
      if (!heng::text::is_valid_utf8(message.content)) std::abort();
    (void)heng::api::check_combinations(*parsed);
  }
  (void)heng::api::parse_completion_request(body, limits);
  if (const auto value = heng::api::parse_json(body); value.ok()) (void)heng::api::dump(*value);
  return 0;
}
