#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "heng/base/ids.h"
#include "heng/base/result.h"
#include "heng/contracts/guard.h"
#include "heng/contracts/principal.h"

namespace heng {

/// What may be seen of a value in the vault without unmasking it.
struct VaultEntry {
  std::string token, type;
  bool of_subject = false;            ///< Under a data subject's own key: erased with this subject.
  std::int64_t first_ms = 0, last_ms = 0;  ///< When it was met first and last (to a day).
};

struct VaultQuery {
  std::string token;                  ///< Only this one; empty: all.
  std::string type;                   ///< Only this type; empty: all.
  int limit = 50;
};

using UnmaskId = StringId<struct UnmaskTag>;

enum class UnmaskState { waiting, approved, rejected, expired, shown };

/// A person's wish to read one value once. `text` is what a second person approves, bound by its SHA-256.
struct UnmaskRequest {
  UnmaskId id;
  UnmaskState state = UnmaskState::waiting;
  std::string token, type, reason;
  UserId requester;
  std::string review;                 ///< Its item in the review queue.
  std::string text, sha256;
  std::int64_t created_ms = 0, expires_ms = 0, shown_ms = 0;
};

struct Unmasked {
  std::string token, type, value;
};

/// The port to the store of masked values. Thread-safe. Everything is of the principal's tenant; what is of another does not
/// exist. Each step is noted in the ledger, never with a value. Errors beside those named: unavailable, storage_full.
class Vault {
 public:
  virtual ~Vault() = default;
  /// Keeps values behind their tokens, under the key of the principal's data subject, else of the tenant. On an error no text
  /// with these tokens may go on. Repeating is free.
  virtual Result<void> keep(const Principal&, const std::vector<VaultItem>& items) = 0;
  /// Newest first.
  virtual Result<std::vector<VaultEntry>> list(const Principal&, const VaultQuery&) = 0;
  /// Errors: not_found (token), invalid_argument (no reason).
  virtual Result<UnmaskRequest> request(const Principal& requester, const std::string& token, const std::string& reason) = 0;
  /// The own requests; roles privacy, supervisor, auditor, admin: all. Newest first.
  virtual Result<std::vector<UnmaskRequest>> requests(const Principal&, int limit) = 0;
  /// By the review queue: roles privacy or supervisor, never the requester. Errors: not_found, permission_denied, conflict (another
  /// text than the one read, decided already), invalid_argument (a rejection without a reason).
  virtual Result<UnmaskRequest> decide(const Principal& approver, const UnmaskId&, bool approve, const std::string& sha256, const std::string& reason) = 0;
  /// The value, once, for the requester. Errors: not_found (no such request of this person; the value was erased), conflict (not
  /// approved, read already, another text than the approved one), policy_denied (expired), permission_denied (the subject was erased).
  virtual Result<Unmasked> show(const Principal& requester, const UnmaskId&) = 0;
};

inline std::string_view to_string(UnmaskState state) {
  switch (state) {
    case UnmaskState::waiting: return "waiting";
    case UnmaskState::approved: return "approved";
    case UnmaskState::rejected: return "rejected";
    case UnmaskState::expired: return "expired";
    case UnmaskState::shown: return "shown";
  }
  return "waiting";
}

}  // namespace heng
