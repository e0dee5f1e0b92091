#include "tasks/marked.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "heng/base/text.h"
#include "heng/insight/task_labeller.h"
#include "heng/insight/trainer.h"

namespace heng::insight {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::StartsWith;

std::vector<std::string> fields(const std::string& text) {
  std::vector<std::string> out;
  for (const auto field : text::split(text, '\x1e')) out.emplace_back(field);
  return out;
}

TEST(Marked, PairWithWhatStandsBetween) {
  const auto marked = mark(TaskInput::pair, "昨日,东方航空AH股临时停牌,传将与上航合并", "上航", "东方航空");
  ASSERT_TRUE(marked.ok()) << marked.error().message;
  const auto parts = fields(marked->text);
  ASSERT_EQ(parts.size(), 5u);
  EXPECT_EQ(parts[0], "昨日,〖乙〗AH股临时停牌,传将与〖甲〗合并");
  EXPECT_EQ(parts[1], "昨日,〖乙〗AH股临时停牌,传将与〖甲〗合并");
  EXPECT_THAT(parts[2], StartsWith("tailfirst distance"));
  EXPECT_EQ(parts[3], "上航");
  EXPECT_EQ(parts[4], "东方航空");
  EXPECT_EQ(first_field(marked->text), parts[0]);
  EXPECT_EQ(marked->origin.size(), text::code_points(marked->text));
}

TEST(Marked, ANameInsideTheOtherIsNotItsMention) {
  const auto marked = mark(TaskInput::pair, "中国银行与银行间市场交易商协会签约", "银行", "中国银行");
  ASSERT_TRUE(marked.ok()) << marked.error().message;
  EXPECT_THAT(marked->text, StartsWith("〖乙〗与〖甲〗间市场交易商协会签约"));
}

TEST(Marked, TheNearestMentionsCount) {
  const auto marked = mark(TaskInput::pair, "甲公司公告称," + std::string(300, 'x') + "甲公司收购乙公司", "甲公司", "乙公司");
  ASSERT_TRUE(marked.ok());
  EXPECT_THAT(fields(marked->text)[1], HasSubstr("〖甲〗收购〖乙〗"));
  EXPECT_LT(text::code_points(fields(marked->text)[1]), 40u);
}

TEST(Marked, EntityWithItsSurroundings) {
  const auto marked = mark(TaskInput::entity, "恒丰涉诉,另一家公司获奖", "恒丰", "");
  ASSERT_TRUE(marked.ok());
  const auto parts = fields(marked->text);
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(parts[0], "〖X〗涉诉,另一家公司获奖");
  EXPECT_EQ(parts[2], "恒丰");
}

TEST(Marked, SaysWhatIsWrong) {
  EXPECT_EQ(mark(TaskInput::entity, "文本", "", "").error().param, "entity");
  EXPECT_EQ(mark(TaskInput::entity, "文本", "别处", "").error().param, "entity");
  EXPECT_EQ(mark(TaskInput::pair, "甲乙", "甲", "").error().param, "tail");
  EXPECT_EQ(mark(TaskInput::pair, "甲乙", "甲", "丙").error().param, "tail");
  EXPECT_EQ(mark(TaskInput::pair, "甲乙", "丙", "乙").error().param, "head");
  EXPECT_EQ(mark(TaskInput::pair, "甲乙", "甲", "甲").error().param, "tail");
  EXPECT_THAT(mark(TaskInput::pair, "上海九龙山公告", "上海九龙山", "九龙山").error().message, HasSubstr("only inside the other name"));
  EXPECT_EQ(mark(TaskInput::pair, "甲乙", "\xff", "乙").error().param, "head");
}

TEST(Marked, AFieldMarkInTheTextMakesNoField) {
  const auto marked = mark(TaskInput::entity, "甲\x1e伪造的字段", "甲", "");
  ASSERT_TRUE(marked.ok());
  EXPECT_EQ(fields(marked->text).size(), 3u);
}

TEST(Marked, EvidenceIsOfTheOriginal) {
  const std::string text = "昨日,甲公司收购乙公司";
  const auto marked = mark(TaskInput::pair, text, "甲公司", "乙公司");
  ASSERT_TRUE(marked.ok());
  // "收购" in the first field and in the second are the same place
  const auto first = static_cast<std::size_t>(3 + 3), second = first + text::code_points(fields(marked->text)[0]) + 1;
  const auto evidence = to_original(*marked, {{first, first + 2, 0.5}, {second, second + 2, 0.25}, {3, 6, 0.1}});
  ASSERT_EQ(evidence.size(), 2u);
  EXPECT_EQ(evidence[0].begin, 3u);
  EXPECT_EQ(evidence[0].end, 6u);
  EXPECT_EQ(evidence[1].begin, 6u);
  EXPECT_EQ(evidence[1].end, 8u);
  EXPECT_NEAR(evidence[1].weight, 0.75, 1e-9);
}

/// Who sold to whom is in the order of the names only: what the plain text cannot tell.
TEST(Marked, ATaskOverPairsLearnsTheDirection) {
  const auto folder = std::filesystem::temp_directory_path() / ("heng-marked-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  {
    std::ofstream out(folder / "rows.jsonl");
    for (int i = 0; i < 60; ++i) {
      const std::string a = "公司" + std::to_string(i * 37 % 97), b = "集团" + std::to_string(i * 53 % 89), text = a + "昨日宣布收购" + b + "的全部股份";
      out << json({{"text", text}, {"head", a}, {"tail", b}, {"label", "收购"}}).dump() << "\n" << json({{"text", text}, {"head", b}, {"tail", a}, {"label", "被收购"}}).dump() << "\n";
    }
    out << R"({"text":"没有","head":"甲","tail":"乙","label":"收购"})" << "\n" << R"({"text":"甲乙","label":"收购"})" << "\n";
  }
  const auto data = read_labelled(folder / "rows.jsonl");
  ASSERT_TRUE(data.ok()) << data.error().message;
  EXPECT_EQ(data->input, TaskInput::pair);
  EXPECT_EQ(data->bad_rows, 2);
  EXPECT_EQ(data->groups.size(), data->texts.size());
  EXPECT_EQ(data->groups[0], data->groups[1]);
  TrainSettings settings;
  settings.name = "pairs";
  const auto trained = train_labels(*data, nullptr, settings, nullptr, system_clock(), {}, {});
  ASSERT_TRUE(trained.ok()) << trained.error().message;
  EXPECT_GT(trained->report.stages[0].accuracy, 0.98);
  ASSERT_TRUE(write_task_file(folder / "pairs.task", trained->file).ok());
  TaskLabeller labeller({.folder = folder}, nullptr);
  EXPECT_EQ(labeller.task("pairs")->input, TaskInput::pair);
  LabelRequest request{.task = "pairs", .items = {{"", "新公司昨日宣布收购老集团的全部股份", "老集团", "新公司"}, {"", "新公司昨日宣布收购老集团的全部股份", "新公司", "老集团"}, {"", "没有名字"}}, .evidence = true};
  const auto outcomes = labeller.label(request, {});
  ASSERT_TRUE(outcomes.ok()) << outcomes.error().message;
  EXPECT_EQ((*outcomes)[0]->label, "被收购");
  EXPECT_EQ((*outcomes)[1]->label, "收购");
  EXPECT_EQ((*outcomes)[2].error().param, "head");
  for (const auto& e : (*outcomes)[1]->evidence) EXPECT_LE(e.end, text::code_points(request.items[1].text));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace heng::insight
