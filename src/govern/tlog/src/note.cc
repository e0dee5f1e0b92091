#include "heng/tlog/note.h"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <charconv>

#include "heng/base/text.h"

namespace heng::tlog {

namespace {

constexpr std::size_t note_limit_bytes = 1'000'000;
constexpr std::size_t signature_limit = 64;
constexpr std::string_view dash = "\xe2\x80\x94 ";  // em dash, space
constexpr char ed25519_type = 0x01;

bool valid_name(std::string_view name) {
  if (name.empty() || !text::is_valid_utf8(name)) return false;
  for (std::size_t i = 0; i < name.size();) {
    const char32_t c = text::next(name, i);
    if (c == U'+' || c < 0x20 || text::is_space(c)) return false;
  }
  return true;
}

std::string typed_key(const VerifierKey& key) {
  std::string bytes(1, ed25519_type);
  bytes.append(reinterpret_cast<const char*>(key.public_key.data()), key.public_key.size());
  return bytes;
}

std::uint32_t big_endian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (const char c : bytes.substr(0, 4)) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

Hash hash_of(std::string_view bytes) {
  Hash hash;
  std::copy_n(bytes.begin(), hash.size(), reinterpret_cast<char*>(hash.data()));
  return hash;
}

}  // namespace

std::uint32_t VerifierKey::id() const {
  const Hash hash = sha256(name + "\n" + typed_key(*this));
  return big_endian({reinterpret_cast<const char*>(hash.data()), 4});
}

std::string VerifierKey::text() const { return fmt::format("{}+{:08x}+{}", name, id(), to_base64(typed_key(*this))); }

Result<VerifierKey> VerifierKey::parse(std::string_view text) {
  const Error wrong(ErrorCode::malformed_input, "not a verifier key of the form NAME+KEYID+BASE64");
  const std::size_t first = text.find('+');
  if (first == std::string_view::npos) return wrong;
  const std::size_t second = text.find('+', first + 1);
  if (second == std::string_view::npos || second - first != 9) return wrong;
  VerifierKey key;
  key.name = std::string(text.substr(0, first));
  auto bytes = from_base64(text.substr(second + 1));
  if (!valid_name(key.name) || !bytes.ok() || bytes->size() != 33 || (*bytes)[0] != ed25519_type) return wrong;
  std::copy(bytes->begin() + 1, bytes->end(), reinterpret_cast<char*>(key.public_key.data()));
  if (key.text() != text) return Error(ErrorCode::malformed_input, "the verifier key's id does not fit its name and key");
  return key;
}

Result<NoteSigner> NoteSigner::create(std::string name, std::string_view seed) {
  if (!valid_name(name)) return Error(ErrorCode::invalid_argument, fmt::format("\"{}\" cannot name a signing key: no spaces, no '+'", name));
  if (seed.size() != crypto_sign_SEEDBYTES) return Error(ErrorCode::invalid_argument, "a signing key's seed has 32 bytes");
  if (sodium_init() < 0) return Error(ErrorCode::internal, "libsodium cannot start");
  NoteSigner signer;
  signer.verifier_.name = std::move(name);
  crypto_sign_seed_keypair(signer.verifier_.public_key.data(), signer.secret_.data(), reinterpret_cast<const unsigned char*>(seed.data()));
  return signer;
}

NoteSigner::~NoteSigner() { sodium_memzero(secret_.data(), secret_.size()); }

std::string NoteSigner::sign(std::string_view text) const {
  const std::uint32_t id = verifier_.id();
  std::string bytes{static_cast<char>(id >> 24), static_cast<char>(id >> 16), static_cast<char>(id >> 8), static_cast<char>(id)};
  bytes.resize(4 + crypto_sign_BYTES);
  crypto_sign_detached(reinterpret_cast<unsigned char*>(bytes.data()) + 4, nullptr, reinterpret_cast<const unsigned char*>(text.data()), text.size(), secret_.data());
  return fmt::format("{}\n{}{} {}\n", text, dash, verifier_.name, to_base64(bytes));
}

Result<Note> parse_note(std::string_view bytes) {
  const auto wrong = [](std::string_view why) { return Error(ErrorCode::malformed_input, fmt::format("not a signed note: {}", why)); };
  if (bytes.size() > note_limit_bytes) return wrong("longer than 1,000,000 bytes");
  if (!text::is_valid_utf8(bytes)) return wrong("not UTF-8");
  if (std::any_of(bytes.begin(), bytes.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\n'; })) return wrong("control characters");
  const std::size_t blank = bytes.rfind("\n\n");
  if (blank == std::string_view::npos || bytes.back() != '\n') return wrong("no signatures");
  Note note;
  note.text = std::string(bytes.substr(0, blank + 1));
  std::string_view rest = bytes.substr(blank + 2);
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    if (!line.starts_with(dash)) return wrong("a signature line does not begin with a dash");
    line.remove_prefix(dash.size());
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos || !valid_name(line.substr(0, space))) return wrong("a signature line without a key name");
    auto signature = from_base64(line.substr(space + 1));
    if (!signature.ok() || signature->size() < 5) return wrong("a signature is not base64");
    note.signatures.push_back({std::string(line.substr(0, space)), big_endian(*signature), signature->substr(4)});
    if (note.signatures.size() > signature_limit) return wrong("more than 64 signatures");
  }
  if (note.signatures.empty()) return wrong("no signatures");
  return note;
}

Result<void> verify_note(const Note& note, const VerifierKey& key) {
  if (sodium_init() < 0) return Error(ErrorCode::internal, "libsodium cannot start");
  bool verified = false;
  for (const auto& signature : note.signatures) {
    if (signature.name != key.name || signature.key_id != key.id()) continue;
    const bool good = signature.bytes.size() == crypto_sign_BYTES &&
                      crypto_sign_verify_detached(reinterpret_cast<const unsigned char*>(signature.bytes.data()),
                                                  reinterpret_cast<const unsigned char*>(note.text.data()), note.text.size(), key.public_key.data()) == 0;
    if (!good) return Error(ErrorCode::corrupt, fmt::format("the signature of {} does not fit the note", key.name));
    verified = true;
  }
  if (!verified) return Error(ErrorCode::corrupt, fmt::format("not signed by {}", key.text()));
  return {};
}

std::string Checkpoint::text() const {
  return fmt::format("{}\n{}\n{}\n", origin, size, to_base64({reinterpret_cast<const char*>(root.data()), root.size()}));
}

Result<Checkpoint> Checkpoint::parse(std::string_view text) {
  const Error wrong(ErrorCode::malformed_input, "not a checkpoint: origin, size and root hash are needed");
  if (text.empty() || text.back() != '\n') return wrong;
  text.remove_suffix(1);
  const auto lines = text::split(text, '\n');
  if (lines.size() < 3 || std::any_of(lines.begin(), lines.end(), [](std::string_view line) { return line.empty(); })) return wrong;
  Checkpoint checkpoint;
  checkpoint.origin = std::string(lines[0]);
  const auto [end, error] = std::from_chars(lines[1].data(), lines[1].data() + lines[1].size(), checkpoint.size);
  if (error != std::errc() || end != lines[1].data() + lines[1].size() || (lines[1].size() > 1 && lines[1][0] == '0')) return wrong;
  auto root = from_base64(lines[2]);
  if (!root.ok() || root->size() != sizeof(Hash) || to_base64(*root) != lines[2]) return wrong;
  checkpoint.root = hash_of(*root);
  return checkpoint;
}

Result<Checkpoint> open_checkpoint(std::string_view bytes, const VerifierKey& key) {
  const Note note = HENG_TRY(parse_note(bytes));
  HENG_TRY(verify_note(note, key));
  Checkpoint checkpoint = HENG_TRY(Checkpoint::parse(note.text));
  if (checkpoint.origin != key.name) {
    return Error(ErrorCode::corrupt, fmt::format("the checkpoint is of the log {}, not of {}", checkpoint.origin, key.name));
  }
  return checkpoint;
}

}  // namespace heng::tlog
