#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "heng/base/result.h"

namespace heng::oidc {

/// Signatures that are taken (RFC 7518 section 3, RFC 8037). No shared secrets, no "none".
enum class Algorithm { rs256, ps256, es256, eddsa };
/// Errors: invalid_argument (lists the names).
Result<Algorithm> parse_algorithm(std::string_view name);

/// A public key of the provider.
class Key {
 public:
  Key(std::string id, std::shared_ptr<void> pkey, std::vector<Algorithm> algorithms) : id_(std::move(id)), pkey_(std::move(pkey)), algorithms_(std::move(algorithms)) {}
  const std::string& id() const { return id_; }
  bool fits(Algorithm algorithm) const;
  /// Never throws; anything that is no signature of these bytes is false.
  bool verifies(Algorithm algorithm, std::string_view signed_bytes, std::string_view signature) const;

 private:
  std::string id_;
  std::shared_ptr<void> pkey_;   // EVP_PKEY; shared: a set is copied while another thread verifies
  std::vector<Algorithm> algorithms_;
};

/// What a JSON Web Key Set (RFC 7517) holds that can verify an ID token. A value; thread-safe.
class KeySet {
 public:
  /// Keys that are not for this (encryption, secrets, weak, unknown kinds) are left out. Errors: malformed_input (not a set, too large, no usable key).
  static Result<KeySet> parse(std::string_view json);
  /// Keys of this id that fit; without an id the only one that fits, if there is one only (OpenID Connect Core 1.0, section 10.1).
  std::vector<const Key*> find(std::string_view id, Algorithm algorithm) const;
  bool knows(std::string_view id) const;
  std::size_t size() const { return keys_.size(); }

 private:
  std::vector<Key> keys_;
};

}  // namespace heng::oidc
