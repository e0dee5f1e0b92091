#pragma once

#include <filesystem>
#include <memory>

#include "heng/base/clock.h"
#include "heng/base/ids.h"
#include "heng/contracts/audit.h"
#include "heng/contracts/audit_reader.h"
#include "heng/contracts/feedback.h"
#include "heng/store/secret.h"

namespace heng::feedback {

struct RatingSettings {
  std::filesystem::path database;
  store::SecretKey database_key;
  std::size_t comment_bytes = 8192;
};

/// Ratings in an encrypted SQLite file, each noted in the ledger first. A person's newer rating of an answer replaces the
/// older one here; the ledger keeps both.
///
/// Lifetime: everything it was given must outlive it. Threads: safe. Processes: several may use one file.
class Ratings : public Feedback {
 public:
  static Result<std::unique_ptr<Ratings>> create(const RatingSettings& settings, Audit& audit, AuditReader& reader,
                                                 const Clock& clock = system_clock(), Random& random = system_random());
  ~Ratings() override;
  /// `rating.user` and, where it is 0, `rating.time_ms` are filled in. Errors: invalid_argument (stars, comment), too_large
  /// (comment), not_found (no such record of the principal's tenant), and those of the ledger and the database.
  Result<void> rate(const Principal&, const Rating& rating) override;
  Result<std::vector<Rating>> ratings(const Principal&, std::int64_t audit_index) override;

 private:
  struct Impl;
  explicit Ratings(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace heng::feedback
