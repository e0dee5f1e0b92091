// The hand-written gradients against finite differences, through the whole network.
#include <gtest/gtest.h>

#include <cmath>

#include "network.h"
#include "bert.h"

namespace heng::insight_events {
namespace {

NetworkShape small_shape() {
  NetworkShape shape;
  shape.encoder = {.vocabulary = 20, .positions = 32, .width = 16, .heads = 2, .inner = 24, .layers = 2, .frozen = 1, .epsilon = 1e-6F};
  shape.width = 12;
  shape.pointer = 6;
  shape.type_width = 4;
  shape.contrast_width = 5;
  shape.longest_trigger = 3;
  shape.longest_argument = 4;
  shape.dilations = {1, 2};
  shape.argument_dilations = {1, 2};
  return shape;
}

Schema small_schema() { return {{"buy", "sell", "sue"}, {"who", "what", "when"}, {{0, 1}, {1, 2, 0}, {2}}}; }

struct Fixture {
  Network network{small_shape(), small_schema()};
  Floats values{new float[network.layout().size()]()}, grads{new float[network.layout().size()]()};
  std::vector<Example> examples;

  Fixture() {
    Random random(7);
    network.initialise(values.get(), random);
    for (const auto& entry : network.layout().entries()) {
      for (std::size_t i = 0; i < entry.tensor.size(); ++i) {
        float& v = values[entry.tensor.offset + i];
        if (entry.group != Group::head) v = (entry.name.ends_with("norm.weight") ? 1.0F : 0.0F) + 0.3F * (2 * random.uniform() - 1);
        else if (entry.tensor.rows == 1) v += 0.1F * (2 * random.uniform() - 1);
      }
    }
    Example one;
    one.ids = {1, 5, 6, 7, 8, 9, 10, 11, 2};
    one.triggers = {{0, 2, 3}, {1, 2, 3}, {1, 6, 6}};
    one.events = {{0, 2, 3, {{0, 1, 1}, {1, 4, 6}}}, {1, 2, 3, {{0, 4, 6}}}, {1, 6, 6, {{1, 1, 2}, {1, 4, 4}, {2, 7, 7}}}};
    Example two;
    two.ids = {1, 12, 13, 14, 15, 2};
    two.triggers = {{2, 1, 1}};
    two.events = {{2, 1, 1, {{0, 3, 4}}}};
    Example three;
    three.ids = {1, 3, 2};
    examples = {one, two, three};
    for (Example& example : examples) {
      Segments segments;
      segments.add(static_cast<int>(example.ids.size()));
      network.lower_states({.values = values.get()}, segments, example.ids, example.lower);
    }
  }

