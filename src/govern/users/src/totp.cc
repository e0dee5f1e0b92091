#include "heng/users/totp.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>

namespace heng::users {

std::string hotp(std::string_view secret, std::uint64_t counter, int digits) {
  std::array<unsigned char, 8> message{};
  for (std::size_t i = 0; i < 8; ++i) message[i] = static_cast<unsigned char>(counter >> (56 - 8 * i));
  std::array<unsigned char, 20> mac{};
  unsigned int size = mac.size();
  HMAC(EVP_sha1(), secret.data(), static_cast<int>(secret.size()), message.data(), message.size(), mac.data(), &size);
  const std::size_t at = mac[19] & 0xf;
  const std::uint32_t value = (static_cast<std::uint32_t>(mac[at] & 0x7f) << 24) | (static_cast<std::uint32_t>(mac[at + 1]) << 16) |
                              (static_cast<std::uint32_t>(mac[at + 2]) << 8) | mac[at + 3];
  std::uint32_t modulus = 1;
  for (int i = 0; i < digits; ++i) modulus *= 10;
  return fmt::format("{:0{}}", value % modulus, digits);
}

std::optional<std::int64_t> totp_match(std::string_view secret, std::string_view code, std::int64_t unix_ms, std::int64_t last_used) {
  if (code.size() != 6) return std::nullopt;
  std::optional<std::int64_t> found;
  for (const std::int64_t step : {totp_step(unix_ms) - 1, totp_step(unix_ms), totp_step(unix_ms) + 1}) {
    if (step < 0) continue;
    const std::string expected = hotp(secret, static_cast<std::uint64_t>(step), 6);
    if (CRYPTO_memcmp(expected.data(), code.data(), 6) == 0 && step > last_used) found = step;
  }
  return found;
}

std::string base32(std::string_view bytes) {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  std::string out;
  std::uint32_t held = 0;
  int bits = 0;
  for (const char c : bytes) {
    held = (held << 8) | static_cast<unsigned char>(c);
    bits += 8;
    while (bits >= 5) {
      out += alphabet[(held >> (bits - 5)) & 31];
      bits -= 5;
    }
  }
  if (bits > 0) out += alphabet[(held << (5 - bits)) & 31];
  return out;
}

}  // namespace heng::users
