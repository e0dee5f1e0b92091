#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "heng/base/result.h"
#include "heng/contracts/insight.h"
#include "heng/insight_entities/directory.h"

namespace heng::insight_entities {

/// Finds companies, security codes, people, amounts, quantities of shares, dates and rates in Chinese and English text, by
/// rules and the directory: the same text always gives the same entities. Immutable, thread-safe. Time grows linearly with
/// the text, not with the directory.
class EntityReader {
 public:
  explicit EntityReader(Directory directory);
  ~EntityReader();
  EntityReader(EntityReader&&) noexcept;

  /// In the order of the text, none inside another. Errors: malformed_input (not UTF-8), too_large (1,000,000 characters),
  /// invalid_argument (empty).
  Result<std::vector<Entity>> read(std::string_view text) const;
  const Directory& directory() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace heng::insight_entities
