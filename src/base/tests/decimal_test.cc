#include "heng/base/decimal.h"

#include <gtest/gtest.h>

#include <random>

using heng::Decimal;

namespace {

Decimal d(const char* text) { return Decimal::parse(text).value(); }

TEST(Decimal, ParsesAndPrints) {
  EXPECT_EQ(d("-1234.50").to_string(), "-1234.50");
  EXPECT_EQ(d("1,234,567.8").to_string(), "1234567.8");
  EXPECT_EQ(d("1.2e-3").to_string(), "0.0012");
  EXPECT_EQ(d("3e5").to_string(), "300000");
  EXPECT_EQ(d("0.05").to_string(), "0.05");
  EXPECT_EQ(d("-1234567.5").to_grouped_string(), "-1,234,567.5");
  EXPECT_EQ(d("123").to_grouped_string(), "123");
  for (const char* bad : {"", "-", ".", "1.2.3", "abc", "1e", "1e99", "1,", ",1", "--1", "1 2"})
    EXPECT_FALSE(Decimal::parse(bad).ok()) << bad;
  EXPECT_FALSE(Decimal::parse(std::string(60, '9')).ok());
}

TEST(Decimal, ComputesExactly) {
  EXPECT_EQ(Decimal::add(d("0.1"), d("0.2")).value(), d("0.3"));
  EXPECT_EQ(Decimal::multiply(d("1.05"), d("1.05")).value(), d("1.1025"));
  EXPECT_EQ(Decimal::divide(d("1"), d("3"), 6).value().to_string(), "0.333333");
  EXPECT_EQ(Decimal::divide(d("-2"), d("3"), 2).value().to_string(), "-0.67");
  EXPECT_FALSE(Decimal::divide(d("1"), d("0")).ok());
}

TEST(Decimal, RoundsHalfAwayFromZero) {
  EXPECT_EQ(d("2.345").round(2).to_string(), "2.35");
  EXPECT_EQ(d("-2.345").round(2).to_string(), "-2.35");
  EXPECT_EQ(d("2.3449").round(2).to_string(), "2.34");
  EXPECT_EQ(d("0.5").round(0).to_string(), "1");
}

TEST(Decimal, OrdersAcrossScales) {
  EXPECT_TRUE(d("1.50") == d("1.5"));
  EXPECT_TRUE(d("-1") < d("0.000000000000000001"));
  EXPECT_TRUE(d("99999999999999999999999999999999999999") > d("0.123456789012345678"));
  EXPECT_TRUE(d("-99999999999999999999999999999999999999") < d("0.123456789012345678"));
}

TEST(Decimal, OverflowIsAnError) {
  const Decimal large = d("99999999999999999999999999999999999999");
  EXPECT_FALSE(Decimal::multiply(large, large).ok());
  EXPECT_FALSE(Decimal::add(large, d("99999999999999999999999999999999999999")).ok());
}

TEST(Decimal, AgreesWithLongDoubleOnRandomNumbers) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 20000; ++i) {
    const auto a = static_cast<std::int64_t>(random() % 2000000000) - 1000000000;
    const auto b = static_cast<std::int64_t>(random() % 2000000000) - 1000000000;
    const Decimal x = Decimal::from_parts(a, 4), y = Decimal::from_parts(b, 2);
    EXPECT_NEAR(Decimal::add(x, y).value().to_double(), static_cast<double>(a) / 1e4 + static_cast<double>(b) / 1e2, 1e-6);
    if (b != 0) {
      EXPECT_NEAR(Decimal::divide(x, y, 10).value().to_double(), (static_cast<double>(a) / 1e4) / (static_cast<double>(b) / 1e2), 1e-6 + 1e-9 * std::abs(static_cast<double>(a)));
    }
    EXPECT_EQ(Decimal::parse(x.to_string()).value(), x);
    EXPECT_EQ(Decimal::parse(x.to_grouped_string()).value(), x);
  }
}

}  // namespace
