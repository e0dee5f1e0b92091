#include <gtest/gtest.h>

#include "heng/guard_conduct/suitability.h"

namespace heng::guard_conduct {
namespace {

const Suitability& policy() {
  static const auto made = [] {
    auto out = Suitability::create(default_suitability_text(), "suitability.toml");
    EXPECT_TRUE(out.ok()) << out.error().message;
    return std::move(*out);
  }();
  return *made;
}

// The matrix written out by hand, beside the policy file.
TEST(Suitability, AllCells) {
  const std::pair<const char*, const char*> rows[] = {{"C1-min", "10000"}, {"C1", "10000"}, {"C2", "11000"}, {"C3", "11100"}, {"C4", "11110"}, {"C5", "11111"}};
  const char* products[] = {"R1", "R2", "R3", "R4", "R5"};
  for (const auto& [client, allowed] : rows)
    for (std::size_t p = 0; p < 5; ++p) {
      const auto decision = policy().decide(*client_level(client), *product_level(products[p]));
      EXPECT_EQ(decision.may_recommend, allowed[p] == '1') << client << " " << products[p];
      EXPECT_FALSE(decision.clause.empty());
      if (std::string(client) == "C1-min") {
        EXPECT_EQ(decision.may_sell_on_request, p == 0);
      }
    }
}

TEST(Suitability, TheHigherRatingHolds) { EXPECT_EQ(Suitability::rated(ProductLevel::r2, ProductLevel::r4), ProductLevel::r4); }

/// Every cell as a sentence in both languages.
TEST(Suitability, ReadsRecommendationsInTexts) {
  const char* clients_zh[] = {"保守型", "稳健型", "平衡型", "成长型", "激进型"};
  for (int c = 1; c <= 5; ++c)
    for (int r = 1; r <= 5; ++r) {
      const std::string C = "C" + std::to_string(c), R = "R" + std::to_string(r);
      EXPECT_EQ(policy().check("您的风险承受能力为" + C + "，向您推荐" + R + "级的某某产品。").empty(), r <= c) << C << R;
      EXPECT_EQ(policy().check("The client is rated " + C + ". We recommend the " + R + " fund.").empty(), r <= c) << C << R;
      EXPECT_EQ(policy().check(std::string("客户属于") + clients_zh[c - 1] + "，这款" + R + "产品很适合。").empty(), r <= c) << C << R;
      EXPECT_TRUE(policy().check(C + "客户，不推荐" + R + "产品。").empty() || r <= c) << C << R;
    }
  EXPECT_FALSE(policy().check("您是风险承受能力最低类别客户，建议购买R2产品。").empty());
  EXPECT_TRUE(policy().check("R4产品的风险较高。").empty());
}

TEST(Suitability, RefusesContradictions) {
  const std::string text(default_suitability_text());
  const auto refusal = [&](const std::string& from, const std::string& to) {
    std::string changed = text;
    changed.replace(changed.find(from), from.size(), to);
    auto made = Suitability::create(changed, "s.toml");
    return made.ok() ? std::string() : made.error().message;
  };
  EXPECT_NE(refusal("level = \"C1-min\"\nhighest = \"R1\"\non_request = \"R1\"", "level = \"C1-min\"\nhighest = \"R1\"\non_request = \"R2\"").find("C1-min may never"), std::string::npos);
  EXPECT_NE(refusal("level = \"C3\"\nhighest = \"R3\"", "level = \"C3\"\nhighest = \"R1\"").find("contradicts"), std::string::npos);
  EXPECT_NE(refusal("level = \"C4\"", "level = \"C3\"").find("twice"), std::string::npos);
  EXPECT_NE(refusal("level = \"C2\"", "level = \"C9\"").find("line"), std::string::npos);
}

}  // namespace
}  // namespace heng::guard_conduct
