#include "heng/base/decimal.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

namespace heng {
namespace {

using Int = __int128;
using Wide = unsigned __int128;

constexpr Int max_coefficient = static_cast<Int>((static_cast<Wide>(1) << 127) - 1);

Error overflow() { return Error(ErrorCode::too_large, "the number needs more than 38 digits"); }

bool multiply_checked(Int a, Int b, Int& out) { return !__builtin_mul_overflow(a, b, &out); }

/// value × 10^places, false on overflow.
bool scale_up(Int value, int places, Int& out) {
  out = value;
  for (int i = 0; i < places; ++i)
    if (!multiply_checked(out, 10, out)) return false;
  return true;
}

Int divide_rounded(Int a, Int b) {
  const bool negative = (a < 0) != (b < 0);
  const Wide n = a < 0 ? -static_cast<Wide>(a) : static_cast<Wide>(a);
  const Wide d = b < 0 ? -static_cast<Wide>(b) : static_cast<Wide>(b);
  Wide quotient = n / d;
  const Wide remainder = n % d;
  if (remainder >= d - remainder) ++quotient;
  return negative ? -static_cast<Int>(quotient) : static_cast<Int>(quotient);
}

Int drop_places(Int value, int places) {
  Int divisor = 1;
  for (int i = 0; i < places; ++i)
    if (!multiply_checked(divisor, 10, divisor)) return 0;  // more places than digits: rounds to zero
  return divide_rounded(value, divisor);
}

std::string digits_of(Int value) {
  Wide v = value < 0 ? -static_cast<Wide>(value) : static_cast<Wide>(value);
  std::string out;
  do {
    out.push_back(static_cast<char>('0' + static_cast<int>(v % 10)));
    v /= 10;
  } while (v != 0);
  std::reverse(out.begin(), out.end());
  return out;
}

/// Brings both to one scale; false on overflow.
bool align(Int& a, int& scale_a, Int& b, int& scale_b) {
  if (scale_a < scale_b) {
    if (!scale_up(a, scale_b - scale_a, a)) return false;
    scale_a = scale_b;
  } else if (scale_b < scale_a) {
    if (!scale_up(b, scale_a - scale_b, b)) return false;
    scale_b = scale_a;
  }
  return true;
}

}  // namespace

Result<Decimal> Decimal::parse(std::string_view text) {
  const Error bad(ErrorCode::malformed_input, "not a decimal number: \"" + std::string(text.substr(0, 64)) + "\"");
  std::size_t i = 0;
  bool negative = false;
  if (i < text.size() && (text[i] == '-' || text[i] == '+')) negative = text[i++] == '-';
  Int coefficient = 0;
  int scale = 0, digits = 0;
  bool point = false;
  for (; i < text.size(); ++i) {
    const char c = text[i];
    if (c >= '0' && c <= '9') {
      ++digits;
      if (point && scale == max_scale) {  // further places are below the precision kept; only zeros are exact
        if (c != '0') return Error(ErrorCode::too_large, "more than 18 decimal places in \"" + std::string(text.substr(0, 64)) + "\"");
        continue;
      }
      if (!multiply_checked(coefficient, 10, coefficient) || __builtin_add_overflow(coefficient, static_cast<Int>(c - '0'), &coefficient))
        return overflow();
      if (point) ++scale;
    } else if (c == '.' && !point) {
      point = true;
    } else if (c == ',' && !point && digits > 0 && i + 1 < text.size() && text[i + 1] >= '0' && text[i + 1] <= '9') {
      continue;
    } else {
      break;
    }
  }
  if (digits == 0) return bad;
  int exponent = 0;
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    std::size_t from = i + 1;
    if (from < text.size() && text[from] == '+') ++from;
    const auto [end, status] = std::from_chars(text.data() + from, text.data() + text.size(), exponent);
    if (status != std::errc{} || end != text.data() + text.size()) return bad;
    if (exponent > 40 || exponent < -40) return overflow();
    i = text.size();
  }
  if (i != text.size()) return bad;
  scale -= exponent;
  if (scale < 0) {
    if (!scale_up(coefficient, -scale, coefficient)) return overflow();
    scale = 0;
  }
  if (scale > max_scale) {
    coefficient = drop_places(coefficient, scale - max_scale);
    scale = max_scale;
  }
  return Decimal(negative ? -coefficient : coefficient, scale);
}

