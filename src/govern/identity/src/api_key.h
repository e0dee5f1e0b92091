#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "heng/base/hash.h"

namespace heng::identity {

struct ApiKey {
  std::string id;      // 16 hexadecimal digits
  std::string secret;  // 64 hexadecimal digits
};

/// "heng_<id>_<secret>", with or without "Bearer " before it.
std::optional<ApiKey> parse_api_key(std::string_view text);
std::string print_api_key(const ApiKey& key);

/// What is kept of a secret. A plain hash is right here: the secret has 256 random bits, so it cannot be guessed, and a
/// slow hash (Argon2id) would only make every request pay for it, and give attackers a way to keep the processor busy.
Sha256 hash_secret(const ApiKey& key);
bool equal_in_constant_time(const Sha256& a, const Sha256& b);

}  // namespace heng::identity
