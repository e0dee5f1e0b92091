#include <gtest/gtest.h>

#include <cmath>

#include "heng/fairness/counterfactual.h"
#include "heng/fairness/groups.h"

namespace heng::fairness {
namespace {

TEST(Statistics, NewcombesPublishedExamples) {
  // Newcombe (1998), table II, method 10: 56/70 - 48/80 and 9/10 - 3/10, 10/10 - 0/10
  auto i = newcombe(56, 70, 48, 80);
  EXPECT_NEAR(i.low, 0.0524, 5e-5);
  EXPECT_NEAR(i.high, 0.3339, 5e-5);
  i = newcombe(9, 10, 3, 10);
  EXPECT_NEAR(i.low, 0.1705, 5e-5);
  EXPECT_NEAR(i.high, 0.8090, 5e-5);
  i = newcombe(10, 10, 0, 10);
  EXPECT_NEAR(i.low, 0.6075, 5e-5);
  EXPECT_NEAR(i.high, 1.0, 5e-5);
}

TEST(Statistics, FishersTeaAndOthers) {
  EXPECT_NEAR(fisher_exact(3, 1, 1, 3), 0.4857142857, 1e-9);   // Fisher's tea tasting
  EXPECT_NEAR(fisher_exact(8, 2, 1, 5), 0.0349650350, 1e-9);   // the usual worked example, R: fisher.test(matrix(c(8,1,2,5),2))
  EXPECT_NEAR(fisher_exact(0, 0, 0, 0), 1, 1e-12);
  EXPECT_NEAR(fisher_exact(5, 5, 5, 5), 1, 1e-9);
}

TEST(Statistics, WilsonKatzHolm) {
  EXPECT_NEAR(wilson(0, 10).high, 0.2775, 5e-5);
  EXPECT_NEAR(wilson(81, 263).low, 0.2553, 5e-5);               // Newcombe (1998b), 81/263
  EXPECT_NEAR(wilson(81, 263).high, 0.3662, 5e-5);
  EXPECT_FALSE(katz_ratio(0, 10, 5, 10));
  // by hand: ln(0.8/0.6) ± 1.96 sqrt(1/56-1/70+1/48-1/80)
  const double error = std::sqrt(1.0 / 56 - 1.0 / 70 + 1.0 / 48 - 1.0 / 80);
  EXPECT_NEAR(katz_ratio(56, 70, 48, 80)->low, std::exp(std::log(0.8 / 0.6) - 1.959963984540054 * error), 1e-12);
  const auto adjusted = holm({0.01, 0.04, 0.03, 0.005});
  EXPECT_NEAR(adjusted[0], 0.03, 1e-12);
  EXPECT_NEAR(adjusted[1], 0.06, 1e-12);
  EXPECT_NEAR(adjusted[2], 0.06, 1e-12);
  EXPECT_NEAR(adjusted[3], 0.02, 1e-12);
}

std::vector<Case> people(const std::string& sex, int selected, int others, bool known = false) {
  std::vector<Case> out;
  for (int i = 0; i < selected + others; ++i) {
    Case c;
    c.selected = i < selected;
    c.attributes["sex"] = sex;
    if (known) c.came_true = i % 2 == 0;
    if (known) c.score = c.selected ? 0.75 : 0.25;
    out.push_back(c);
  }
  return out;
}

std::vector<Case> both(std::vector<Case> a, const std::vector<Case>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

TEST(Groups, AClearDifferenceFailsAndChanceDoesNot) {
  auto r = *measure_groups(both(people("m", 160, 40), people("f", 80, 120)), {"sex"}, {}, {});
  EXPECT_FALSE(r.passed);
  EXPECT_EQ(r.attributes[0].groups[0].group, "m");
  EXPECT_TRUE(r.attributes[0].groups[0].reference);
  EXPECT_NEAR(r.attributes[0].groups[1].ratio, 0.5, 1e-12);
  EXPECT_LT(r.attributes[0].groups[1].difference_interval.high, 0);
  // 0.75 of the rate, but 40 people: may be chance
  r = *measure_groups(both(people("m", 16, 24), people("f", 12, 28)), {"sex"}, {}, {});
  EXPECT_TRUE(r.passed);
  EXPECT_NEAR(r.attributes[0].groups[1].ratio, 0.75, 1e-12);
  // a handful never decides, whatever it shows
  r = *measure_groups(both(people("m", 160, 40), people("f", 0, 20)), {"sex"}, {}, {});
  EXPECT_TRUE(r.passed);
  // the smallest group does not become the reference by luck
  r = *measure_groups(both(people("m", 100, 100), people("x", 3, 0)), {"sex"}, {}, {});
  EXPECT_EQ(r.attributes[0].groups[0].group, "m");
}

TEST(Groups, RatesAndCalibrationByHand) {
  const auto r = *measure_groups(both(people("m", 50, 50, true), people("f", 50, 50, true)), {"sex"}, {{"sex", "f"}}, {});
  const auto& f = r.attributes[0].groups[0];
  EXPECT_EQ(f.group, "f");
  EXPECT_DOUBLE_EQ(*f.true_positive_rate, 0.5);
  EXPECT_DOUBLE_EQ(*f.false_positive_rate, 0.5);
  EXPECT_DOUBLE_EQ(*f.precision, 0.5);
  EXPECT_NEAR(*f.calibration_gap, 0, 1e-12);
  EXPECT_NEAR(*f.calibration_error, 0.25, 1e-12);
  EXPECT_TRUE(r.passed);
}

TEST(Groups, BadInputIsNamed) {
  EXPECT_FALSE(measure_groups({}, {"sex"}, {}, {}).ok());
  EXPECT_FALSE(measure_groups(people("m", 1, 1), {}, {}, {}).ok());
  EXPECT_EQ(measure_groups(people("m", 1, 1), {"age"}, {}, {}).error().param, "groups");
  EXPECT_EQ(measure_groups(people("m", 1, 1), {"sex"}, {{"sex", "f"}}, {}).error().param, "reference");
}

TEST(Counterfactual, EveryHoleIsFilledAndOnlyOneChanges) {
  for (const auto& text : builtin_templates())
    for (const auto& variants : builtin_variants(text.language))
      for (const auto& value : variants.values) {
        const auto filled = fill(text, variants.attribute, value);
        EXPECT_EQ(filled.find('{'), std::string::npos) << text.id;
        EXPECT_NE(filled.find(value), std::string::npos) << text.id << " " << value;
        EXPECT_EQ(filled == fill(text, "", ""), value == variants.values.front()) << text.id << " " << value;
      }
}

TEST(Counterfactual, FindsAPlantedPrejudiceAndPassesABlindJudge) {
  const auto blind = measure_counterfactuals(builtin_templates(), [](const std::string&, const std::vector<std::string>& texts) -> Result<std::vector<double>> {
    return std::vector<double>(texts.size(), 0.7);
  }, 0.05);
  ASSERT_TRUE(blind.ok());
  EXPECT_TRUE(blind->passed);
  EXPECT_EQ(blind->attributes.size(), 10u);
  const auto unfair = measure_counterfactuals(builtin_templates(), [](const std::string&, const std::vector<std::string>& texts) -> Result<std::vector<double>> {
    std::vector<double> out;
    for (const auto& text : texts) out.push_back(text.find("藏族") != std::string::npos || text.find("female") != std::string::npos ? 0.45 : 0.6);
    return out;
  }, 0.05);
  EXPECT_FALSE(unfair->passed);
  ASSERT_EQ(unfair->failures.size(), 2u);
  EXPECT_NE(unfair->failures[0].find("藏族"), std::string::npos);
  for (const auto& attribute : unfair->attributes)
    for (const auto& v : attribute.variants) EXPECT_EQ(v.flips, v.value == "藏族" || v.value == "female" ? v.texts : 0) << v.value;
  const auto broken = measure_counterfactuals(builtin_templates(), [](const std::string&, const std::vector<std::string>&) -> Result<std::vector<double>> { return Error(ErrorCode::unavailable, "down"); }, 0.05);
  EXPECT_EQ(broken.error().code, ErrorCode::unavailable);
}

TEST(Html, IsInert) {
  auto cases = both(people("<script>alert(1)</script>", 160, 40), people("f", 80, 120));
  const auto r = *measure_groups(cases, {"sex"}, {}, {});
  const auto page = html(&r, nullptr);
  EXPECT_EQ(page.find("<script"), std::string::npos);
  EXPECT_NE(page.find("&lt;script&gt;"), std::string::npos);
  EXPECT_NE(page.find("<svg"), std::string::npos);
  EXPECT_NE(page.find("FAILED"), std::string::npos);
}

}  // namespace
}  // namespace heng::fairness