Result<Decimal> Decimal::from_double(double value, int scale) {
  if (!std::isfinite(value)) return Error(ErrorCode::invalid_argument, "not a finite number");
  const double scaled = std::round(value * std::pow(10.0, scale));
  if (std::fabs(scaled) > 1e37) return overflow();
  return Decimal(static_cast<Int>(scaled), scale);
}

double Decimal::to_double() const { return static_cast<double>(static_cast<long double>(coefficient_) / std::pow(10.0L, scale_)); }

std::string Decimal::to_string() const {
  std::string digits = digits_of(coefficient_);
  const auto places = static_cast<std::size_t>(scale_);
  if (digits.size() <= places) digits.insert(0, places + 1 - digits.size(), '0');
  if (places > 0) digits.insert(digits.size() - places, 1, '.');
  return (coefficient_ < 0 ? "-" : "") + digits;
}

std::string Decimal::to_grouped_string() const {
  std::string plain = to_string();
  const std::size_t first = plain[0] == '-' ? 1 : 0;
  std::size_t end = plain.find('.');
  if (end == std::string::npos) end = plain.size();
  for (std::size_t at = end; at > first + 3; at -= 3) plain.insert(at - 3, 1, ',');
  return plain;
}

Decimal Decimal::round(int scale) const {
  if (scale >= scale_) return *this;
  if (scale < 0) scale = 0;
  return Decimal(drop_places(coefficient_, scale_ - scale), scale);
}

Decimal Decimal::normalized() const {
  Decimal out = *this;
  while (out.scale_ > 0 && out.coefficient_ % 10 == 0) {
    out.coefficient_ /= 10;
    --out.scale_;
  }
  return out;
}

Result<Decimal> Decimal::add(Decimal a, Decimal b) {
  if (!align(a.coefficient_, a.scale_, b.coefficient_, b.scale_)) return overflow();
  Int sum;
  if (__builtin_add_overflow(a.coefficient_, b.coefficient_, &sum)) return overflow();
  return Decimal(sum, a.scale_);
}

Result<Decimal> Decimal::subtract(Decimal a, Decimal b) { return add(a, -b); }

Result<Decimal> Decimal::multiply(Decimal a, Decimal b) {
  a = a.normalized();
  b = b.normalized();
  Int product;
  if (!multiply_checked(a.coefficient_, b.coefficient_, product)) return overflow();
  Decimal out(product, a.scale_ + b.scale_);
  return out.scale_ > max_scale ? out.round(max_scale) : out;
}

Result<Decimal> Decimal::divide(Decimal a, Decimal b, int scale) {
  if (b.is_zero()) return Error(ErrorCode::invalid_argument, "division by zero");
  a = a.normalized();
  b = b.normalized();
  // a/10^sa ÷ b/10^sb with `scale` places = a × 10^(scale + sb - sa) ÷ b
  const int shift = scale + b.scale_ - a.scale_;
  Int numerator = a.coefficient_, denominator = b.coefficient_;
  if (shift >= 0 ? !scale_up(numerator, shift, numerator) : !scale_up(denominator, -shift, denominator)) {
    if (scale <= 4) return overflow();
    return divide(a, b, scale - 2);  // large magnitudes keep fewer places rather than fail
  }
  return Decimal(divide_rounded(numerator, denominator), scale);
}

std::strong_ordering Decimal::operator<=>(const Decimal& other) const {
  const Decimal a = normalized(), b = other.normalized();
  if (a.scale_ == b.scale_) return a.coefficient_ <=> b.coefficient_;
  Int x = a.coefficient_, y = b.coefficient_;
  int sx = a.scale_, sy = b.scale_;
  if (align(x, sx, y, sy)) return x <=> y;
  // the one that overflowed is larger in magnitude than any value of the other's scale
  const bool a_is_larger = a.scale_ < b.scale_;
  const Int leading = a_is_larger ? a.coefficient_ : b.coefficient_;
  const bool greater = a_is_larger == (leading > 0);
  return greater ? std::strong_ordering::greater : std::strong_ordering::less;
}

}  // namespace heng