  double loss() {
    std::vector<const Example*> all;
    for (const auto& example : examples) all.push_back(&example);
    Random random(1);
    return network.learn({values.get(), grads.get(), &random, 0.0F}, all, {.trigger = 1, .argument = 0.8F, .type = 0.5F, .contrast = 0.3F}, 0.5F).total();
  }
};

TEST(Gradient, MatchesFiniteDifferencesInEveryTrainedBlock) {
  Fixture f;
  f.loss();
  const std::vector<float> grads(f.grads.get(), f.grads.get() + f.network.layout().size());
  Random random(3);
  int checked = 0;
  for (const auto& entry : f.network.layout().entries()) {
    if (entry.group == Group::frozen) continue;
    // along a random direction of the whole block: one comparison sees every gradient in it
    std::vector<float> direction(entry.tensor.size());
    double slope = 0;
    for (std::size_t i = 0; i < direction.size(); ++i) {
      direction[i] = random.uniform() < 0.5F ? -1.0F : 1.0F;
      slope += static_cast<double>(direction[i]) * grads[entry.tensor.offset + i];
    }
    const float step = 2e-3F / std::sqrt(static_cast<float>(direction.size()));
    auto shifted = [&](float by) {
      for (std::size_t i = 0; i < direction.size(); ++i) f.values[entry.tensor.offset + i] += by * direction[i];
      const double loss = f.loss();
      for (std::size_t i = 0; i < direction.size(); ++i) f.values[entry.tensor.offset + i] -= by * direction[i];
      return loss;
    };
    const double measured = (shifted(step) - shifted(-step)) / (2.0 * step);
    EXPECT_NEAR(measured, slope, 0.02 * std::abs(slope) + 0.02) << entry.name;
    ++checked;
  }
  EXPECT_GT(checked, 50);
}

TEST(Gradient, AGivenEncoderOutputGivesTheSameLossAndLeavesTheEncoderAlone) {
  Fixture f;
  const double whole = f.loss();
  for (Example& example : f.examples) {
    Segments segments;
    segments.add(static_cast<int>(example.ids.size()));
    example.top = example.lower;
    f.network.upper_states({.values = f.values.get()}, segments, example.top);
  }
  std::fill(f.grads.get(), f.grads.get() + f.network.layout().size(), 0.0F);
  EXPECT_NEAR(f.loss(), whole, 1e-4 * whole);
  for (const auto& entry : f.network.layout().entries()) {
    double sum = 0;
    for (std::size_t i = 0; i < entry.tensor.size(); ++i) sum += std::abs(f.grads[entry.tensor.offset + i]);
    if (entry.group == Group::encoder) {
      EXPECT_EQ(sum, 0) << entry.name;
    } else if (entry.group == Group::head) {
      EXPECT_GT(sum, 0) << entry.name;
    }
  }
}

TEST(Gradient, SpanLossCountsARightSpanOnceAndIgnoresOneOutOfRange) {
  SpanScores s, g;
  s.q = Matrix::Random(5, 4);
  s.k = Matrix::Random(5, 4);
  s.starts = Matrix::Random(2, 5);
  s.ends = Matrix::Random(2, 5);
  s.lengths = Matrix::Random(2, 3);
  s.first = 1;
  s.last = 3;
  const double once = span_loss(s, {{0, 1, 2}}, 1, g);
  EXPECT_DOUBLE_EQ(span_loss(s, {{0, 1, 2}, {0, 1, 2}}, 1, g), once);
  EXPECT_DOUBLE_EQ(span_loss(s, {{0, 1, 2}, {0, 0, 1}, {1, 2, 4}}, 1, g), once);
  EXPECT_NE(span_loss(s, {{1, 1, 2}}, 1, g), once);
}

TEST(Optimiser, LearnsASmallSetByHeart) {
  Fixture f;
  const double before = f.loss();
  Optimiser optimiser(f.network.layout(), {.encoder_rate = 1e-3F, .head_rate = 1e-2F, .decay = 0, .clip = 1, .average = 0});
  std::vector<Floats> grads;
  grads.emplace_back(new float[f.network.layout().size()]);
  for (int i = 0; i < 150; ++i) {
    optimiser.clear(grads[0].get());
    std::vector<const Example*> all;
    for (const auto& example : f.examples) all.push_back(&example);
    Random random(static_cast<std::uint64_t>(i));
    f.network.learn({f.values.get(), grads[0].get(), &random, 0.0F}, all, {.contrast = 0}, 0.3F);
    optimiser.step(f.values.get(), grads, 1, 1);
  }
  EXPECT_LT(f.loss(), 0.3 * before);
}

TEST(ShortMatrix, AgreesWithFloatsForEverySizeOfBlock) {
  for (const int rows : {1, 5, 6, 7, 97}) {
    for (const int outputs : {1, 16, 70}) {
      for (const int inputs : {3, 64, 2048}) {
        const Matrix w = Matrix::Random(outputs, inputs), x = Matrix::Random(rows, inputs) * 3;
        const RowVector b = RowVector::Random(outputs);
        Matrix y;
        ShortMatrix(ConstMatrixMap(w.data(), outputs, inputs), ConstRowMap(b.data(), outputs)).multiply(x, y);
        Matrix expected = x * w.transpose();
        expected.rowwise() += b;
        // each factor is off by at most half a step: 1/1022 and 1/2046 of its row's largest
        EXPECT_LT((y - expected).cwiseAbs().maxCoeff(), 3.0 * 0.004 * std::sqrt(inputs) + 0.01) << rows << " " << outputs << " " << inputs;
        EXPECT_GT(expected.cwiseAbs().maxCoeff(), 0.1);
      }
    }
  }
  Matrix y;
  const Matrix w = Matrix::Random(20, 8), zero = Matrix::Zero(2, 8);
  const RowVector b = RowVector::Random(20);
  ShortMatrix(ConstMatrixMap(w.data(), 20, 8), ConstRowMap(b.data(), 20)).multiply(zero, y);
  EXPECT_TRUE(y.row(0).isApprox(b));
}

}  // namespace
}  // namespace heng::insight_events
