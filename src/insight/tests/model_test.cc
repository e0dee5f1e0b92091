#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "heng/insight/task_labeller.h"
#include "heng/insight/trainer.h"
#include "model/examples.h"
#include "model/model_stage.h"

namespace heng::insight {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

/// Vectors by two words; scores by which label the last example has, if `copies`; by whether the last digit is even, if `knows`; else always the same.
class Both final : public Inference {
 public:
  bool copies = true, knows = false;
  std::vector<ScoreRequest> asked;
  Result<EmbedResult> embed(const EmbedRequest& request, std::stop_token) override {
    EmbedResult result;
    result.model_sha256 = "0123456789abcdef0123";
    for (const auto& text : request.texts) {
      std::vector<float> v(2, 0.05f);
      if (text.find("red") != std::string::npos) v[0] = 1;
      if (text.find("blue") != std::string::npos) v[1] = 1;
      result.vectors.push_back(v);
    }
    return result;
  }
  std::vector<ModelInfo> models() const override { return {{.name = "words", .kind = ModelInfo::Kind::embedding, .sha256 = "0123456789abcdef0123", .dimensions = 2, .is_default = true}}; }
  Result<ChatResult> chat(const ChatRequest&, const ChatSink&, std::stop_token) override { return Error(ErrorCode::unsupported, "no"); }
  Result<ScoreResult> score(const ScoreRequest& request, std::stop_token) override {
    asked.push_back(request);
    ScoreResult result;
    for (const auto& item : request.items) {
      const auto last = item.rfind("Label: ");
      bool cold = copies && last != std::string::npos && item.compare(last + 7, 4, "cold") == 0;
      if (knows) cold = (item.back() - '0') % 2 == 0;
      result.logprobs.push_back({cold ? -0.2 : -2.0, cold ? -2.0 : -0.2});   // cold, warm
    }
    return result;
  }
  Result<ReplayResult> replay(const ReplayRequest&, std::stop_token) override { return Error(ErrorCode::unsupported, "no"); }
  Result<std::vector<std::int32_t>> tokenize(const std::string&, const std::string&) override { return Error(ErrorCode::unsupported, "no"); }
  std::vector<InferenceStats> stats() const override { return {}; }
};

struct ModelTest : testing::Test {
  std::filesystem::path folder = std::filesystem::temp_directory_path() / ("heng-model-" + std::to_string(::getpid()));
  Both both;
  void SetUp() override { std::filesystem::create_directories(folder); }
  void TearDown() override { std::filesystem::remove_all(folder); }
  Result<LabelledData> rows(int count) {
    std::ofstream out(folder / "rows.jsonl");
    for (int i = 0; i < count; ++i) {
      const bool cold = i % 2 == 0;
      out << json({{"text", std::string(cold ? "a blue thing " : "a red thing ") + std::to_string(i * 7919 % 1000)}, {"label", cold ? "cold" : "warm"}}).dump() << "\n";
    }
    out.close();
    return read_labelled(folder / "rows.jsonl");
  }
};

TEST_F(ModelTest, EachTextIsShownTheRowsMostLikeIt) {
  const auto data = rows(40);
  ASSERT_TRUE(data.ok());
  const DescribedTask described{.name = "tone", .description = "Cold or warm?", .labels = {{"cold", ""}, {"warm", ""}}};
  const auto file = describe_task(described, &*data, system_clock(), &both);
  ASSERT_TRUE(file.ok()) << file.error().message;
  ASSERT_TRUE(write_task_file(folder / "tone.task", *file).ok());
  TaskLabeller labeller({.folder = folder}, &both);
  const auto outcomes = labeller.label({.task = "tone", .items = {{"", "something blue"}, {"", "something red"}}}, {});
  ASSERT_TRUE(outcomes.ok()) << outcomes.error().message;
  EXPECT_EQ((*outcomes)[0]->label, "cold");
  EXPECT_EQ((*outcomes)[1]->label, "warm");
  const auto& items = both.asked.back().items;
  ASSERT_EQ(items.size(), 5u);   // three that say nothing, two texts
  EXPECT_THAT(items[3], HasSubstr("a blue thing"));
  EXPECT_THAT(items[3], Not(HasSubstr("a red thing")));
  EXPECT_THAT(both.asked.back().prefix, Not(HasSubstr("thing")));
}

TEST_F(ModelTest, FewRowsAreShownToEveryText) {
  const auto data = rows(8);
  const auto file = describe_task({.name = "tone", .description = "Cold or warm?", .labels = {{"cold", ""}, {"warm", ""}}}, &*data, system_clock(), &both);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE(write_task_file(folder / "tone.task", *file).ok());
  TaskLabeller labeller({.folder = folder}, &both);
  ASSERT_TRUE(labeller.label({.task = "tone", .items = {{"", "something blue"}}}, {}).ok());
  EXPECT_THAT(both.asked.back().prefix, HasSubstr("a red thing"));
}

TEST_F(ModelTest, PoolsAreReadAsWritten) {
  const auto data = rows(40);
  const std::vector<std::string_view> texts(data->texts.begin(), data->texts.end());
  std::vector<std::size_t> taken;
  const auto pool = make_pool(both, texts, data->labels, 2, choose_sources(both, {}, false).value(), 10, &taken, {});
  ASSERT_TRUE(pool.ok());
  EXPECT_EQ(pool->texts.size(), 10u);
  EXPECT_EQ(std::count(pool->labels.begin(), pool->labels.end(), 0), 5);
  std::string bytes;
  pool->write(bytes);
  const auto again = ExamplePool::read(bytes, pool->sources, 2);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->texts, pool->texts);
  EXPECT_EQ(again->vectors.values, pool->vectors.values);
  for (std::size_t cut = 0; cut < bytes.size(); cut += 7) EXPECT_FALSE(ExamplePool::read(std::string_view(bytes).substr(0, cut), pool->sources, 2).ok());
  EXPECT_FALSE(ExamplePool::read(bytes, pool->sources, 1).ok());
}

