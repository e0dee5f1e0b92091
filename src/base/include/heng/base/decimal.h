#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "heng/base/result.h"

namespace heng {

/// An exact decimal number: coefficient × 10^-scale, coefficient in 128 bits, scale 0…18.
/// Money and rates use it, never double. Overflow is an error, never silent.
class Decimal {
 public:
  static constexpr int max_scale = 18;

  constexpr Decimal() = default;
  constexpr Decimal(std::int64_t whole) : coefficient_(whole) {}  // NOLINT: implicit on purpose
  static constexpr Decimal from_parts(__int128 coefficient, int scale) { return Decimal(coefficient, scale); }

  /// Parses "-1234.50", "1,234.5", "1.2e-3". Errors: malformed_input, too_large.
  static Result<Decimal> parse(std::string_view text);
  /// Nearest decimal with `scale` places (half away from zero).
  static Result<Decimal> from_double(double value, int scale);

  __int128 coefficient() const { return coefficient_; }
  int scale() const { return scale_; }
  bool is_zero() const { return coefficient_ == 0; }
  bool is_negative() const { return coefficient_ < 0; }
  double to_double() const;
  /// Plain notation without exponent: "-1234.50".
  std::string to_string() const;
  /// With thousands separators: "-1,234.50".
  std::string to_grouped_string() const;

  Decimal operator-() const { return Decimal(-coefficient_, scale_); }
  Decimal abs() const { return is_negative() ? -*this : *this; }
  /// Rounds half away from zero (四舍五入) to `scale` places.
  Decimal round(int scale) const;
  /// Drops trailing zeros after the point.
  Decimal normalized() const;

  static Result<Decimal> add(Decimal a, Decimal b);
  static Result<Decimal> subtract(Decimal a, Decimal b);
  static Result<Decimal> multiply(Decimal a, Decimal b);
  /// Quotient with `scale` places, half away from zero. Errors: invalid_argument (division by zero), too_large.
  static Result<Decimal> divide(Decimal a, Decimal b, int scale = 12);

  std::strong_ordering operator<=>(const Decimal& other) const;
  bool operator==(const Decimal& other) const { return (*this <=> other) == std::strong_ordering::equal; }

 private:
  constexpr Decimal(__int128 coefficient, int scale) : coefficient_(coefficient), scale_(scale) {}
  __int128 coefficient_ = 0;
  int scale_ = 0;
};

}  // namespace heng
