#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "heng/base/text.h"
#include "heng/insight/label_stream.h"
#include "heng/insight/report.h"
#include "heng/insight/task_labeller.h"
#include "heng/insight/trainer.h"

namespace heng::insight {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

/// Vectors that tell of meaning: how often each of four words stands in the text.
class WordVectors final : public Inference {
 public:
  std::string sha256 = "0123456789abcdef0123";
  int calls = 0;
  Result<EmbedResult> embed(const EmbedRequest& request, std::stop_token) override {
    ++calls;
    EmbedResult result;
    result.model_sha256 = sha256;
    for (const auto& text : request.texts) {
      std::vector<float> v(4, 0.1f);
      std::size_t w = 0;
      for (const char* word : {"gain", "jump", "loss", "drop"}) {
        for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) v[w] += 1;
        ++w;
      }
      result.vectors.push_back(v);
    }
    return result;
  }
  std::vector<ModelInfo> models() const override { return {{.name = "words", .kind = ModelInfo::Kind::embedding, .sha256 = sha256, .dimensions = 4, .is_default = true}}; }
  Result<ChatResult> chat(const ChatRequest&, const ChatSink&, std::stop_token) override { return Error(ErrorCode::unsupported, "no"); }
  /// Likes its second label always a little more, and the first where the text gains.
  Result<ScoreResult> score(const ScoreRequest& request, std::stop_token) override {
    last = request;
    ScoreResult result;
    for (const auto& item : request.items) result.logprobs.push_back({item.find("gain") != std::string::npos ? -1.0 : -3.0, -1.5});
    return result;
  }
  ScoreRequest last;
  Result<ReplayResult> replay(const ReplayRequest&, std::stop_token) override { return Error(ErrorCode::unsupported, "no"); }
  Result<std::vector<std::int32_t>> tokenize(const std::string&, const std::string&) override { return Error(ErrorCode::unsupported, "no"); }
  std::vector<InferenceStats> stats() const override { return {}; }
};

struct LabellerTest : testing::Test {
  fs::path folder = fs::temp_directory_path() / ("heng-labeller-" + std::to_string(::getpid()));
  WordVectors vectors;
  void SetUp() override { fs::create_directories(folder); }
  void TearDown() override { fs::remove_all(folder); }

  Result<TrainedTask> train(Inference* inference, const char* name = "tone") {
    std::string rows;
    const char* up[] = {"gain", "jump"};
    const char* down[] = {"loss", "drop"};
    for (int i = 0; i < 120; ++i) {
      const bool good = i % 2 == 0;
      const std::string word = (good ? up : down)[i / 2 % 2];
      rows += json({{"text", "a " + word + " in shares of number " + std::to_string(i * 7919 % 1000)}, {"label", good ? "good" : "bad"}}).dump() + "\n";
    }
    const fs::path file = folder / "rows.jsonl";
    std::ofstream(file) << rows;
    auto data = read_labelled(file);
    if (!data.ok()) return data.error();
    TrainSettings settings;
    settings.name = name;
    auto trained = train_labels(*data, nullptr, settings, inference, system_clock(), {}, {});
    if (trained.ok()) {
      EXPECT_TRUE(write_task_file(folder / (std::string(name) + ".task"), trained->file).ok());
    }
    return trained;
  }
  LabelRequest request(std::vector<std::string> texts, Tier tier = Tier::automatic) {
    LabelRequest r;
    r.task = "tone";
    r.tier = tier;
    for (auto& text : texts) r.items.push_back({"", text});
    return r;
  }
};

TEST_F(LabellerTest, LinearTaskAnswersWithEvidence) {
  const auto trained = train(nullptr);
  ASSERT_TRUE(trained.ok()) << trained.error().message;
  EXPECT_EQ(trained->report.stages.size(), 1u);
  EXPECT_GT(trained->report.stages[0].accuracy, 0.99);
  TaskLabeller labeller({.folder = folder}, nullptr);
  auto r = request({"a jump in shares", "loss", ""});
  r.evidence = true;
  const auto outcomes = labeller.label(r, {});
  ASSERT_TRUE(outcomes.ok()) << outcomes.error().message;
  EXPECT_EQ((*outcomes)[0]->label, "good");
  EXPECT_EQ((*outcomes)[0]->tier, Tier::linear);
  EXPECT_NEAR((*outcomes)[0]->scores[0].second + (*outcomes)[0]->scores[1].second, 1, 1e-5);
  EXPECT_FALSE((*outcomes)[0]->evidence.empty());
  EXPECT_EQ((*outcomes)[1]->label, "bad");
  EXPECT_FALSE((*outcomes)[2].ok());
}

