#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "heng/base/result.h"

namespace heng::store {

/// 32 secret bytes. Wiped when destroyed; never printed. Comparison takes constant time.
class SecretKey {
 public:
  static constexpr std::size_t size = 32;

  SecretKey() = default;                       ///< Empty: not a key.
  SecretKey(const SecretKey&) = default;
  SecretKey& operator=(const SecretKey&) = default;
  ~SecretKey();

  /// Errors: invalid_argument (not 32 bytes).
  static Result<SecretKey> from_bytes(std::string_view bytes);
  /// Errors: invalid_argument (not 64 hexadecimal digits). The message never holds the text.
  static Result<SecretKey> from_hex(std::string_view hex);
  /// From the operating system's generator.
  static SecretKey random();

  bool empty() const { return !set_; }
  std::string_view bytes() const { return {reinterpret_cast<const char*>(bytes_.data()), set_ ? size : 0}; }
  std::string hex() const;
  bool operator==(const SecretKey& other) const;

 private:
  std::array<std::uint8_t, size> bytes_{};
  bool set_ = false;
};

}  // namespace heng::store
