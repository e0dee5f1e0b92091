#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "id_token.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view token(reinterpret_cast<const char*>(data), size);
  const heng::oidc::Expected expected{.issuer = "https://login.bank.test", .client_id = "heng", .nonce = "n", .access_token = "at",
                                      .algorithms = {heng::oidc::Algorithm::rs256, heng::oidc::Algorithm::es256}, .now_ms = 1'780'000'000'000};
  // a signature that always holds leads to the claims, one that never does must lead nowhere
  const auto claims = heng::oidc::read_id_token(token, expected, [](const auto&, auto, auto, auto) -> heng::Result<bool> { return true; });
  if (claims.ok() && ((*claims)["iss"] != expected.issuer || (*claims)["nonce"] != "n" || !(*claims)["sub"].is_string())) std::abort();
  if (heng::oidc::read_id_token(token, expected, [](const auto&, auto, auto, auto) -> heng::Result<bool> { return false; }).ok()) std::abort();
  return 0;
}
