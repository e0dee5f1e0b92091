// FF1 of NIST SP 800-38G, radix 10.
#include <openssl/evp.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <memory>

#include "heng/guard_pii/masker.h"

namespace heng::guard_pii {
namespace {

using Block = std::array<std::uint8_t, 16>;

/// AES in ECB mode, one block at a time.
class Aes {
 public:
  explicit Aes(std::string_view key) : context_(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free) {
    const EVP_CIPHER* cipher = key.size() == 16 ? EVP_aes_128_ecb() : key.size() == 24 ? EVP_aes_192_ecb() : EVP_aes_256_ecb();
    EVP_EncryptInit_ex(context_.get(), cipher, nullptr, reinterpret_cast<const unsigned char*>(key.data()), nullptr);
    EVP_CIPHER_CTX_set_padding(context_.get(), 0);
  }
  Block operator()(const Block& in) const {
    Block out{};
    int size = 0;
    EVP_EncryptUpdate(context_.get(), out.data(), &size, in.data(), 16);
    return out;
  }

 private:
  std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context_;
};

/// Big-endian bytes of a decimal number.
std::string bytes_of(std::string_view digits, std::size_t size) {
  std::string out(size, '\0');
  for (const char c : digits) {
    unsigned carry = static_cast<unsigned>(c - '0');
    for (std::size_t i = size; i-- > 0;) {
      carry += static_cast<unsigned char>(out[i]) * 10u;
      out[i] = static_cast<char>(carry & 0xFF);
      carry >>= 8;
    }
  }
  return out;
}

/// The last `digits` decimal digits of a big-endian number.
std::string digits_of(std::string bytes, std::size_t digits) {
  std::string out(digits, '0');
  for (std::size_t d = digits; d-- > 0;) {
    unsigned rest = 0;
    for (char& byte : bytes) {
      rest = rest << 8 | static_cast<unsigned char>(byte);
      byte = static_cast<char>(rest / 10);
      rest %= 10;
    }
    out[d] = static_cast<char>('0' + rest);
  }
  return out;
}

std::string add(const std::string& a, const std::string& b, bool minus) {
  std::string out(a.size(), '0');
  int carry = 0;
  for (std::size_t i = a.size(); i-- > 0;) {
    int sum = minus ? a[i] - b[i] + carry : (a[i] - '0') + (b[i] - '0') + carry;
    carry = 0;
    if (sum < 0) sum += 10, carry = -1;
    if (sum > 9) sum -= 10, carry = 1;
    out[i] = static_cast<char>('0' + sum);
  }
  return out;
}

std::string round_value(const Aes& aes, const Block& p, std::string_view tweak, std::uint8_t round, const std::string& half, std::size_t b, std::size_t d, std::size_t m) {
  std::string q(tweak);
  q.append((16 - (tweak.size() + b + 1) % 16) % 16, '\0');
  q += static_cast<char>(round);
  q += bytes_of(half, b);
  Block r = aes(p);
  for (std::size_t i = 0; i < q.size(); i += 16) {
    for (std::size_t k = 0; k < 16; ++k) r[k] ^= static_cast<std::uint8_t>(q[i + k]);
    r = aes(r);
  }
  std::string s(reinterpret_cast<const char*>(r.data()), 16);
  for (std::uint8_t j = 1; s.size() < d; ++j) {
    Block x = r;
    x[15] ^= j;
    const Block more = aes(x);
    s.append(reinterpret_cast<const char*>(more.data()), 16);
  }
  s.resize(d);
  return digits_of(std::move(s), m);
}

Result<std::string> ff1(std::string_view key, std::string_view tweak, std::string_view digits, bool decrypt) {
  if (key.size() != 16 && key.size() != 24 && key.size() != 32) return Error(ErrorCode::invalid_argument, "FF1 needs a key of 16, 24 or 32 bytes");
  if (digits.size() < 2 || digits.size() > 56 || tweak.size() > 256) return Error(ErrorCode::invalid_argument, "FF1 takes 2 to 56 digits and a tweak of at most 256 bytes");
  for (const char c : digits)
    if (c < '0' || c > '9') return Error(ErrorCode::invalid_argument, "FF1 takes digits only");
  const std::size_t n = digits.size(), u = n / 2, v = n - u;
  std::string a(digits.substr(0, u)), c(digits.substr(u));
  const auto b = static_cast<std::size_t>(std::ceil(std::ceil(static_cast<double>(v) * std::log2(10.0)) / 8));
  const std::size_t d = 4 * ((b + 3) / 4) + 4;
  Block p = {1, 2, 1, 0, 0, 10, 10, static_cast<std::uint8_t>(u)};
  p[11] = static_cast<std::uint8_t>(n);
  p[14] = static_cast<std::uint8_t>(tweak.size() >> 8);
  p[15] = static_cast<std::uint8_t>(tweak.size() & 0xFF);
  const Aes aes(key);
  for (int round = 0; round < 10; ++round) {
    const int i = decrypt ? 9 - round : round;
    const std::size_t m = i % 2 == 0 ? u : v;
    const auto y = round_value(aes, p, tweak, static_cast<std::uint8_t>(i), decrypt ? a : c, b, d, m);
    if (decrypt) {
      auto next = add(c, y, true);
      c = a;
      a = std::move(next);
    } else {
      auto next = add(a, y, false);
      a = c;
      c = std::move(next);
    }
  }
  return a + c;
}

}  // namespace

Result<std::string> ff1_encrypt(std::string_view key, std::string_view tweak, std::string_view digits) { return ff1(key, tweak, digits, false); }
Result<std::string> ff1_decrypt(std::string_view key, std::string_view tweak, std::string_view digits) { return ff1(key, tweak, digits, true); }

}  // namespace heng::guard_pii
