#include <gtest/gtest.h>

#include <cmath>

#include "heng/redteam/statistics.h"

namespace heng::redteam {
namespace {

// Published: Newcombe, Statistics in Medicine 17 (1998) 857, table I: Wilson and Clopper-Pearson for 81/263, 15/148, 0/20, 1/29.
TEST(Statistics, AsPublished) {
  struct Row {
    int hits, trials;
    double wilson_low, wilson_high, exact_low, exact_high;
  };
  for (const Row& r : {Row{81, 263, 0.2553, 0.3662, 0.2527, 0.3676}, Row{15, 148, 0.0624, 0.1605, 0.0578, 0.1617}, Row{0, 20, 0.0, 0.1611, 0.0, 0.1684}, Row{1, 29, 0.0061, 0.1718, 0.0009, 0.1776}}) {
    const auto w = wilson(r.hits, r.trials), c = clopper_pearson(r.hits, r.trials);
    EXPECT_NEAR(w.low, r.wilson_low, 6e-5);
    EXPECT_NEAR(w.high, r.wilson_high, 6e-5);
    EXPECT_NEAR(c.low, r.exact_low, 6e-5);
    EXPECT_NEAR(c.high, r.exact_high, 6e-5);
  }
}

TEST(Statistics, Edges) {
  EXPECT_EQ(clopper_pearson(0, 0).high, 1);
  EXPECT_EQ(wilson(0, 0).low, 0);
  // no hit: the upper bound is 1 - 0.025^(1/n)
  EXPECT_NEAR(clopper_pearson(0, 1000).high, 1 - std::pow(0.025, 1.0 / 1000), 1e-8);
  EXPECT_EQ(clopper_pearson(7, 7).high, 1);
  EXPECT_EQ(clopper_pearson(0, 7).low, 0);
}

}  // namespace
}  // namespace heng::redteam
