#include "api_key.h"

#include <openssl/crypto.h>

#include <algorithm>

namespace heng::identity {

namespace {
bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}
}  // namespace

std::optional<ApiKey> parse_api_key(std::string_view text) {
  if (text.starts_with("Bearer ")) text.remove_prefix(7);
  if (text.size() != 5 + 16 + 1 + 64 || !text.starts_with("heng_") || text[21] != '_') return std::nullopt;
  ApiKey key{std::string(text.substr(5, 16)), std::string(text.substr(22))};
  if (!is_hex(key.id) || !is_hex(key.secret)) return std::nullopt;
  return key;
}

std::string print_api_key(const ApiKey& key) { return "heng_" + key.id + "_" + key.secret; }

Sha256 hash_secret(const ApiKey& key) { return sha256("heng-api-key/1\n" + key.id + "\n" + key.secret); }

bool equal_in_constant_time(const Sha256& a, const Sha256& b) { return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0; }

}  // namespace heng::identity
