#include "heng/insight/task_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "heng/insight/dataset.h"

namespace heng::insight {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

struct TaskFileTest : testing::Test {
  fs::path folder = fs::temp_directory_path() / ("heng-task-file-" + std::to_string(::getpid()));
  fs::path path = folder / "tone.task";
  TaskFile file;
  void SetUp() override {
    file.info.name = "tone";
    file.info.labels = {"好", "坏"};
    file.info.tiers = {Tier::linear};
    file.info.metrics = {{"accuracy", 0.5}};
    file.info.data_sha256 = "ab";
    file.info.rows = 7;
    file.details_json = R"({"x":[1,2]})";
    file.sections = {{"a", std::string("\0\1\2", 3)}, {"b", "weights"}};
  }
  void TearDown() override { fs::remove_all(folder); }
  std::string bytes() {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void put(const std::string& content) { std::ofstream(path, std::ios::binary | std::ios::trunc) << content; }
};

TEST_F(TaskFileTest, ReadsWhatWasWritten) {
  ASSERT_TRUE(write_task_file(path, file).ok());
  const auto back = read_task_file(path);
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(back->info.labels, file.info.labels);
  EXPECT_EQ(back->info.metrics, file.info.metrics);
  EXPECT_EQ(back->details_json, file.details_json);
  EXPECT_EQ(back->sections, file.sections);
  const auto info = read_task_info(path);
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->rows, 7);
}

TEST_F(TaskFileTest, EveryChangedByteIsRefused) {
  ASSERT_TRUE(write_task_file(path, file).ok());
  const std::string whole = bytes();
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string changed = whole;
    changed[i] = static_cast<char>(changed[i] ^ 0x20);
    put(changed);
    EXPECT_FALSE(read_task_file(path).ok()) << "byte " << i;
  }
  for (const std::size_t cut : {std::size_t{0}, std::size_t{5}, std::size_t{20}, whole.size() - 1}) {
    put(whole.substr(0, cut));
    EXPECT_FALSE(read_task_file(path).ok()) << "cut at " << cut;
  }
}

TEST_F(TaskFileTest, SaysWhatIsWrong) {
  EXPECT_EQ(read_task_file(path).error().code, ErrorCode::not_found);
  fs::create_directories(folder);
  put("GGUF is something else");
  EXPECT_THAT(read_task_file(path).error().message, HasSubstr("not a task file"));
  ASSERT_TRUE(write_task_file(path, file).ok());
  std::string newer = bytes();
  newer[8] = 9;
  put(newer);
  EXPECT_EQ(read_task_file(path).error().code, ErrorCode::unsupported);
  EXPECT_THAT(read_task_file(path).error().message, HasSubstr("format 9"));
}

TEST(TaskName, IsOneWord) {
  EXPECT_TRUE(check_task_name("sentiment-zh").ok());
  for (const char* bad : {"", "../x", "Tone", "9a", "a_b", "情绪"}) EXPECT_FALSE(check_task_name(bad).ok()) << bad;
}

struct DatasetTest : testing::Test {
  fs::path path = fs::temp_directory_path() / ("heng-rows-" + std::to_string(::getpid()) + ".jsonl");
  void TearDown() override { fs::remove(path); }
  Result<LabelledData> read(const std::string& rows) {
    std::ofstream(path, std::ios::binary) << rows;
    return read_labelled(path);
  }
  static std::string good() {
    std::string rows;
    for (int i = 0; i < 10; ++i) rows += "{\"text\":\"text " + std::to_string(i) + "\",\"label\":\"" + (i % 2 ? "up" : "down") + "\"}\n";
    return rows;
  }
};

TEST_F(DatasetTest, SaysOfEachBadRowWhereAndWhy) {
  const auto data = read(good() + "not json\n{\"text\":\"a\"}\n{\"label\":\"up\"}\n{\"text\":\"  \",\"label\":\"up\"}\n{\"text\":3,\"label\":\"up\"}\n[1]\n{\"text\":\"\xff\",\"label\":\"up\"}\n" +
                         "{\"text\":\"" + std::string(1'000'000, 'x') + "\",\"label\":\"up\"}\n");
  ASSERT_TRUE(data.ok());
  EXPECT_EQ(data->texts.size(), 10u);
  EXPECT_EQ(data->names, (std::vector<std::string>{"down", "up"}));
  ASSERT_EQ(data->bad.size(), 8u);
  EXPECT_EQ(data->bad[0].line, 11);
  EXPECT_THAT(data->bad[0].reason, HasSubstr("not JSON"));
  EXPECT_THAT(data->bad[1].reason, HasSubstr("\"label\""));
  EXPECT_THAT(data->bad[2].reason, HasSubstr("\"text\""));
  EXPECT_THAT(data->bad[3].reason, HasSubstr("empty"));
  EXPECT_THAT(data->bad[4].reason, HasSubstr("not a string"));
  EXPECT_THAT(data->bad[5].reason, HasSubstr("not a JSON object"));
  EXPECT_THAT(data->bad[6].reason, HasSubstr("UTF-8"));
  EXPECT_THAT(data->bad[7].reason, HasSubstr("1000000"));
}

TEST_F(DatasetTest, ReportsContradictionsRepetitionsAndRareLabels) {
  const auto data = read(good() + "{\"text\":\"text 1\",\"label\":\"down\"}\n{\"text\":\"text 2\",\"label\":\"down\"}\n{\"text\":\"once\",\"label\":\"rare\"}\n");
  ASSERT_TRUE(data.ok());
  EXPECT_EQ(data->contradictory_texts, 1);
  EXPECT_THAT(data->contradictions[0], HasSubstr("text 1: down up"));
  EXPECT_EQ(data->repeated_rows, 1);
  EXPECT_EQ(data->rare, std::vector<std::string>{"rare"});
}

TEST_F(DatasetTest, RefusesWhatCannotBeTrained) {
  EXPECT_EQ(read_labelled("/nonexistent/rows").error().code, ErrorCode::not_found);
  EXPECT_THAT(read("{\"text\":\"a\",\"label\":\"up\"}\n").error().message, HasSubstr("two at least"));
  EXPECT_THAT(read("{\"text\":\"a\",\"label\":\"up\"}\n{\"text\":\"b\",\"label\":\"down\"}\nx\n").error().message, HasSubstr("line 3"));
}

}  // namespace
}  // namespace heng::insight
