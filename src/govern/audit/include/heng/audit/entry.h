#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "heng/base/hash.h"
#include "heng/base/result.h"

namespace heng::audit {

enum class RecordKind : std::uint8_t { open = 1, close = 2, note = 3 };
std::string_view to_string(RecordKind kind);

/// A leaf of the ledger: what is public about a record. 94 bytes, big endian, in this order:
/// version (1) kind (1) key_id (4) time_ms (8) opened (8) content_size (8) commitment (32) content_sha256 (32).
struct Entry {
  static constexpr std::uint8_t version = 1;
  static constexpr std::size_t size_bytes = 94;
  static constexpr std::uint64_t no_index = ~std::uint64_t{0};

  RecordKind kind = RecordKind::note;
  std::uint32_t key_id = 0;             ///< Data key of the contents.
  std::int64_t time_ms = 0;
  std::uint64_t opened = no_index;      ///< Of a close: the index of its open record.
  std::uint64_t content_size = 0;       ///< Bytes of the encrypted contents.
  Sha256 commitment{};                  ///< SHA-256(salt ‖ plaintext); the 32-byte salt is inside the encrypted contents.
  Sha256 content_sha256{};              ///< Of the encrypted contents.

  std::string encode() const;
  /// Errors: corrupt.
  static Result<Entry> decode(std::string_view bytes);
};

}  // namespace heng::audit
