#pragma once

// Helpers of the independent verifier. Nothing here comes from Heng's libraries: an error there must not hide itself here.
#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace audit_check {

using Digest = std::array<unsigned char, 32>;

Digest sha256(std::string_view bytes);
Digest leaf_digest(std::string_view entry);
Digest node_digest(const Digest& left, const Digest& right);
std::string hex(const Digest& digest);

std::optional<std::string> decode_base64(std::string_view text);
bool verify_ed25519(std::string_view public_key, std::string_view message, std::string_view signature);

std::optional<std::string> read_file(const std::filesystem::path& path);
std::uint64_t big_endian(std::string_view bytes);

/// A Merkle tree fed leaf by leaf; remembers only its right edge.
class Tree {
 public:
  void add(const Digest& leaf);
  Digest root() const;
  std::uint64_t size() const { return size_; }

 private:
  std::vector<Digest> edge_;  // complete subtrees, largest first; their sizes are the bits of size_
  std::uint64_t size_ = 0;
};

}  // namespace audit_check
