#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "heng/base/result.h"
#include "heng/contracts/principal.h"

namespace heng {

/// A person's judgement of an answer, kept with its record.
struct Rating {
  std::int64_t audit_index = -1;
  int stars = 0;                      ///< -1 bad, +1 good.
  std::string comment;
  std::int64_t time_ms = 0;
  std::string user;
};

class Feedback {
 public:
  virtual ~Feedback() = default;
  virtual Result<void> rate(const Principal&, const Rating&) = 0;
  virtual Result<std::vector<Rating>> ratings(const Principal&, std::int64_t audit_index) = 0;
};

}  // namespace heng
