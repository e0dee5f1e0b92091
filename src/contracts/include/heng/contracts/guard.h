#pragma once

#include <string>
#include <vector>

#include "heng/base/result.h"
#include "heng/contracts/principal.h"

namespace heng {

enum class GuardAction { release, mask, review, withhold };

struct GuardFinding {
  std::string kind, type, rule, version;
  std::size_t begin = 0, end = 0;     ///< Code points.
};

struct GuardVerdict {
  GuardAction action = GuardAction::release;
  std::vector<GuardFinding> findings;
  std::string reason;
};

/// A check of text going in or out. Guards fail closed: an error counts as withhold.
class Guard {
 public:
  virtual ~Guard() = default;
  virtual Result<GuardVerdict> check_input(const Principal&, const std::string& text) const = 0;
  virtual Result<GuardVerdict> check_output(const Principal&, const std::string& text) const = 0;
};

}  // namespace heng
