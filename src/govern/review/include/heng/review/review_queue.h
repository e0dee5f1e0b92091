#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "heng/base/clock.h"
#include "heng/contracts/audit.h"
#include "heng/contracts/review.h"
#include "heng/store/pool.h"

namespace heng::review {

/// The institution's policy for the queue; from heng.toml.
struct QueueSettings {
  std::vector<std::string> knowledge_bases;       ///< Every answer from these goes to people; "*": all.
  std::vector<std::string> models;                ///< Every chat with these goes to people; "*": all.
  std::vector<std::string> four_eyes;             ///< Rules, knowledge bases or models whose items need two people; "*": all.
  double double_share = 0;                        ///< 0…1: share of the other items that two people judge, to measure agreement.
  std::chrono::minutes due{60};                   ///< Then it is escalated.
  std::chrono::minutes expires{24 * 60};          ///< Then it is never released.
  std::chrono::minutes approval_valid{24 * 60};   ///< How long an approval is worth something.
  std::size_t most_text_bytes = 256 * 1024;
  int most_waiting = 100'000;                     ///< For each tenant; more is `overloaded`.
};

/// The queue on the database "govern". Lifetime: pool, ledger, clock and randomness outlive it. Threads: safe. Processes:
/// several may share the database.
class ReviewQueue final : public Reviews {
 public:
  /// Errors: invalid_argument (a setting out of range; names it).
  static Result<std::unique_ptr<ReviewQueue>> create(QueueSettings settings, store::Pool& pool, Audit& audit,
                                                     const Clock& clock = system_clock(), Random& random = system_random());

  std::optional<std::string> required(const Principal&, std::string_view kind, const std::string& resource) const override;
  Result<ReviewItem> submit(const Principal& author, const ReviewDraft&) override;
  Result<std::vector<ReviewItem>> list(const Principal&, std::optional<ReviewState> state, int limit) override;
  Result<ReviewItem> get(const Principal&, const ReviewId&) override;
  Result<ReviewItem> decide(const Principal&, const ReviewId&, const ReviewChoice&) override;
  Result<ReviewItem> redeem(const Principal&, const ReviewId&, const std::string& sha256) override;
  Result<ReviewItem> plant(const Principal&, const ReviewDraft&, ReviewDecision expected) override;
  Result<ReviewQuality> quality(const Principal&) override;
  Result<std::vector<ReviewItem>> of_record(const Principal&, std::int64_t audit_index) override;

 private:
  ReviewQueue(QueueSettings settings, store::Pool& pool, Audit& audit, const Clock& clock, Random& random)
      : settings_(std::move(settings)), pool_(pool), audit_(audit), clock_(clock), random_(random) {}
  struct Stored;
  Result<ReviewItem> add(const Principal& author, const ReviewDraft& draft, const ReviewDecision* planted);
  Result<void> note(const Principal& who, const char* action, const ReviewId& id, const std::string& subject, const std::string& outcome,
                    const std::string& sha256, const std::string& output = {});
  /// Escalates what is due and closes what has expired, of the tenant.
  Result<void> keep_time(const Principal& who);

  QueueSettings settings_;
  store::Pool& pool_;
  Audit& audit_;
  const Clock& clock_;
  Random& random_;
};

}  // namespace heng::review
