// The tuned encoder: gradients against finite differences, and a small training on a real encoder, kept, read, broken.
#include "heng/insight_bert/text_classifier.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "heng/insight_bert/optimiser.h"
#include "text_network.h"

namespace heng::insight_bert {
namespace {

EncoderShape small_shape() { return {.vocabulary = 20, .positions = 32, .width = 16, .heads = 2, .inner = 24, .layers = 2, .frozen = 1, .epsilon = 1e-6F}; }

struct Fixture {
  TextNetwork network{small_shape(), 3};
  Floats values{new float[network.layout().size()]()}, grads{new float[network.layout().size()]()};
  Segments segments;
  std::vector<std::int32_t> ids{1, 5, 6, 7, 8, 2, 1, 9, 10, 2, 1, 2};
  std::vector<int> labels{0, 2, 1};

  Fixture() {
    Random random(7);
    network.initialise(values.get(), random);
    for (const auto& entry : network.layout().entries())
      for (std::size_t i = 0; i < entry.tensor.size(); ++i)
        values[entry.tensor.offset + i] += (entry.name.ends_with("norm.weight") ? 1.0F : 0.0F) + 0.3F * (2 * random.uniform() - 1);
    for (const int size : {6, 4, 2}) segments.add(size);
  }
  double loss() {
    Random random(1);
    const Pass pass{.values = values.get(), .grads = grads.get(), .random = &random, .dropout = 0};
    Matrix x;
    network.lower_states(pass, segments, ids, x);
    return network.learn(pass, segments, std::move(x), labels, 0.1F, 0.5F);
  }
};

TEST(TextNetwork, GradientsMatchFiniteDifferencesInEveryTrainedBlock) {
  Fixture f;
  f.loss();
  const std::vector<float> grads(f.grads.get(), f.grads.get() + f.network.layout().size());
  Random random(3);
  int checked = 0;
  for (const auto& entry : f.network.layout().entries()) {
    if (entry.group == Group::frozen) continue;
    std::vector<float> direction(entry.tensor.size());
    double slope = 0, length = 0;
    for (std::size_t i = 0; i < direction.size(); ++i) {
      direction[i] = 2 * random.uniform() - 1;
      slope += static_cast<double>(direction[i]) * static_cast<double>(grads[entry.tensor.offset + i]);
      length += static_cast<double>(direction[i]) * static_cast<double>(direction[i]);
    }
    const float step = 0.004F / static_cast<float>(std::sqrt(length));
    const std::vector<float> before(f.values.get() + entry.tensor.offset, f.values.get() + entry.tensor.offset + entry.tensor.size());
    const auto at = [&](float share) {
      for (std::size_t i = 0; i < direction.size(); ++i) f.values[entry.tensor.offset + i] = before[i] + share * step * direction[i];
      return f.loss();
    };
    const double measured = (at(1) - at(-1)) / (2 * static_cast<double>(step));
    at(0);
    EXPECT_NEAR(slope, measured, 0.02 * std::abs(measured) + 4e-3 * std::sqrt(length)) << entry.name;
    ++checked;
  }
  EXPECT_EQ(checked, 12 + 4);  // one trained layer of six pairs, pooling, classes
}

std::filesystem::path encoder() {
  const char* models = std::getenv("HENG_MODELS");
  return std::filesystem::path(models ? models : "") / "bge-small-zh-v1.5-f16.gguf";
}

TEST(TextClassifier, LearnsAndIsTheSameWhenReadAgain) {
  if (!std::filesystem::exists(encoder())) GTEST_SKIP() << "no " << encoder();
  const std::vector<std::string_view> texts = {"今天天气晴朗，适合出门散步", "股价大跌，投资者损失惨重", "公园里的花开了", "公司净利润同比下降三成", "周末去爬山吧",
                                               "央行宣布下调存款准备金率", "孩子们在操场上踢球",         "债券违约引发市场担忧",   "晚饭做了红烧肉", "基金经理调仓换股"};
  const std::vector<int> labels = {0, 1, 0, 1, 0, 1, 0, 1, 0, 1};
  TuneSettings settings;
  settings.epochs = 12;
  settings.batch = 5;
  settings.minutes = 3;
  settings.average = 0;
  auto trained = TextClassifier::train(encoder(), texts, labels, {}, 2, settings, {}, {});
  ASSERT_TRUE(trained.ok()) << trained.error().message;
  std::vector<float> odds(texts.size() * 2);
  (*trained)->logits(texts, odds, 2);
  for (std::size_t i = 0; i < texts.size(); ++i) EXPECT_EQ(odds[2 * i + 1] > odds[2 * i], labels[i] == 1) << texts[i];
  std::string bytes;
  (*trained)->write(bytes);
  auto again = TextClassifier::read(bytes);
  ASSERT_TRUE(again.ok()) << again.error().message;
  std::vector<float> same(odds.size());
  (*again)->logits(texts, same, 1);
  for (std::size_t i = 0; i < odds.size(); ++i) EXPECT_NEAR(odds[i], same[i], 1e-3);
  EXPECT_EQ(TextClassifier::read(std::string_view(bytes).substr(0, bytes.size() - 2)).error().code, ErrorCode::corrupt);
  EXPECT_EQ(TextClassifier::read("HENGTXT1").error().code, ErrorCode::corrupt);
}

TEST(TextClassifier, RefusesWhatIsNoEncoder) {
  const std::string_view text = "x";
  const int label = 0;
  EXPECT_EQ(TextClassifier::train("/nonexistent.gguf", {&text, 1}, {&label, 1}, {}, 2, {}, {}, {}).error().code, ErrorCode::not_found);
  EXPECT_EQ(TextClassifier::train(HENG_ROOM_DIR "/README.md", {&text, 1}, {&label, 1}, {}, 2, {}, {}, {}).error().code, ErrorCode::malformed_input);
}

}  // namespace
}  // namespace heng::insight_bert
