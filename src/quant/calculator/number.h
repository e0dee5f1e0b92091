#pragma once

#include <string>

#include "heng/base/decimal.h"
#include "heng/base/result.h"

namespace heng::quant {

/// A value on its way through an expression.
struct Number {
  Decimal value;
  std::string formula;  ///< How it was made, in plain arithmetic.
  int strength = 4;     ///< Of the formula's loosest operator: 1 + -, 2 * /, 3 ^, 4 a single term.
  bool exact = true;    ///< False after a quotient that does not end, a root, or a rounding.
};

inline constexpr int quotient_places = 12;

/// Operators take results, so that they can be nested: the first error passes through.
using Operand = Result<Number>;
Result<Number> add(const Operand& a, const Operand& b);
Result<Number> subtract(const Operand& a, const Operand& b);
Result<Number> multiply(const Operand& a, const Operand& b);
Result<Number> divide(const Operand& a, const Operand& b);
/// Whole powers, -1000…1000.
Result<Number> power(const Operand& a, std::int64_t exponent);
Number negate(const Number& a);
Number constant(std::int64_t value);
Number constant(Decimal value);

/// The formula in brackets where an operator of `strength` needs them.
std::string bracketed(const Number& a, int strength);

}  // namespace heng::quant
