#pragma once

#include <memory>
#include <vector>

#include "heng/base/clock.h"
#include "heng/contracts/audit.h"
#include "heng/contracts/audit_reader.h"
#include "heng/contracts/feedback.h"
#include "heng/store/database.h"
#include "heng/store/pool.h"

namespace heng::feedback {

/// The room's table, version 2 of the database that identity's version 1 began.
const std::vector<store::Migration>& migrations();

/// Ratings of answers, kept per tenant beside the record's index and noted in the ledger. A person's later rating of the
/// same answer replaces the earlier one; the ledger keeps both.
///
/// Lifetime: pool, ledger and its reader, clock and randomness outlive it. Threads: safe.
class RecordedFeedback final : public Feedback {
 public:
  static Result<std::unique_ptr<RecordedFeedback>> create(store::Pool& pool, Audit& audit, AuditReader& reader, const Clock& clock = system_clock(), Random& random = system_random());

  /// Errors: invalid_argument (stars, comment), not_found (no such record of the principal's tenant), and those of the ledger.
  Result<void> rate(const Principal& principal, const Rating& rating) override;
  Result<std::vector<Rating>> ratings(const Principal& principal, std::int64_t audit_index) override;

 private:
  RecordedFeedback(store::Pool& pool, Audit& audit, AuditReader& reader, const Clock& clock, Random& random)
      : pool_(pool), audit_(audit), reader_(reader), clock_(clock), random_(random) {}
  store::Pool& pool_;
  Audit& audit_;
  AuditReader& reader_;
  const Clock& clock_;
  Random& random_;
};

}  // namespace heng::feedback
