#include "heng/tlog/witness.h"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>

#include "heng/base/hash.h"

namespace heng::tlog {
namespace {

constexpr char cosignature_type = 0x04;
constexpr std::size_t time_bytes = 8;

std::string typed_key(const WitnessKey& key) {
  std::string bytes(1, cosignature_type);
  bytes.append(reinterpret_cast<const char*>(key.public_key.data()), key.public_key.size());
  return bytes;
}

std::string message(std::string_view text, std::uint64_t unix_s) { return fmt::format("cosignature/v1\ntime {}\n{}", unix_s, text); }

template <class Number>
std::string big_endian(Number value) {
  std::string out(sizeof value, '\0');
  for (std::size_t i = 0; i < sizeof value; ++i) out[i] = static_cast<char>(value >> (8 * (sizeof value - 1 - i)));
  return out;
}

}  // namespace

std::uint32_t WitnessKey::id() const {
  const Sha256 hash = sha256(name + "\n" + typed_key(*this));
  return static_cast<std::uint32_t>(hash[0]) << 24 | static_cast<std::uint32_t>(hash[1]) << 16 | static_cast<std::uint32_t>(hash[2]) << 8 | hash[3];
}

std::string WitnessKey::text() const { return fmt::format("{}+{:08x}+{}", name, id(), to_base64(typed_key(*this))); }

Result<WitnessKey> WitnessKey::parse(std::string_view text) {
  const Error wrong(ErrorCode::malformed_input, "not a witness key of the form NAME+KEYID+BASE64");
  const std::size_t first = text.find('+');
  if (first == 0 || first == std::string_view::npos) return wrong;
  const std::size_t second = text.find('+', first + 1);
  if (second == std::string_view::npos || second - first != 9) return wrong;
  WitnessKey key;
  key.name = std::string(text.substr(0, first));
  const auto bytes = from_base64(text.substr(second + 1));
  if (!bytes.ok() || bytes->size() != 33 || (*bytes)[0] != cosignature_type) return wrong;
  std::copy(bytes->begin() + 1, bytes->end(), reinterpret_cast<char*>(key.public_key.data()));
  if (key.text() != text) return Error(ErrorCode::malformed_input, "the witness key's id does not fit its name and key");
  return key;
}

Result<WitnessSigner> WitnessSigner::create(std::string name, std::string_view seed) {
  // the rules for names are those of a note's signer
  HENG_TRY(NoteSigner::create(name, seed));
  WitnessSigner signer;
  signer.key_.name = std::move(name);
  crypto_sign_seed_keypair(signer.key_.public_key.data(), signer.secret_.data(), reinterpret_cast<const unsigned char*>(seed.data()));
  return signer;
}

WitnessSigner::~WitnessSigner() { sodium_memzero(secret_.data(), secret_.size()); }

std::string WitnessSigner::cosign(std::string_view text, std::uint64_t unix_s) const {
  const std::string signed_bytes = message(text, unix_s);
  std::string bytes = big_endian(key_.id()) + big_endian(unix_s);
  std::array<unsigned char, crypto_sign_BYTES> signature{};
  crypto_sign_detached(signature.data(), nullptr, reinterpret_cast<const unsigned char*>(signed_bytes.data()), signed_bytes.size(), secret_.data());
  bytes.append(reinterpret_cast<const char*>(signature.data()), signature.size());
  return fmt::format("\xe2\x80\x94 {} {}\n", key_.name, to_base64(bytes));
}

Result<std::uint64_t> verify_cosignature(const Note& note, const WitnessKey& key) {
  if (sodium_init() < 0) return Error(ErrorCode::internal, "libsodium cannot start");
  for (const auto& signature : note.signatures) {
    if (signature.name != key.name || signature.key_id != key.id()) continue;
    const Error wrong(ErrorCode::corrupt, fmt::format("the cosignature of {} does not fit the checkpoint", key.name));
    if (signature.bytes.size() != time_bytes + crypto_sign_BYTES) return wrong;
    std::uint64_t unix_s = 0;
    for (std::size_t i = 0; i < time_bytes; ++i) unix_s = unix_s << 8 | static_cast<unsigned char>(signature.bytes[i]);
    const std::string signed_bytes = message(note.text, unix_s);
    if (crypto_sign_verify_detached(reinterpret_cast<const unsigned char*>(signature.bytes.data()) + time_bytes, reinterpret_cast<const unsigned char*>(signed_bytes.data()), signed_bytes.size(),
                                    key.public_key.data()) != 0)
      return wrong;
    return unix_s;
  }
  return Error(ErrorCode::corrupt, fmt::format("not cosigned by {}", key.text()));
}

}  // namespace heng::tlog