TEST_F(LabellerTest, EncoderAndFusedStagesAnswer) {
  const auto trained = train(&vectors);
  ASSERT_TRUE(trained.ok()) << trained.error().message;
  ASSERT_EQ(trained->report.stages.size(), 3u);
  ASSERT_TRUE(trained->report.cascade.has_value());
  TaskLabeller labeller({.folder = folder}, &vectors);
  for (const Tier tier : {Tier::linear, Tier::encoder, Tier::fused}) {
    auto r = request({"a gain", "gain in drop of drop"}, tier);
    r.evidence = true;
    const auto outcomes = labeller.label(r, {});
    ASSERT_TRUE(outcomes.ok()) << outcomes.error().message;
    EXPECT_EQ((*outcomes)[0]->label, "good") << tier_name(tier);
    EXPECT_EQ((*outcomes)[1]->label, "bad") << tier_name(tier);
    EXPECT_EQ((*outcomes)[0]->tier, tier);
    EXPECT_FALSE((*outcomes)[1]->evidence.empty());
  }
}

TEST_F(LabellerTest, RefusesAnotherModelsVectors) {
  ASSERT_TRUE(train(&vectors).ok());
  vectors.sha256 = "another model of that name";
  TaskLabeller labeller({.folder = folder}, &vectors);
  const auto outcomes = labeller.label(request({"gain"}, Tier::encoder), {});
  ASSERT_FALSE(outcomes.ok());
  EXPECT_EQ(outcomes.error().code, ErrorCode::conflict);
  EXPECT_THAT(outcomes.error().message, HasSubstr("0123456789abcdef"));
}

TEST_F(LabellerTest, SaysWhatIsMissing) {
  TaskLabeller labeller({.folder = folder}, nullptr);
  EXPECT_THAT(labeller.label(request({"x"}), {}).error().message, HasSubstr("none is trained yet"));
  ASSERT_TRUE(train(nullptr, "other").ok());
  EXPECT_THAT(labeller.label(request({"x"}), {}).error().message, HasSubstr("there are: other"));
  ASSERT_TRUE(train(nullptr).ok());
  const auto outcomes = labeller.label(request({"x"}, Tier::encoder), {});
  EXPECT_EQ(outcomes.error().code, ErrorCode::conflict);
}

TEST_F(LabellerTest, AbstainsBelowTheAskedProbability) {
  ASSERT_TRUE(train(nullptr).ok());
  TaskLabeller labeller({.folder = folder}, nullptr);
  auto r = request({"nothing known at all zzz"});
  r.abstain_below = 0.99;
  const auto outcomes = labeller.label(r, {});
  ASSERT_TRUE(outcomes.ok());
  EXPECT_TRUE((*outcomes)[0]->abstained);
  EXPECT_TRUE((*outcomes)[0]->label.empty());
  EXPECT_EQ((*outcomes)[0]->scores.size(), 2u);
}

TEST_F(LabellerTest, DescribedTaskIsCalibratedByWhatSaysNothing) {
  const std::string rows = "{\"text\":\"one\",\"label\":\"up\"}\n{\"text\":\"two\",\"label\":\"up\"}\n{\"text\":\"three\",\"label\":\"down\"}\n";
  std::ofstream(folder / "examples.jsonl") << rows;
  const auto examples = read_labelled(folder / "examples.jsonl", {"down", "up"});
  ASSERT_TRUE(examples.ok());
  const DescribedTask described{.name = "tone", .description = "Good or bad?", .labels = {{"up", "good"}, {"down", "bad"}}, .examples_most = 3};
  const auto file = describe_task(described, &*examples, system_clock());
  ASSERT_TRUE(file.ok()) << file.error().message;
  ASSERT_TRUE(write_task_file(folder / "tone.task", *file).ok());
  TaskLabeller labeller({.folder = folder}, &vectors);
  const auto outcomes = labeller.label(request({"a gain", "nothing", "a gain"}), {});
  ASSERT_TRUE(outcomes.ok()) << outcomes.error().message;
  EXPECT_EQ((*outcomes)[0]->tier, Tier::model);
  EXPECT_EQ((*outcomes)[0]->label, "down");                       // the first label in byte order
  EXPECT_NEAR((*outcomes)[1]->confidence, 0.5, 1e-6);             // like what says nothing
  ASSERT_EQ(vectors.last.fields.size(), 1u);
  EXPECT_EQ(vectors.last.fields[0].candidates, (std::vector<std::string>{" bad\n", " good\n"}));
  EXPECT_EQ(vectors.last.items.size(), 5u);                       // three that say nothing, two texts: equal ones once
  EXPECT_THAT(vectors.last.prefix, HasSubstr("Text: three\nLabel: bad\n\nText: one\nLabel: good"));
  auto bad = described;
  bad.labels = {{"up", ""}, {"up", "x"}};
  EXPECT_THAT(describe_task(bad, nullptr, system_clock()).error().message, HasSubstr("twice"));
}

