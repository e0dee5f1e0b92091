#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  (void)audit_check::parse_key(bytes);
  const auto key = audit_check::parse_key("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");
  std::string why;
  (void)audit_check::open_head(bytes, *key, why);
  return 0;
}
