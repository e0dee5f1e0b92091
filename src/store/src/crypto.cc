#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>

#include <cstdlib>

#include "heng/store/keys.h"

namespace heng::store {

namespace {

constexpr std::size_t nonce_bytes = 12;
constexpr std::size_t tag_bytes = 16;

const unsigned char* data_of(std::string_view bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }
unsigned char* data_of(std::string& bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }

struct Cipher {
  EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
  ~Cipher() { EVP_CIPHER_CTX_free(context); }
};

// OpenSSL fails here only when memory is gone or the build lacks the algorithm: neither can be answered sensibly
void require(bool good) {
  if (!good) std::abort();
}

}  // namespace

std::string hmac_sha256(std::string_view key, std::string_view message) {
  std::string out(32, '\0');
  unsigned int size = 0;
  require(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), data_of(message), message.size(), data_of(out), &size) != nullptr && size == 32);
  return out;
}

SecretKey derive_key(const SecretKey& master, std::string_view purpose) {
  // extract with a fixed salt that names the product, expand one block with the purpose (RFC 5869, L = 32)
  const std::string pseudo_random_key = hmac_sha256("heng/key/1", master.bytes());
  const std::string block = hmac_sha256(pseudo_random_key, std::string(purpose) + '\x01');
  return std::move(SecretKey::from_bytes(block)).value();
}

std::string seal(const SecretKey& key, std::string_view plaintext, std::string_view context) {
  std::string out(nonce_bytes + plaintext.size() + tag_bytes, '\0');
  system_random().fill(out.data(), nonce_bytes);
  Cipher cipher;
  int written = 0, tail = 0;
  unsigned char* body = data_of(out) + nonce_bytes;
  require(EVP_EncryptInit_ex(cipher.context, EVP_aes_256_gcm(), nullptr, data_of(key.bytes()), data_of(out)) == 1 &&
          (context.empty() || EVP_EncryptUpdate(cipher.context, nullptr, &written, data_of(context), static_cast<int>(context.size())) == 1) &&
          EVP_EncryptUpdate(cipher.context, body, &written, data_of(plaintext), static_cast<int>(plaintext.size())) == 1 &&
          EVP_EncryptFinal_ex(cipher.context, body + written, &tail) == 1 &&
          EVP_CIPHER_CTX_ctrl(cipher.context, EVP_CTRL_GCM_GET_TAG, tag_bytes, body + plaintext.size()) == 1);
  return out;
}

Result<std::string> unseal(const SecretKey& key, std::string_view sealed, std::string_view context) {
  const Error changed(ErrorCode::corrupt, "encrypted bytes do not fit their key: wrong key or changed bytes");
  if (sealed.size() < nonce_bytes + tag_bytes || key.empty()) return changed;
  const std::string_view body = sealed.substr(nonce_bytes, sealed.size() - nonce_bytes - tag_bytes);
  std::string tag(sealed.substr(sealed.size() - tag_bytes));
  std::string out(body.size(), '\0');
  Cipher cipher;
  int written = 0, tail = 0;
  const bool good =
      EVP_DecryptInit_ex(cipher.context, EVP_aes_256_gcm(), nullptr, data_of(key.bytes()), data_of(sealed)) == 1 &&
      (context.empty() || EVP_DecryptUpdate(cipher.context, nullptr, &written, data_of(context), static_cast<int>(context.size())) == 1) &&
      EVP_DecryptUpdate(cipher.context, data_of(out), &written, data_of(body), static_cast<int>(body.size())) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.context, EVP_CTRL_GCM_SET_TAG, tag_bytes, tag.data()) == 1 &&
      EVP_DecryptFinal_ex(cipher.context, data_of(out) + written, &tail) == 1;
  if (!good) return changed;
  return out;
}

}  // namespace heng::store
