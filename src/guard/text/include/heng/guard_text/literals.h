#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "heng/base/result.h"

namespace heng::guard_text {

struct Literal {
  std::string text;          ///< UTF-8, not empty.
  bool any_case = true;      ///< ASCII letters in either case.
};

/// Many fixed texts found in one pass (Vectorscan). Immutable after create(); threads: safe.
class Literals {
 public:
  /// Errors: invalid_argument (an empty text), internal (they do not compile).
  static Result<std::unique_ptr<Literals>> create(const std::vector<Literal>& literals);
  ~Literals();
  /// Calls `found` with the literal's number and its place in bytes, in rising order of ends. Errors: internal.
  using Found = std::function<void(std::size_t literal, std::size_t begin, std::size_t end)>;
  Result<void> scan(std::string_view text, const Found& found) const;

 private:
  struct Impl;
  explicit Literals(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace heng::guard_text
