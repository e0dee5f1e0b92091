#include "number.h"

#include <algorithm>

namespace heng::quant {

namespace {

Number made(Decimal value, std::string formula, int strength, bool exact) { return {value.normalized(), std::move(formula), strength, exact}; }

/// Product that gives up places rather than overflow; `exact` is cleared when it does.
Result<Decimal> product(Decimal a, Decimal b, bool& exact) {
  a = a.normalized();
  b = b.normalized();
  const bool too_fine = a.scale() + b.scale() > Decimal::max_scale;
  for (int places = Decimal::max_scale;; places -= 2) {
    const Decimal x = a.scale() > places ? a.round(places) : a, y = b.scale() > places ? b.round(places) : b;
    auto result = Decimal::multiply(x, y);
    if (result.ok() || places <= 6) {
      if (!(x == a) || !(y == b) || too_fine) exact = false;
      return result;
    }
  }
}

}  // namespace

std::string bracketed(const Number& a, int strength) {
  const bool negative = a.strength == 4 && a.formula.starts_with('-');
  return a.strength < strength || negative ? "(" + a.formula + ")" : a.formula;
}

Number constant(Decimal value) { return {value, value.to_string(), 4, true}; }
Number constant(std::int64_t value) { return constant(Decimal(value)); }

Number negate(const Number& a) { return {-a.value, "-" + bracketed(a, 2), a.strength == 4 ? 4 : 2, a.exact}; }

Result<Number> add(const Operand& left, const Operand& right) {
  if (!left.ok()) return left.error();
  if (!right.ok()) return right.error();
  const Number &a = *left, &b = *right;
  const auto value = HENG_TRY(Decimal::add(a.value, b.value));
  return made(value, a.formula + " + " + bracketed(b, 1), 1, a.exact && b.exact);
}

Result<Number> subtract(const Operand& left, const Operand& right) {
  if (!left.ok()) return left.error();
  if (!right.ok()) return right.error();
  const Number &a = *left, &b = *right;
  const auto value = HENG_TRY(Decimal::subtract(a.value, b.value));
  return made(value, a.formula + " - " + bracketed(b, 2), 1, a.exact && b.exact);
}

Result<Number> multiply(const Operand& left, const Operand& right) {
  if (!left.ok()) return left.error();
  if (!right.ok()) return right.error();
  const Number &a = *left, &b = *right;
  bool exact = a.exact && b.exact;
  const auto value = HENG_TRY(product(a.value, b.value, exact));
  return made(value, bracketed(a, 2) + " * " + bracketed(b, 2), 2, exact);
}

Result<Number> divide(const Operand& left, const Operand& right) {
  if (!left.ok()) return left.error();
  if (!right.ok()) return right.error();
  const Number &a = *left, &b = *right;
  if (b.value.is_zero()) return Error(ErrorCode::invalid_argument, "division by zero: " + bracketed(a, 2) + " / " + bracketed(b, 3));
  Result<Decimal> value = Error();
  int places = 15;
  for (; places >= 4; places -= 1) {
    value = Decimal::divide(a.value, b.value, places);
    if (value.ok()) break;
  }
  const auto quotient = HENG_TRY(std::move(value));
  bool exact = a.exact && b.exact;
  auto back = Decimal::multiply(quotient, b.value);
  if (!back.ok() || !(*back == a.value)) exact = false;
  return made(quotient, bracketed(a, 2) + " / " + bracketed(b, 3), 2, exact);
}

Result<Number> power(const Operand& operand, std::int64_t exponent) {
  if (!operand.ok()) return operand.error();
  const Number& a = *operand;
  if (exponent < -1000 || exponent > 1000)
    return Error(ErrorCode::invalid_argument, "the exponent is " + std::to_string(exponent) + ", it must lie between -1000 and 1000");
  Decimal result(1), base = a.value;
  bool exact = a.exact;
  for (std::int64_t n = exponent < 0 ? -exponent : exponent; n > 0; n >>= 1) {
    if (n & 1) result = HENG_TRY(product(result, base, exact)).normalized();
    if (n > 1) base = HENG_TRY(product(base, base, exact)).normalized();
  }
  Number out = made(result, bracketed(a, 4) + "^" + (exponent < 0 ? "(" + std::to_string(exponent) + ")" : std::to_string(exponent)), 3, exact);
  if (exponent >= 0) return out;
  Number inverse = HENG_TRY(divide(constant(1), out));
  inverse.formula = out.formula;
  inverse.strength = 3;
  return inverse;
}

}  // namespace heng::quant
