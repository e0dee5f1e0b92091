#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "heng/base/result.h"
#include "heng/contracts/answer.h"

namespace heng::quant {

struct CalculatorSettings {
  std::size_t longest_expression = 1000;  ///< In bytes.
  int deepest = 32;                       ///< Nested parentheses and calls.
  int most_arguments = 200;
};

/// Exact arithmetic on decimals: + - * / ^ (whole powers), parentheses, percent literals (5%), 万 and 亿 behind a number,
/// thousands separators, dates (2024-03-31) in days(), and the functions listed by functions(), in English and Chinese.
/// Sums, differences and products are exact; quotients, roots and discounting carry 12 decimal places, and the explanation
/// says so. Holds only its settings: thread-safe.
class DecimalCalculator final : public Calculator {
 public:
  static std::unique_ptr<DecimalCalculator> create(CalculatorSettings settings = {});

  Result<CalculatorResult> evaluate(const std::string& expression) const override;

  struct FunctionInfo {
    std::string name;       ///< "growth"
    std::string signature;  ///< "growth(new, old)"
    std::string meaning;    ///< "(new - old) / old"
    std::vector<std::string> aliases;
  };
  /// What it knows, for the model's tool description.
  static const std::vector<FunctionInfo>& functions();

 private:
  explicit DecimalCalculator(CalculatorSettings settings) : settings_(settings) {}
  CalculatorSettings settings_;
};

}  // namespace heng::quant
