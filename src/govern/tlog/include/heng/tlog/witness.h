#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "heng/tlog/note.h"

namespace heng::tlog {

/// The key of a witness: who has seen a checkpoint and checked that it extends the ones before. As text
/// "NAME+KEYID+BASE64(0x04 ‖ key)" (C2SP tlog-cosignature).
struct WitnessKey {
  std::string name;
  std::array<std::uint8_t, 32> public_key{};

  std::uint32_t id() const;             ///< SHA-256(name ‖ 0x0A ‖ 0x04 ‖ key), first four bytes, big endian.
  std::string text() const;
  /// Errors: malformed_input.
  static Result<WitnessKey> parse(std::string_view text);
};

/// Makes Ed25519 cosignatures, version 1 (C2SP tlog-cosignature). Wiped when destroyed. Threads: safe.
class WitnessSigner {
 public:
  /// `seed`: 32 secret bytes. Errors: invalid_argument.
  static Result<WitnessSigner> create(std::string name, std::string_view seed);
  ~WitnessSigner();
  WitnessSigner(const WitnessSigner&) = default;
  WitnessSigner& operator=(const WitnessSigner&) = default;
  const WitnessKey& key() const { return key_; }
  /// The signature line of a checkpoint note's text (the part before the blank line), at this time in seconds since 1970.
  std::string cosign(std::string_view text, std::uint64_t unix_s) const;

 private:
  WitnessSigner() = default;
  WitnessKey key_;
  std::array<std::uint8_t, 64> secret_{};
};

/// When the witness signed. Errors: corrupt (no signature by the key, or one that does not fit).
Result<std::uint64_t> verify_cosignature(const Note& note, const WitnessKey& key);

}  // namespace heng::tlog
