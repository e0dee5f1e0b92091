#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "heng/base/clock.h"
#include "heng/contracts/audit.h"
#include "heng/contracts/principal.h"
#include "heng/guard_policy/file.h"
#include "heng/store/keys.h"
#include "heng/store/pool.h"

namespace heng::erasure {

/// What is kept for a term.
enum class Kept {
  conversations,   ///< Contents of the ledger's records of asking, chatting, labelling, searching, rating, reviewing.
  reviews,         ///< Decided items of the review queue, and requests to unmask.
  feedback,        ///< Ratings.
  vault,           ///< Masked values, from when they were met last.
  stream_items,    ///< Market messages and the alerts that quote them.
  uploads,         ///< Documents that carry a data subject's label.
};
std::string_view to_string(Kept kind);

struct RetentionTerm {
  Kept kind = Kept::conversations;
  int days = 0;
  std::string clause;
};

/// A policy of kind "retention". Without [[keep]] for a kind, that kind is kept.
struct RetentionPolicy {
  guard_policy::Header header;
  int key_days = 30;                       ///< A key of conversations serves so long: contents go at most this much after their term.
  std::vector<RetentionTerm> terms;
};

/// Errors: malformed_input (file, line, reason).
Result<RetentionPolicy> read_retention(std::string_view text, const std::string& name);
/// How long a key of conversations serves; 0 without a term for them.
std::int64_t key_period_ms(const std::optional<RetentionPolicy>& policy);

/// What the retention needs of other rooms; the tables are those of reviews, vault and holds (`govern`) and of ratings.
struct RetentionParts {
  store::Keyring& keyring;
  store::Pool& govern;
  store::Pool& ratings;
  Audit& audit;
  struct KeyUse {
    std::int64_t records = 0, newest_ms = 0;
  };
  /// For each data key of the ledger, how many records are under it and when the newest was made.
  std::function<Result<std::map<std::uint32_t, KeyUse>>()> key_uses;
  /// Indices of the records under these keys, and the other way round.
  std::function<Result<std::vector<std::int64_t>>(const std::vector<std::uint32_t>&)> records_under;
  std::function<Result<std::uint32_t>(std::int64_t index)> key_of;
  /// Counts, or removes too, what came before. Null: there is no such store.
  std::function<Result<std::int64_t>(const TenantId&, std::int64_t before_ms, bool remove)> stream_items;
  std::function<Result<std::int64_t>(const TenantId&, std::int64_t before_ms, const std::vector<std::string>& held_subjects, bool remove)> uploads;
};

struct RetentionCount {
  RetentionTerm term;
  std::int64_t before_ms = 0;              ///< What is older goes.
  std::int64_t due = 0;                    ///< Records, items, values … that go.
  std::int64_t held = 0;                   ///< That would go but for a hold.
};

/// Deletes what is older than its term, of one tenant, except what a legal hold keeps. The ledger goes on verifying: contents of
/// records become unreadable because their key is destroyed, their leaves stay.
///
/// Lifetime: its parts and the clock outlive it. Threads: safe. May be repeated: after a crash the next run finishes it.
class Retention {
 public:
  /// Without a policy nothing is ever due.
  Retention(std::optional<RetentionPolicy> policy, RetentionParts parts, const Clock& clock = system_clock(), Random& random = system_random())
      : policy_(std::move(policy)), parts_(std::move(parts)), clock_(clock), random_(random) {}

  /// What run() would do now. Errors: not_found (no policy), those of the stores.
  Result<std::vector<RetentionCount>> plan(const Principal& who);
  /// Does it; noted in the ledger before (policy and counts) and after. Errors: as plan, unavailable (ledger; nothing was deleted).
  Result<std::vector<RetentionCount>> run(const Principal& who);
  const std::optional<RetentionPolicy>& policy() const { return policy_; }

 private:
  struct Holds {
    bool everything = false;
    std::vector<std::string> subjects, tags;
    std::vector<std::int64_t> records;     ///< Held by index, and those under keys of held subjects.
    std::vector<std::uint32_t> keys;       ///< That hold a held record.
  };
  Result<Holds> holds(const TenantId& tenant);
  Result<RetentionCount> count(const TenantId& tenant, const RetentionTerm& term, const Holds& holds, std::vector<std::uint32_t>& keys);
  Result<void> remove(const TenantId& tenant, const RetentionCount& due, const Holds& holds, const std::vector<std::uint32_t>& keys);
  Result<void> note(const Principal& who, const char* action, const std::string& output);

  std::optional<RetentionPolicy> policy_;
  RetentionParts parts_;
  const Clock& clock_;
  Random& random_;
};

/// The index of a record that a hold names as "record:17"; nothing where it names a subject.
std::optional<std::int64_t> held_record(std::string_view subject);
/// A hold on everything of the tenant.
inline constexpr const char* hold_everything = "*";

}  // namespace heng::erasure
