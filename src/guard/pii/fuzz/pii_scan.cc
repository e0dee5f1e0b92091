// Any bytes: the scanner answers or refuses, its places lie in the text, masking keeps UTF-8.
#include <cstdlib>
#include <string>

#include "heng/base/text.h"
#include "heng/guard_pii/masker.h"
#include "heng/guard_pii/scanner.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto scanner = std::move(*heng::guard_pii::Scanner::create());
  static const auto masker = *heng::guard_pii::Masker::create(heng::guard_pii::default_policy(), std::string(32, 'k'));
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto matches = scanner->scan(text);
  if (!matches.ok()) return 0;
  for (const auto& m : *matches)
    if (m.begin >= m.end || m.end > text.size()) std::abort();
  const auto report = masker.apply(text, *matches, heng::guard_pii::Channel::record);
  if (!heng::text::is_valid_utf8(report.masked)) std::abort();
  return 0;
}
