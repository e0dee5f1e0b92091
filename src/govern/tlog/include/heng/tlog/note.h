#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "heng/tlog/merkle.h"

namespace heng::tlog {

/// A public key with its name, as text "NAME+KEYID+BASE64(0x01 ‖ key)" (the "vkey" of signed notes).
struct VerifierKey {
  std::string name;
  std::array<std::uint8_t, 32> public_key{};

  std::uint32_t id() const;             ///< SHA-256(name ‖ 0x0A ‖ 0x01 ‖ key), first four bytes, big endian.
  std::string text() const;
  /// Errors: malformed_input.
  static Result<VerifierKey> parse(std::string_view text);
};

/// An Ed25519 key that signs notes (C2SP signed-note). Wiped when destroyed. Threads: safe.
class NoteSigner {
 public:
  /// `seed`: 32 secret bytes (RFC 8032). Errors: invalid_argument (seed size; a name with spaces or '+').
  static Result<NoteSigner> create(std::string name, std::string_view seed);
  ~NoteSigner();
  NoteSigner(const NoteSigner&) = default;
  NoteSigner& operator=(const NoteSigner&) = default;
  const VerifierKey& verifier() const { return verifier_; }
  /// The note: text, blank line, one signature line. `text` ends with a newline.
  std::string sign(std::string_view text) const;

 private:
  NoteSigner() = default;
  VerifierKey verifier_;
  std::array<std::uint8_t, 64> secret_{};
};

struct Note {
  struct Signature {
    std::string name;
    std::uint32_t key_id = 0;
    std::string bytes;
  };
  std::string text;                     ///< With its final newline.
  std::vector<Signature> signatures;    ///< At most 64.
};

/// Form only. Errors: malformed_input.
Result<Note> parse_note(std::string_view bytes);
/// Errors: corrupt (no valid signature by the key). Signatures of unknown keys are ignored.
Result<void> verify_note(const Note& note, const VerifierKey& key);

/// The head of a log (C2SP tlog-checkpoint).
struct Checkpoint {
  std::string origin;
  std::uint64_t size = 0;
  Hash root{};

  std::string text() const;
  /// Of a note's text. Errors: malformed_input.
  static Result<Checkpoint> parse(std::string_view text);
};

/// parse_note, verify_note, Checkpoint::parse and the origin against the key's name. Errors: malformed_input, corrupt.
Result<Checkpoint> open_checkpoint(std::string_view bytes, const VerifierKey& key);

}  // namespace heng::tlog
