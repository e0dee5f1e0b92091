#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "heng/base/result.h"

namespace heng {

using Sha256 = std::array<std::uint8_t, 32>;

/// SHA-256 (FIPS 180-4) of the bytes.
Sha256 sha256(std::string_view bytes);

/// Lower-case hex of SHA-256 of the bytes.
std::string sha256_hex(std::string_view bytes);

/// Lower-case hex of SHA-256 of a file's contents. Errors: not_found, internal (read error).
Result<std::string> sha256_file(const std::filesystem::path& path);

/// Incremental SHA-256.
class Sha256Stream {
 public:
  Sha256Stream();
  ~Sha256Stream();
  Sha256Stream(Sha256Stream&&) noexcept;
  Sha256Stream& operator=(Sha256Stream&&) noexcept;
  void update(std::string_view bytes);
  Sha256 finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

std::string to_hex(const void* data, std::size_t size);
inline std::string to_hex(const Sha256& h) { return to_hex(h.data(), h.size()); }
Result<std::string> from_hex(std::string_view hex);

std::string to_base64(std::string_view bytes);
Result<std::string> from_base64(std::string_view text);

}  // namespace heng
