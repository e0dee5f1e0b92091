#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "key_set.h"
#include "provider.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto set = heng::oidc::KeySet::parse(text); set.ok()) {
    if (set->size() == 0) std::abort();
    for (const auto algorithm : {heng::oidc::Algorithm::rs256, heng::oidc::Algorithm::ps256, heng::oidc::Algorithm::es256, heng::oidc::Algorithm::eddsa})
      for (const auto* key : set->find("a", algorithm))
        if (key->verifies(algorithm, "bytes", "no signature")) std::abort();
  }
  (void)heng::oidc::read_metadata(text, "https://login.bank.test");
  return 0;
}
