#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "heng/base/result.h"
#include "number.h"

namespace heng::quant {

struct Function {
  const char* name;
  const char* signature;
  const char* meaning;
  std::vector<std::string> aliases;
  std::size_t least, most;  ///< Arguments.
  Result<Number> (*run)(const std::vector<Number>&);
};

const std::vector<Function>& function_table();
/// By name or alias, lower case; nullptr where unknown.
const Function* find_function(std::string_view name);

/// Days from `from` to `to` (ISO dates), actual calendar days. Errors: malformed_input (not a date).
Result<Number> days_between(std::string_view from, std::string_view to);

}  // namespace heng::quant
