#include "heng/quant/calculator.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "heng/base/decimal.h"

namespace heng::quant {
namespace {

std::string value(const std::string& expression) {
  static const auto calculator = DecimalCalculator::create();
  const auto result = calculator->evaluate(expression);
  return result.ok() ? result->value : std::string(to_string(result.error().code)) + ": " + result.error().message;
}

double number(const std::string& expression) {
  const auto parsed = Decimal::parse(value(expression));
  return parsed.ok() ? parsed->to_double() : std::nan("");
}

TEST(Calculator, ArithmeticIsExact) {
  EXPECT_EQ(value("0.1 + 0.2"), "0.3");
  EXPECT_EQ(value("1 + 2 * 3"), "7");
  EXPECT_EQ(value("(1 + 2) * 3"), "9");
  EXPECT_EQ(value("2^10 - 1"), "1023");
  EXPECT_EQ(value("-2^2"), "4") << "a sign binds to its number";
  EXPECT_EQ(value("10 / 4"), "2.5");
  EXPECT_EQ(value("1 / 3"), "0.333333333333");
  EXPECT_EQ(value("1,234.50 + 1"), "1235.5");
  EXPECT_EQ(value("5% * 200"), "10");
  EXPECT_EQ(value("25bp"), "0.0025");
  EXPECT_EQ(value("3.2亿 / 1万"), "32000");
  EXPECT_EQ(value("（１＋２）×３"), "9");
  EXPECT_EQ(value("99999999999.99 * 100"), "9999999999999");
}

TEST(Calculator, Functions) {
  EXPECT_EQ(value("sum(1,2,3)"), "6");
  EXPECT_EQ(value("sum(100,200,300)"), "600");
  EXPECT_EQ(value("growth(3,991, 5,506)"), value("growth(3991, 5506)"));
  EXPECT_EQ(value("growth(3991, 5506)"), "-0.275154377043");
  EXPECT_EQ(value("增长率(3991, 5506)"), "-0.275154377043");
  EXPECT_EQ(value("avg(1, 2, 4)"), "2.333333333333");
  EXPECT_EQ(value("max(1, 9, 4) - min(3, 2)"), "7");
  EXPECT_EQ(value("占比(25, 200)"), "0.125");
  EXPECT_EQ(value("round(2.345, 2)"), "2.35");
  EXPECT_EQ(value("abs(-4)"), "4");
  EXPECT_EQ(value("bp(25)"), "0.0025");
  EXPECT_EQ(value("diff(5, 7)"), "-2");
  EXPECT_EQ(value("days(2024-01-31, 2024-03-01)"), "30");
  EXPECT_EQ(value("days(2023年1月31日, 2023年3月1日)"), "29");
}

TEST(Calculator, FormulaShowsTheArithmetic) {
  const auto result = DecimalCalculator::create()->evaluate("growth(3991, 5506)");
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->formula, "(3991 - 5506) / 5506");
  EXPECT_NE(result->explanation.find("-27.52%"), std::string::npos) << result->explanation;
  EXPECT_NE(result->explanation.find("12 decimal places"), std::string::npos) << result->explanation;
  EXPECT_EQ(DecimalCalculator::create()->evaluate("10 - (3 - 2)")->formula, "10 - (3 - 2)");
}

// FinanceBench, AMD 10-K of fiscal 2015: D&A margin 4.2 %, from 167 and 3,991 million.
TEST(Calculator, PublishedMargin) { EXPECT_EQ(value("round(pct_of(167, 3991), 3)"), "0.042"); }

// Regulation Z (12 CFR 1026), appendix J(c)(1): $5,000 advanced, 24 monthly payments of $230, annual percentage rate 9.69 %
// (stated to two places, so the payment is met to two cents).
TEST(Calculator, PaymentRegulationZ) {
  EXPECT_NEAR(number("payment(5000, 9.69%, 24)"), 230.00, 0.02);
  // second method: the balance, month by month, ends at zero
  const double each = number("payment(5000, 12%, 36)");
  double balance = 5000;
  for (int month = 0; month < 36; ++month) balance = balance * 1.01 - each;
  EXPECT_NEAR(balance, 0, 1e-7);
  EXPECT_NEAR(number("total_interest(5000, 12%, 36)"), each * 36 - 5000, 1e-7);
}

// Annuity tables (Brealey, Myers, Allen, Principles of Corporate Finance, appendix): 20 years at 5 %: 12.462; $1 after 10
// years at 8 %: 2.159; discount factor 10 years 10 %: .386.
TEST(Calculator, PublishedTables) {
  EXPECT_EQ(value("round(annuity_pv(1, 5%, 20), 3)"), "12.462");
  EXPECT_EQ(value("round(compound(1, 8%, 10), 3)"), "2.159");
  EXPECT_EQ(value("round(present_value(1, 10%, 10), 3)"), "0.386");
  double sum = 0, future = 0;
  for (int year = 1; year <= 20; ++year) {
    sum += std::pow(1.05, -year);
    future = future * 1.05 + 1;
  }
  EXPECT_NEAR(number("annuity_pv(1, 5%, 20)"), sum, 1e-9);
  EXPECT_NEAR(number("annuity_fv(1, 5%, 20)"), future, 1e-9);
}

// Microsoft, NPV function, example 2: 8 %, -40000, 8000, 9200, 10000, 12000, 14500 gives 1922.06.
TEST(Calculator, NetPresentValue) {
  EXPECT_EQ(value("round(npv(8%, -40000, 8000, 9200, 10000, 12000, 14500), 2)"), "1922.06");
  const double flows[] = {-40000, 8000, 9200, 10000, 12000, 14500};
  double horner = 0;
  for (int i = 5; i >= 0; --i) horner = horner / 1.08 + flows[i];
  EXPECT_NEAR(number("npv(8%, -40000, 8000, 9200, 10000, 12000, 14500)"), horner, 1e-8);
}

TEST(Calculator, InterestAndGrowthByTwoWays) {
  EXPECT_EQ(value("simple_interest(10000, 1.5%, 3)"), "450");
  EXPECT_EQ(value("compound(10000, 0.015, 3)"), "10456.78375");
  EXPECT_EQ(value("compound(10000, 0.015, 3)"), value("10000 * 1.015 * 1.015 * 1.015"));
  EXPECT_EQ(value("compound_interest(10000, 0.015, 3)"), "456.78375");
  EXPECT_NEAR(number("compound(1000, 5%, 10, 12)"), 1000 * std::pow(1 + 0.05 / 12, 120), 1e-7);
  EXPECT_EQ(value("interest_days(100000, 3.6%, 90)"), "900");
  EXPECT_EQ(value("等额本金(120000, 4.8%, 12, 1)"), "10480");
  const double rate = number("cagr(100, 200, 10)");
  EXPECT_NEAR(rate, 0.071773462536, 1e-11) << "the tenth root of two, less one";
  EXPECT_NEAR(100 * std::pow(1 + rate, 10), 200, 1e-8);
}

TEST(Calculator, SaysWhatIsWrong) {
  EXPECT_EQ(value("1 / 0"), "invalid_argument: division by zero: 1 / 0");
  EXPECT_EQ(value("1 + "), "malformed_input: the expression ends too early");
  EXPECT_EQ(value("2 $ # 3"), "malformed_input: unexpected \"#\" at position 5");
  EXPECT_EQ(value("foo(3)"), "invalid_argument: unknown function \"foo\" at position 1");
  EXPECT_EQ(value("growth(1)"), "invalid_argument: growth was given 1 arguments; write growth(new, old)");
  EXPECT_EQ(value("2^0.5").substr(0, 16), "invalid_argument");
  EXPECT_EQ(value("2^99999").substr(0, 16), "invalid_argument");
  EXPECT_EQ(value(std::string(40, '(') + "1" + std::string(40, ')')).substr(0, 15), "malformed_input");
  EXPECT_EQ(value(std::string(2000, '1')).substr(0, 9), "too_large");
  EXPECT_EQ(value("9999999999999999999^3").substr(0, 9), "too_large");
  EXPECT_EQ(value("days(2024-02-30, 2024-03-01)").substr(0, 16), "invalid_argument");
  EXPECT_EQ(value("\xff").substr(0, 15), "malformed_input");
  EXPECT_EQ(value("").substr(0, 15), "malformed_input");
}

}  // namespace
}  // namespace heng::quant
