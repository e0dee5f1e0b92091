#include "functions.h"

#include <chrono>
#include <cmath>

#include "heng/base/text.h"

namespace heng::quant {

namespace {

using Arguments = std::vector<Number>;

Result<std::int64_t> whole(const Number& a, const char* what, std::int64_t least, std::int64_t most) {
  const Decimal rounded = a.value.round(0);
  if (!(rounded == a.value) || a.value < Decimal(least) || a.value > Decimal(most))
    return Error(ErrorCode::invalid_argument, std::string(what) + " is " + a.value.to_string() + ", it must be a whole number from " +
                                                  std::to_string(least) + " to " + std::to_string(most));
  return static_cast<std::int64_t>(rounded.normalized().to_double());
}

Result<Number> sum(const Arguments& a) {
  Number out = a[0];
  for (std::size_t i = 1; i < a.size(); ++i) out = HENG_TRY(add(out, a[i]));
  return out;
}
Result<Number> average(const Arguments& a) { return divide(sum(a), constant(static_cast<std::int64_t>(a.size()))); }

Result<Number> extreme(const Arguments& a, bool largest) {
  Number out = a[0];
  std::string list = a[0].formula;
  for (std::size_t i = 1; i < a.size(); ++i) {
    list += ", " + a[i].formula;
    if (largest ? a[i].value > out.value : a[i].value < out.value) out = a[i];
  }
  out.formula = std::string(largest ? "max(" : "min(") + list + ")";
  out.strength = 4;
  return out;
}
Result<Number> smallest(const Arguments& a) { return extreme(a, false); }
Result<Number> largest(const Arguments& a) { return extreme(a, true); }

Result<Number> difference(const Arguments& a) { return subtract(a[0], a[1]); }
Result<Number> growth(const Arguments& a) { return divide(subtract(a[0], a[1]), a[1]); }
Result<Number> ratio(const Arguments& a) { return divide(a[0], a[1]); }

/// (end / begin)^(1 / years) - 1. The root is taken in long double and stated to 12 places.
Result<Number> cagr(const Arguments& a) {
  const Number quotient = HENG_TRY(divide(a[1], a[0]));
  if (quotient.value <= Decimal(0)) return Error(ErrorCode::invalid_argument, "cagr needs a begin and an end of the same sign, neither of them zero");
  if (a[2].value <= Decimal(0)) return Error(ErrorCode::invalid_argument, "cagr needs more than 0 years");
  const long double root = std::pow(static_cast<long double>(quotient.value.to_double()), 1.0L / static_cast<long double>(a[2].value.to_double()));
  Number out;
  out.value = HENG_TRY(Decimal::from_double(static_cast<double>(root - 1), quotient_places)).normalized();
  out.formula = "(" + bracketed(a[1], 2) + " / " + bracketed(a[0], 3) + ")^(1 / " + bracketed(a[2], 3) + ") - 1";
  out.strength = 1;
  out.exact = false;
  return out;
}

Result<Number> simple_interest(const Arguments& a) { return multiply(multiply(a[0], a[1]), a[2]); }

/// principal * rate * days / basis; the basis is 360 as for most loans unless given.
Result<Number> interest_days(const Arguments& a) {
  const Number basis = a.size() > 3 ? a[3] : constant(360);
  return divide(multiply(multiply(a[0], a[1]), a[2]), basis);
}

/// (1 + rate / per_year)^(periods * per_year)
Result<Number> growth_factor(const Number& rate, const Number& periods, const Number& per_year) {
  const std::int64_t frequency = HENG_TRY(whole(per_year, "the number of periods per year", 1, 366));
  const Number total = HENG_TRY(multiply(periods, per_year));
  const std::int64_t count = HENG_TRY(whole(total, "the number of periods", 0, 1000));
  const Number each = frequency == 1 ? rate : HENG_TRY(divide(rate, per_year));
  return power(add(constant(1), each), count);
}

Result<Number> compound(const Arguments& a) {
  return multiply(a[0], growth_factor(a[1], a[2], a.size() > 3 ? a[3] : constant(1)));
}
Result<Number> compound_interest(const Arguments& a) { return subtract(compound(a), a[0]); }
Result<Number> present_value(const Arguments& a) {
  return divide(a[0], growth_factor(a[1], a[2], a.size() > 3 ? a[3] : constant(1)));
}

/// Level payment of a loan (等额本息): P r (1+r)^n / ((1+r)^n - 1), r the monthly rate.
Result<Number> payment(const Arguments& a) {
  const std::int64_t months = HENG_TRY(whole(a[2], "the number of months", 1, 1000));
  if (a[1].value.is_zero()) return divide(a[0], a[2]);
  const Number rate = HENG_TRY(divide(a[1], constant(12)));
  const Number factor = HENG_TRY(power(add(constant(1), rate), months));
  const Number above = HENG_TRY(multiply(multiply(a[0], rate), factor));
  return divide(above, subtract(factor, constant(1)));
}
Result<Number> total_interest(const Arguments& a) {
  return subtract(multiply(payment(a), a[2]), a[0]);
}
/// Payment of month k with equal principal parts (等额本金): P/n + (P - P (k-1)/n) r.
Result<Number> equal_principal(const Arguments& a) {
  const std::int64_t months = HENG_TRY(whole(a[2], "the number of months", 1, 1000));
  HENG_TRY(whole(a[3], "the month", 1, months));
  const Number part = HENG_TRY(divide(a[0], a[2])), rate = HENG_TRY(divide(a[1], constant(12)));
  const Number paid = HENG_TRY(multiply(part, subtract(a[3], constant(1))));
  return add(part, multiply(subtract(a[0], paid), rate));
}

/// payment * (1 - (1+r)^-n) / r
Result<Number> annuity_present(const Arguments& a) {
  const std::int64_t periods = HENG_TRY(whole(a[2], "the number of periods", 1, 1000));
  if (a[1].value.is_zero()) return multiply(a[0], a[2]);
  const Number discount = HENG_TRY(power(add(constant(1), a[1]), -periods));
  return divide(multiply(a[0], subtract(constant(1), discount)), a[1]);
}
Result<Number> annuity_future(const Arguments& a) {
  const std::int64_t periods = HENG_TRY(whole(a[2], "the number of periods", 1, 1000));
  if (a[1].value.is_zero()) return multiply(a[0], a[2]);
  const Number factor = HENG_TRY(power(add(constant(1), a[1]), periods));
  return divide(multiply(a[0], subtract(factor, constant(1))), a[1]);
}
/// First flow now, the next ones a period apart.
Result<Number> net_present_value(const Arguments& a) {
  const Number factor = HENG_TRY(add(constant(1), a[0]));
  Number out = a[1];
  for (std::size_t i = 2; i < a.size(); ++i)
    out = HENG_TRY(add(out, divide(a[i], power(factor, static_cast<std::int64_t>(i) - 1))));
  return out;
}

Result<Number> rounded(const Arguments& a) {
  const std::int64_t places = a.size() > 1 ? HENG_TRY(whole(a[1], "the number of places", 0, 12)) : 0;
  Number out = a[0];
  out.value = a[0].value.round(static_cast<int>(places));
  out.exact = a[0].exact && out.value == a[0].value;
  out.formula = "round(" + a[0].formula + ", " + std::to_string(places) + ")";
  out.strength = 4;
  return out;
}
Result<Number> basis_points(const Arguments& a) { return divide(a[0], constant(10'000)); }
Result<Number> absolute(const Arguments& a) {
  Number out = a[0];
  out.value = a[0].value.abs();
  out.formula = "abs(" + a[0].formula + ")";
  out.strength = 4;
  return out;
}

int digits(std::string_view s) {
  int value = 0;
  for (const char c : s) {
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  return s.empty() || s.size() > 4 ? -1 : value;
}

Result<std::chrono::sys_days> parse_date(std::string_view text) {
  const Error bad(ErrorCode::malformed_input, "not a date: \"" + std::string(text.substr(0, 32)) + "\"; write 2024-03-31");
  std::string plain;
  for (std::size_t i = 0; i < text.size();) {
    const char32_t c = text::next(text, i);
    if (c >= U'0' && c <= U'9') plain += static_cast<char>(c);
    else if (c == U'-' || c == U'/' || c == U'.' || c == U'年' || c == U'月') plain += '-';
    else if (c != U' ' && c != U'日' && c != U'"' && c != U'\'') return bad;
  }
  const auto parts = text::split(plain, '-');
  if (parts.size() != 3) return bad;
  const int y = digits(parts[0]), m = digits(parts[1]), d = digits(parts[2]);
  if (y < 1 || m < 1 || d < 1) return bad;
  const std::chrono::year_month_day date{std::chrono::year(y), std::chrono::month(static_cast<unsigned>(m)), std::chrono::day(static_cast<unsigned>(d))};
  if (!date.ok()) return Error(ErrorCode::invalid_argument, "there is no such day: " + std::string(text.substr(0, 32)));
  return std::chrono::sys_days(date);
}

}  // namespace

Result<Number> days_between(std::string_view from, std::string_view to) {
  const auto a = HENG_TRY(parse_date(from));
  const auto b = HENG_TRY(parse_date(to));
  Number out = constant((b - a).count());
  out.formula = "days(" + std::string(text::trim(from)) + ", " + std::string(text::trim(to)) + ")";
  return out;
}

const std::vector<Function>& function_table() {
  static const std::vector<Function> table = {
      {"sum", "sum(a, b, …)", "a + b + …", {"total", "合计", "总和", "求和", "总计"}, 1, 200, sum},
      {"avg", "avg(a, b, …)", "(a + b + …) / n", {"mean", "average", "平均", "平均值", "均值"}, 1, 200, average},
      {"min", "min(a, b, …)", "the smallest", {"最小", "最小值", "最低"}, 1, 200, smallest},
      {"max", "max(a, b, …)", "the largest", {"最大", "最大值", "最高"}, 1, 200, largest},
      {"diff", "diff(a, b)", "a - b", {"difference", "subtract", "change", "差", "差额", "变动"}, 2, 2, difference},
      {"growth", "growth(new, old)", "(new - old) / old", {"growth_rate", "pct_change", "percent_change", "增长率", "增幅", "同比", "变动率"}, 2, 2, growth},
      {"ratio", "ratio(a, b)", "a / b", {"divide", "比率", "比值", "倍数"}, 2, 2, ratio},
      {"pct_of", "pct_of(part, whole)", "part / whole", {"share", "percentage_of", "margin", "占比", "比例", "比重"}, 2, 2, ratio},
      {"cagr", "cagr(begin, end, years)", "(end / begin)^(1 / years) - 1", {"复合增长率", "年均复合增长率", "年复合增长率"}, 3, 3, cagr},
      {"simple_interest", "simple_interest(principal, annual_rate, years)", "principal * rate * years", {"interest", "单利", "利息"}, 3, 3, simple_interest},
      {"interest_days", "interest_days(principal, annual_rate, days, basis = 360)", "principal * rate * days / basis", {"按日计息", "日利息"}, 3, 4, interest_days},
      {"compound", "compound(principal, annual_rate, years, per_year = 1)", "principal * (1 + rate / m)^(years * m)", {"future_value", "fv", "复利", "复利终值", "终值", "本息和"}, 3, 4, compound},
      {"compound_interest", "compound_interest(principal, annual_rate, years, per_year = 1)", "compound(…) - principal", {"复利利息"}, 3, 4, compound_interest},
      {"present_value", "present_value(future, annual_rate, years, per_year = 1)", "future / (1 + rate / m)^(years * m)", {"pv", "现值", "复利现值"}, 3, 4, present_value},
      {"payment", "payment(principal, annual_rate, months)", "level monthly payment of a loan", {"pmt", "loan_payment", "等额本息", "月供"}, 3, 3, payment},
      {"total_interest", "total_interest(principal, annual_rate, months)", "interest over a loan with level payments", {"总利息", "利息总额"}, 3, 3, total_interest},
      {"equal_principal", "equal_principal(principal, annual_rate, months, k)", "payment of month k with equal principal parts", {"等额本金"}, 4, 4, equal_principal},
      {"annuity_pv", "annuity_pv(payment, rate, periods)", "payment * (1 - (1 + rate)^-n) / rate", {"年金现值"}, 3, 3, annuity_present},
      {"annuity_fv", "annuity_fv(payment, rate, periods)", "payment * ((1 + rate)^n - 1) / rate", {"年金终值"}, 3, 3, annuity_future},
      {"npv", "npv(rate, flow_0, flow_1, …)", "flow_0 + flow_1 / (1 + rate) + …", {"净现值"}, 2, 200, net_present_value},
      {"round", "round(x, places = 0)", "half away from zero", {"四舍五入"}, 1, 2, rounded},
      {"bp", "bp(x)", "x / 10000", {"bps", "基点"}, 1, 1, basis_points},
      {"abs", "abs(x)", "without its sign", {"绝对值"}, 1, 1, absolute},
  };
  return table;
}

const Function* find_function(std::string_view name) {
  for (const auto& function : function_table()) {
    if (name == function.name) return &function;
    for (const auto& alias : function.aliases)
      if (name == alias) return &function;
  }
  return nullptr;
}

}  // namespace heng::quant
