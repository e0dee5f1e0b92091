#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "heng/base/text.h"
#include "linear/evidence.h"
#include "linear/linear.h"

namespace heng::insight {
namespace {

std::vector<std::string> example_texts() {
  std::vector<std::string> texts;
  for (int i = 0; i < 40; ++i) {
    texts.push_back("主力拉升，明天继续涨停" + std::to_string(i));
    texts.push_back("又跌停了，割肉离场" + std::to_string(i));
    texts.push_back("Operating profit rose to EUR " + std::to_string(i) + " mn");
    texts.push_back("Net loss widened, sales fell by " + std::to_string(i) + " percent");
  }
  return texts;
}

struct Trained {
  std::vector<std::string> texts = example_texts();
  std::vector<std::string_view> views{texts.begin(), texts.end()};
  std::vector<int> labels;
  LinearSettings settings;
  LinearHead head;
  Trained() {
    for (std::size_t i = 0; i < texts.size(); ++i) labels.push_back(i % 2 == 0 ? 1 : 0);
    head = LinearHead::train(LinearProblem::create(views, labels, 2, settings), {}, settings);
  }
};

int label_of(const LinearHead& head, std::string_view text) {
  LinearScratch scratch;
  std::vector<float> z(static_cast<std::size_t>(head.classes()));
  head.logits(text, scratch, z);
  return static_cast<int>(std::max_element(z.begin(), z.end()) - z.begin());
}

TEST(Fold, MakesFormsPlainAndKeepsPositions) {
  FoldedCodes out;
  fold("ＡＢ　 c!!!!! https://a.b/c 涨", FeatureSettings{}, true, out);
  const std::vector<std::uint32_t> expected = {code_edge, 'a', 'b', ' ', 'c', '!', '!', '!', ' ', code_link, ' ', U'涨', code_edge};
  EXPECT_EQ(out.codes, expected);
  EXPECT_EQ(out.sources[4], 4u);                         // "c" is the fifth code point
  EXPECT_EQ(out.sources[out.sources.size() - 2], 25u);   // 涨
}

TEST(Features, OfHanWordsAndPairs) {
  FoldedCodes text;
  FeatureSettings settings;
  settings.han_longest = 2;
  fold("涨停 up up", settings, false, text);
  std::vector<std::pair<std::size_t, std::size_t>> spans;
  std::vector<std::uint64_t> hashes;
  for_each_feature(text, settings, [&](std::uint64_t hash, std::size_t begin, std::size_t end) {
    spans.emplace_back(begin, end);
    hashes.push_back(hash);
  });
  EXPECT_THAT(spans, testing::IsSupersetOf({std::pair<std::size_t, std::size_t>{1, 2}, {1, 3}, {4, 6}, {7, 9}}));
  EXPECT_GT(std::count(hashes.begin(), hashes.end(), hashes[spans.size() - 2]), 0);
}

TEST(LinearHead, SeparatesWhatIsSeparable) {
  const Trained t;
  EXPECT_LT(t.head.gap(), t.settings.gap);
  EXPECT_EQ(label_of(t.head, "明天涨停"), 1);
  EXPECT_EQ(label_of(t.head, "跌停割肉"), 0);
  EXPECT_EQ(label_of(t.head, "profit rose"), 1);
  EXPECT_EQ(label_of(t.head, "sales fell"), 0);
}

TEST(LinearHead, SameSeedSameWeights) {
  const Trained a, b;
  std::string x, y;
  a.head.write(x);
  b.head.write(y);
  EXPECT_EQ(x, y);
}

TEST(LinearHead, WritesAndReads) {
  const Trained t;
  std::string bytes;
  t.head.write(bytes);
  const auto back = LinearHead::read(bytes);
  ASSERT_TRUE(back.ok());
  LinearScratch scratch;
  std::vector<float> a(2), b(2);
  for (const auto& text : t.texts) {
    t.head.logits(text, scratch, a);
    back->logits(text, scratch, b);
    EXPECT_EQ(a, b);
  }
  for (const std::size_t cut : {std::size_t{0}, std::size_t{10}, bytes.size() - 1}) EXPECT_FALSE(LinearHead::read(std::string_view(bytes).substr(0, cut)).ok());
  EXPECT_FALSE(LinearHead::read(bytes + "x").ok());
}

TEST(LinearHead, ManyClassesAreReadLikeFew) {
  std::vector<std::string> texts;
  std::vector<int> labels;
  for (int c = 0; c < 9; ++c)
    for (int i = 0; i < 6; ++i) {
      texts.push_back("topic" + std::string(1, static_cast<char>('a' + c)) + " word " + std::to_string(i));
      labels.push_back(c);
    }
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  const LinearSettings settings;
  const auto head = LinearHead::train(LinearProblem::create(views, labels, 9, settings), {}, settings);
  for (std::size_t i = 0; i < texts.size(); ++i) EXPECT_EQ(label_of(head, texts[i]), labels[i]) << texts[i];
}

TEST(Evidence, SharesAddUpToTheLogOdds) {
  const Trained t;
  Calibration calibration;
  calibration.inverse_temperature = 0.7f;
  calibration.bias = {0.1f, -0.1f};
  for (const std::string text : {"昨天涨停，profit fell 3% ok", "🙂 rose　ｆｅｌｌ 跌", "loss"}) {
    LinearScratch scratch;
    std::vector<float> z(2), per_code_point, bias;
    t.head.logits(text, scratch, z);
    t.head.contributions(text, scratch, per_code_point, bias);
    double sum = 0;
    for (const auto& e : linear_evidence(t.head, calibration, text, 1, 0)) {
      EXPECT_LT(e.begin, e.end);
      EXPECT_LE(e.end, text::code_points(text));
      sum += e.weight;
    }
    const double whole = 0.7 * (z[1] - z[0]), from_bias = 0.7 * (bias[1] - bias[0]);
    EXPECT_NEAR(sum, whole - from_bias, 1e-3) << text;
  }
}

TEST(Evidence, PointsAtTheWord) {
  const Trained t;
  Calibration calibration;
  calibration.bias = {0, 0};
  const auto evidence = linear_evidence(t.head, calibration, "the profit rose today", 1, 0);
  const auto strongest = std::max_element(evidence.begin(), evidence.end(), [](const Evidence& a, const Evidence& b) { return a.weight < b.weight; });
  ASSERT_NE(strongest, evidence.end());
  EXPECT_LE(strongest->begin, 11u);  // "profit rose"
  EXPECT_GE(strongest->end, 10u);
}

TEST(Pieces, CoverTheText) {
  const std::string text = "涨 3.5% of sales，好！";
  const auto parts = pieces(text);
  std::size_t at = 0;
  for (const auto& part : parts) {
    EXPECT_EQ(part.begin, at);
    at = part.end;
  }
  EXPECT_EQ(at, text::code_points(text));
}

}  // namespace
}  // namespace heng::insight