Result<TrainedTask> train(Both& both, const LabelledData& data) {
  TrainSettings settings;
  settings.name = "tone";
  settings.encoder = false;
  settings.model = true;
  settings.model_rows = 60;
  settings.tolerance = 0.02;
  return train_labels(data, nullptr, settings, &both, system_clock(), {}, {});
}

TEST_F(ModelTest, AWorseModelIsNotUsedButCanBeForced) {
  const auto data = rows(200);
  both.copies = false;
  const auto trained = train(both, *data);
  ASSERT_TRUE(trained.ok()) << trained.error().message;
  EXPECT_EQ(trained->report.info.automatic, std::vector<Tier>{Tier::linear});
  EXPECT_THAT(trained->report.notes.back(), HasSubstr("does without it"));
  EXPECT_EQ(trained->report.stages.back().stage, "model");
  ASSERT_TRUE(write_task_file(folder / "tone.task", trained->file).ok());
  TaskLabeller labeller({.folder = folder}, &both);
  EXPECT_EQ(labeller.label({.task = "tone", .items = {{"", "a blue thing"}}}, {}).value()[0]->tier, Tier::linear);
  EXPECT_EQ(labeller.label({.task = "tone", .items = {{"", "a blue thing"}}, .tier = Tier::model}, {}).value()[0]->tier, Tier::model);
}

/// The linear head reads every digit as the same, so only the model knows even from odd.
TEST_F(ModelTest, ABetterOneEndsTheCascade) {
  {
    std::ofstream out(folder / "rows.jsonl");
    for (int i = 0; i < 200; ++i) out << json({{"text", "item " + std::to_string(1000 + i)}, {"label", i % 2 == 0 ? "cold" : "warm"}}).dump() << "\n";
  }
  const auto data = read_labelled(folder / "rows.jsonl");
  ASSERT_TRUE(data.ok());
  both.knows = true;
  const auto trained = train(both, *data);
  ASSERT_TRUE(trained.ok()) << trained.error().message;
  EXPECT_EQ(trained->report.info.automatic, (std::vector<Tier>{Tier::linear, Tier::model}));
  EXPECT_THAT(trained->report.notes.back(), HasSubstr("ends with it"));
  ASSERT_TRUE(write_task_file(folder / "tone.task", trained->file).ok());
  TaskLabeller labeller({.folder = folder}, &both);
  const auto outcomes = labeller.label({.task = "tone", .items = {{"", "item 7002"}, {"", "item 7003"}}}, {});
  ASSERT_TRUE(outcomes.ok()) << outcomes.error().message;
  EXPECT_EQ((*outcomes)[0]->tier, Tier::model);
  EXPECT_EQ((*outcomes)[0]->label, "cold");
  EXPECT_EQ((*outcomes)[1]->label, "warm");
  EXPECT_GT((*outcomes)[0]->confidence, 0.8);
}

TEST_F(ModelTest, HeldOutRowsAreNotShownToThemselves) {
  const auto data = rows(60);
  ASSERT_TRUE(train(both, *data).ok());
  for (const auto& request : both.asked)
    for (std::size_t i = 3; i < request.items.size(); ++i) {
      const auto& item = request.items[i];
      const auto text = item.substr(item.rfind("Text: "));
      EXPECT_EQ(item.find(text + "\n"), std::string::npos) << item;
    }
}

}  // namespace
}  // namespace heng::insight
