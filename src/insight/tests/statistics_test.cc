#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "cascade/plan.h"
#include "tasks/train_model.h"
#include "encoder/mlp.h"
#include "heng/insight/metrics.h"
#include "src/calibration.h"

namespace heng::insight {
namespace {

TEST(Minimise, FindsRosenbrocksValley) {
  const auto x = minimise({-1.2, 1.0}, [](const std::vector<double>& p, std::vector<double>& g) {
    const double a = 1 - p[0], b = p[1] - p[0] * p[0];
    g = {-2 * a - 400 * p[0] * b, 200 * b};
    return a * a + 100 * b * b;
  }, 500);
  EXPECT_NEAR(x[0], 1, 1e-3);
  EXPECT_NEAR(x[1], 1, 1e-3);
}

/// Rows whose truth follows softmax(logits · truth_scale).
void draw(double truth_scale, std::vector<float>& logits, std::vector<int>& labels) {
  std::mt19937_64 random(5);
  std::normal_distribution<float> normal(0, 3);
  for (int i = 0; i < 20000; ++i) {
    std::vector<float> z(3), p(3);
    for (std::size_t c = 0; c < 3; ++c) p[c] = static_cast<float>(truth_scale) * (z[c] = normal(random));
    softmax(p);
    labels.push_back(std::discrete_distribution<int>(p.begin(), p.end())(random));
    logits.insert(logits.end(), z.begin(), z.end());
  }
}

TEST(Calibration, FindsTheTemperature) {
  std::vector<float> logits;
  std::vector<int> labels;
  draw(0.4, logits, labels);
  const auto calibration = Calibration::fit(logits, labels, 3);
  EXPECT_NEAR(calibration.inverse_temperature, 0.4, 0.02);
  for (const float bias : calibration.bias) EXPECT_NEAR(bias, 0, 0.05);
  std::vector<float> raw(logits), calibrated(logits);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    softmax(std::span(raw).subspan(3 * i, 3));
    calibration.apply(std::span(calibrated).subspan(3 * i, 3), std::span(calibrated).subspan(3 * i, 3));
  }
  EXPECT_GT(evaluate(raw, labels, {"a", "b", "c"}).ece, 0.1);
  EXPECT_LT(evaluate(calibrated, labels, {"a", "b", "c"}).ece, 0.015);
}

TEST(Metrics, AsCountedByHand) {
  // truth 0 0 1 1 1, given 0 1 1 1 0
  const std::vector<float> p = {0.9f, 0.1f, 0.4f, 0.6f, 0.2f, 0.8f, 0.3f, 0.7f, 0.6f, 0.4f};
  const std::vector<int> labels = {0, 0, 1, 1, 1};
  const auto report = evaluate(p, labels, {"no", "yes"});
  EXPECT_DOUBLE_EQ(report.accuracy, 0.6);
  EXPECT_DOUBLE_EQ(report.classes[0].precision, 0.5);
  EXPECT_DOUBLE_EQ(report.classes[0].recall, 0.5);
  EXPECT_NEAR(report.classes[1].f1, 2.0 / 3, 1e-12);
  EXPECT_NEAR(report.macro_f1, (0.5 + 2.0 / 3) / 2, 1e-12);
  EXPECT_NEAR(report.weighted_f1, 0.4 * 0.5 + 0.6 * 2 / 3, 1e-12);
  EXPECT_EQ(report.confusion[0][1], 1);
  EXPECT_EQ(report.confusion[1][0], 1);
}

TEST(UpperBound, IsClopperPearsons) {
  // R: binom.test(k, n, alternative = "less")$conf.int[2]
  EXPECT_NEAR(upper_bound(0, 100, 0.95), 0.02951305, 1e-6);
  EXPECT_NEAR(upper_bound(5, 100, 0.95), 0.1022534, 1e-5);
  EXPECT_EQ(upper_bound(10, 10, 0.95), 1);
}

/// A cheap stage that is right where it is sure, and a dear one that is always nearly right.
void draw_stages(std::vector<StageScores>& stages, std::vector<int>& labels, double cheap_error_when_sure) {
  std::mt19937_64 random(3);
  std::uniform_real_distribution<double> uniform(0, 1);
  stages = {{Tier::linear, {}}, {Tier::fused, {}}};
  for (int i = 0; i < 8000; ++i) {
    const int truth = static_cast<int>(random() % 2);
    labels.push_back(truth);
    const bool sure = uniform(random) < 0.7;
    const bool right = uniform(random) > (sure ? cheap_error_when_sure : 0.4);
    const auto put = [&](StageScores& stage, bool good, float confidence) {
      const float own = good ? confidence : 1 - confidence;
      stage.probabilities.push_back(truth == 0 ? own : 1 - own);
      stage.probabilities.push_back(truth == 0 ? 1 - own : own);
    };
    put(stages[0], right, sure ? 0.98f : 0.6f);
    put(stages[1], uniform(random) > 0.05, 0.95f);
  }
}

TEST(Cascade, CheapStageAnswersWhatItIsSureOf) {
  std::vector<StageScores> stages;
  std::vector<int> labels;
  draw_stages(stages, labels, 0.002);
  const auto plan = plan_cascade(stages, labels, 2, 0.005, 0.95);
  ASSERT_EQ(plan.steps.size(), 2u);
  EXPECT_NEAR(plan.steps[0].share, 0.7, 0.02);
  EXPECT_GE(plan.accuracy, plan.last_accuracy - 0.005);
}

TEST(Cascade, KeepsTheBoundWhereTheCheapStageDeceives) {
  std::vector<StageScores> stages;
  std::vector<int> labels;
  draw_stages(stages, labels, 0.05);  // sure, yet wrong once in twenty
  const auto plan = plan_cascade(stages, labels, 2, 0.005, 0.95);
  EXPECT_EQ(plan.steps[0].share, 0);
  EXPECT_EQ(plan.accuracy, plan.last_accuracy);
}

TEST(Cascade, AStageAskedOfSomeRowsIsTakenToBeRightOnTheOthers) {
  std::vector<StageScores> stages;
  std::vector<int> labels;
  draw_stages(stages, labels, 0.002);
  auto some = stages;
  some.push_back(stages[1]);
  some[2].tier = Tier::model;
  some[2].known.assign(labels.size(), 0);
  for (std::size_t i = 0; i < labels.size(); i += 10) some[2].known[i] = 1;
  const auto plan = plan_cascade(some, labels, 2, 0.02, 0.95);
  ASSERT_EQ(plan.steps.size(), 3u);
  EXPECT_NEAR(plan.steps[0].share, 0.7, 0.02);
  EXPECT_NEAR(plan.steps[0].share + plan.steps[1].share + plan.steps[2].share, 1, 1e-9);
  EXPECT_GE(plan.accuracy, plan.last_accuracy - 0.02);
  // nothing known of the last stage: no more may be answered early than if it were always right
  auto none = some;
  none[2].known.assign(labels.size(), 0);
  EXPECT_LE(plan_cascade(none, labels, 2, 0.02, 0.95).steps[0].share, plan.steps[0].share + 1e-9);
}

TEST(SignTest, AgreesWithTheBinomial) {
  EXPECT_NEAR(sign_test(5, 0), 1.0 / 32, 1e-12);
  EXPECT_NEAR(sign_test(3, 1), 5.0 / 16, 1e-12);
  EXPECT_NEAR(sign_test(0, 7), 1, 1e-12);
}

TEST(Matrix, ProductsAgreeWithTheDefinition) {
  std::mt19937_64 random(1);
  std::normal_distribution<float> normal;
  for (const auto& [m, d, n] : {std::tuple<std::size_t, std::size_t, std::size_t>{5, 7, 35}, {4, 16, 16}, {1, 3, 2}}) {
    Matrix a(m, d), b(d, n), out(m, n), back(d, n), side(m, d);
    for (float& v : a.values) v = normal(random);
    for (float& v : b.values) v = normal(random);
    multiply(a, b, out);
    for (std::size_t i = 0; i < m; ++i)
      for (std::size_t j = 0; j < n; ++j) {
        float sum = 0;
        for (std::size_t k = 0; k < d; ++k) sum += a.row(i)[k] * b.row(k)[j];
        EXPECT_NEAR(out.row(i)[j], sum, 1e-4);
      }
    multiply_transposed_left(a, out, back);
    float first = 0;
    for (std::size_t i = 0; i < m; ++i) first += a.row(i)[0] * out.row(i)[0];
    EXPECT_NEAR(back.row(0)[0], first, 1e-3);
    multiply_transposed_right(out, b, side);
    float other = 0;
    for (std::size_t j = 0; j < n; ++j) other += out.row(0)[j] * b.row(0)[j];
    EXPECT_NEAR(side.row(0)[0], other, 1e-3);
  }
}

TEST(Mlp, LearnsWhatALineCannotSeparate) {
  Matrix vectors(400, 2);
  std::vector<int> labels;
  std::mt19937_64 random(2);
  std::uniform_real_distribution<float> uniform(-1, 1);
  for (std::size_t i = 0; i < 400; ++i) {
    vectors.row(i)[0] = uniform(random);
    vectors.row(i)[1] = uniform(random);
    labels.push_back(vectors.row(i)[0] * vectors.row(i)[1] > 0);
  }
  MlpSettings settings;
  settings.hidden = 32;
  settings.epochs = 120;
  settings.learning_rate = 1e-2;
  settings.input_dropout = 0;
  settings.hidden_dropout = 0;
  const auto mlp = Mlp::train(vectors, labels, {}, 2, settings);
  const auto z = mlp.logits(vectors);
  int right = 0;
  for (std::size_t i = 0; i < 400; ++i) right += (z.row(i)[1] > z.row(i)[0]) == (labels[i] == 1);
  EXPECT_GT(right, 380);
  std::string bytes;
  mlp.write(bytes);
  const auto back = Mlp::read(bytes);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->logits(vectors).values, z.values);
  EXPECT_FALSE(Mlp::read(std::string_view(bytes).substr(0, bytes.size() - 4)).ok());
}

}  // namespace
}  // namespace heng::insight
