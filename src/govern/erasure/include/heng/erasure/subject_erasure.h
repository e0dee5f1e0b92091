#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "heng/base/clock.h"
#include "heng/contracts/audit.h"
#include "heng/contracts/principal.h"
#include "heng/store/keys.h"
#include "heng/store/pool.h"

namespace heng::erasure {

struct Hold {
  std::int64_t id = 0;
  std::string subject, reason;
  UserId set_by;
  std::int64_t set_ms = 0, until_ms = 0;   ///< until 0: until it is released.
  UserId released_by;
  std::int64_t released_ms = 0;
};

struct ErasureReport {
  int documents = 0, reviews = 0, ratings = 0, keys = 0;
  int values = 0;                          ///< Of the vault.
  std::int64_t records = 0;                ///< Of the ledger, that nobody can read any more.
  std::string subject_tag;                 ///< Keyed hash under which the erasure is noted.
};

/// What the erasure needs of other rooms.
struct ErasureParts {
  store::Keyring& keyring;
  store::Pool& govern;                     ///< Reviews, holds, the vault.
  store::Pool& ratings;                    ///< The table of ratings.
  Audit& audit;
  /// Deletes the subject's documents of the tenant; returns how many.
  std::function<Result<int>(const TenantId&, const std::string& subject)> erase_documents;
  /// Indices of the records under these keys, open and close.
  std::function<Result<std::vector<std::int64_t>>(const std::vector<std::uint32_t>& keys)> records_under;
};

/// The table of holds: version 3 of the database "govern".
const std::vector<store::Migration>& migrations();

/// Lifetime: its parts and the clock outlive it. Threads: safe.
class SubjectErasure {
 public:
  SubjectErasure(ErasureParts parts, const Clock& clock = system_clock(), Random& random = system_random())
      : parts_(std::move(parts)), clock_(clock), random_(random) {}

  /// Erases everything of the subject in the principal's tenant. May be repeated: after a crash the next call finishes it.
  /// Errors: invalid_argument, policy_denied (a hold: says which), unavailable (ledger; nothing was erased).
  Result<ErasureReport> erase(const Principal& who, const std::string& subject, const std::string& reason);

  /// Errors: invalid_argument.
  Result<Hold> hold(const Principal& who, const std::string& subject, const std::string& reason, std::int64_t until_ms);
  /// Errors: not_found, conflict (the one who set it; released already).
  Result<Hold> release(const Principal& who, std::int64_t id, const std::string& reason);
  Result<std::vector<Hold>> holds(const Principal& who, bool released);

 private:
  Result<void> note(const Principal& who, const char* action, const std::string& resource, const std::string& reason, const std::string& output);
  Result<std::vector<Hold>> read(const TenantId& tenant, std::string_view where, std::string_view value);

  ErasureParts parts_;
  const Clock& clock_;
  Random& random_;
};

/// A subject's id: 1 to 128 characters without spaces and control characters. Errors: invalid_argument.
Result<void> check_subject(std::string_view subject);

}  // namespace heng::erasure
