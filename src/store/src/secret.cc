#include "heng/store/secret.h"

#include <openssl/crypto.h>

#include <algorithm>

#include "heng/base/hash.h"
#include "heng/base/ids.h"

namespace heng::store {

SecretKey::~SecretKey() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }

Result<SecretKey> SecretKey::from_bytes(std::string_view bytes) {
  if (bytes.size() != size) return Error(ErrorCode::invalid_argument, "a key has 32 bytes");
  SecretKey key;
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(key.bytes_.data()));
  key.set_ = true;
  return key;
}

Result<SecretKey> SecretKey::from_hex(std::string_view hex) {
  auto bytes = heng::from_hex(hex);
  if (!bytes.ok() || bytes->size() != size) {
    return Error(ErrorCode::invalid_argument, "a key is written as 64 hexadecimal digits (32 bytes)");
  }
  auto key = from_bytes(*bytes);
  OPENSSL_cleanse(bytes->data(), bytes->size());
  return key;
}

SecretKey SecretKey::random() {
  SecretKey key;
  system_random().fill(key.bytes_.data(), key.bytes_.size());
  key.set_ = true;
  return key;
}

std::string SecretKey::hex() const { return to_hex(bytes_.data(), set_ ? size : 0); }

bool SecretKey::operator==(const SecretKey& other) const {
  return set_ == other.set_ && CRYPTO_memcmp(bytes_.data(), other.bytes_.data(), size) == 0;
}

}  // namespace heng::store