struct StreamTest : LabellerTest {
  fs::path in = folder / "in.jsonl", out = folder / "out.jsonl";
  void SetUp() override {
    LabellerTest::SetUp();
    ASSERT_TRUE(train(nullptr).ok());
  }
  LabelStreamSettings settings() { return {.input = in, .output = out, .task = "tone", .lines_at_once = 7}; }
  std::vector<std::string> lines(const fs::path& file) {
    std::ifstream stream(file);
    std::vector<std::string> found;
    for (std::string line; std::getline(stream, line);) found.push_back(line);
    return found;
  }
  void write_input(int count) {
    std::ofstream stream(in);
    for (int i = 0; i < count; ++i) stream << json({{"id", i}, {"text", i % 2 ? "a drop" : "a gain"}}).dump() << "\n";
  }
};

TEST_F(StreamTest, OneLineForEachAlsoForBadOnes) {
  {
    std::ofstream stream(in, std::ios::binary);
    stream << "{\"id\":\"a\\\"1\",\"text\":\"gain\"}\r\n"
           << "\n"
           << "not json\n"
           << "{\"id\":2}\n"
           << "{\"id\":3,\"text\":\"\xff\xfe\"}\n"
           << "{\"id\":4,\"text\":\"" << std::string(1'000'000, 'x') << "\"}\n"
           << "{\"id\":5,\"text\":\"loss\"} trailing\n"
           << "{\"text\":\"loss\"}";
  }
  TaskLabeller labeller({.folder = folder}, nullptr);
  const auto report = label_stream(labeller, settings(), {}, {});
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->lines, 8);
  EXPECT_EQ(report->errors, 6);
  const auto got = lines(out);
  ASSERT_EQ(got.size(), 8u);
  EXPECT_EQ(json::parse(got[0])["id"], "a\"1");
  EXPECT_EQ(json::parse(got[0])["label"], "good");
  EXPECT_EQ(json::parse(got[1])["error"]["line"], 2);
  EXPECT_EQ(json::parse(got[3])["id"], 2);
  EXPECT_THAT(json::parse(got[3])["error"]["message"].get<std::string>(), HasSubstr("no field"));
  EXPECT_THAT(json::parse(got[4])["error"]["message"].get<std::string>(), HasSubstr("UTF-8"));
  EXPECT_EQ(json::parse(got[5])["error"]["code"], "too_large");
  EXPECT_EQ(json::parse(got[6])["error"]["line"], 7);
  EXPECT_EQ(json::parse(got[7])["label"], "bad");
  EXPECT_FALSE(fs::exists(out.string() + ".progress"));
}

TEST_F(StreamTest, ContinuesBehindTheLastWholeLine) {
  write_input(50);
  TaskLabeller labeller({.folder = folder}, nullptr);
  ASSERT_TRUE(label_stream(labeller, settings(), {}, {}).ok());
  const auto whole = lines(out);
  // stopped in the middle: some lines and half of one
  fs::remove(out);
  std::stop_source stop;
  auto broken = label_stream(labeller, settings(), [&](std::int64_t, std::int64_t, std::int64_t done) { if (done >= 14) stop.request_stop(); }, stop.get_token());
  ASSERT_TRUE(broken.ok());
  EXPECT_TRUE(broken->stopped);
  EXPECT_EQ(lines(out).size(), 14u);
  std::ofstream(out, std::ios::app) << "{\"id\":14,\"lab";
  const auto report = label_stream(labeller, settings(), {}, {});
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->continued_from, 14);
  EXPECT_EQ(lines(out), whole);
}

TEST_F(StreamTest, DoesNotMixTwoRuns) {
  write_input(30);
  TaskLabeller labeller({.folder = folder}, nullptr);
  std::stop_source stop;
  ASSERT_TRUE(label_stream(labeller, settings(), [&](std::int64_t, std::int64_t, std::int64_t) { stop.request_stop(); }, stop.get_token()).ok());
  auto other = settings();
  other.abstain_below = 0.9;
  EXPECT_EQ(label_stream(labeller, other, {}, {}).error().code, ErrorCode::conflict);
  other.restart = true;
  ASSERT_TRUE(label_stream(labeller, other, {}, {}).ok());
  EXPECT_EQ(lines(out).size(), 30u);
}

}  // namespace
}  // namespace heng::insight
