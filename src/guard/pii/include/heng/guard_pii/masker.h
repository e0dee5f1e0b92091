#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "heng/base/result.h"
#include "heng/contracts/guard.h"
#include "heng/guard_pii/policy.h"

namespace heng::guard_pii {

struct MaskReport {
  GuardAction action = GuardAction::release;   ///< release, mask or withhold.
  std::string masked;                          ///< The text with everything masked that policy masks or refuses.
  std::vector<GuardFinding> findings;          ///< Code points of the original.
  std::vector<VaultItem> vault;
};

/// Applies a policy to matches. Masks keep the length in code points, except tokens.
/// Lifetime: outlived by `policy`. Threads: safe.
class Masker {
 public:
  /// `key`: at least 16 bytes; tokens and format-preserving masks are of this key, so the same value gives the same token.
  /// Errors: invalid_argument.
  static Result<Masker> create(const Policy& policy, std::string key);
  /// `matches` as Scanner::scan gives them for `text`.
  MaskReport apply(std::string_view text, const std::vector<Match>& matches, Channel channel) const;
  /// "[TYPE:" + 20 hex digits of HMAC-SHA256(key, type ‖ value without separators) + "]".
  std::string token(Type type, std::string_view value) const;

 private:
  Masker(const Policy& policy, std::string key) : policy_(&policy), key_(std::move(key)) {}
  std::string replacement(const Match& match, std::string_view value, Action action) const;
  const Policy* policy_;
  std::string key_;
};

/// FF1 (NIST SP 800-38G) over decimal digits: another number of the same length; `key` 16, 24 or 32 bytes, 2…56 digits.
/// Errors: invalid_argument.
Result<std::string> ff1_encrypt(std::string_view key, std::string_view tweak, std::string_view digits);
Result<std::string> ff1_decrypt(std::string_view key, std::string_view tweak, std::string_view digits);

}  // namespace heng::guard_pii
