#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compute.h"
#include "cutter.h"
#include "fakes.h"
#include "prompt.h"
#include "rewrite.h"
#include "tables.h"
#include "words.h"

namespace heng::pipeline {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

TEST(Words, KeyTermsAreBareNumbersAndPairsOfHan) {
  EXPECT_THAT(key_terms("The net revenues were 3,991.5 million"), ElementsAre("net", "revenue", "3991.5", "million"));
  EXPECT_THAT(key_terms("营业收入"), ElementsAre("营业", "业收", "收入"));
}

TEST(Words, PeriodsAreYearsOrQuarters) {
  EXPECT_THAT(periods("from 2014 to 2015, and 2014 again"), ElementsAre("2014", "2015"));
  EXPECT_THAT(periods("net income in 2Q23"), ElementsAre("2Q23"));
  EXPECT_THAT(periods("in the second quarter of 2023"), ElementsAre("2Q23"));
  EXPECT_THAT(periods("2023年第二季度"), ElementsAre("2Q23"));
  EXPECT_THAT(periods("it paid 2,015 and 12015"), IsEmpty());
}

TEST(Words, MarksAreStripped) {
  EXPECT_EQ(strip_marks("费用为12元【1】。"), "费用为12元。");
  EXPECT_EQ(strip_marks("The fee is 12 [1, 2]."), "The fee is 12.");
  EXPECT_EQ(strip_marks("array[i] stays"), "array[i] stays");
}

TEST(Words, NamesThatEvidenceMustMention) {
  EXPECT_THAT(required_names("What was Nvidia's net revenue in 2015?"), ElementsAre("Nvidia"));
  EXPECT_THAT(required_names("贵州茅台2020年的营业收入是多少？"), ElementsAre("贵州茅台"));
  EXPECT_THAT(required_names("《碳税法》规定的税率？"), ElementsAre("碳税法"));
  EXPECT_THAT(required_names("What is the monthly fee?"), IsEmpty());
}

TEST(Words, LanguageIsThatOfTheAsking) {
  EXPECT_EQ(answer_language("AMD 2015 net revenue 是多少"), "zh");
  EXPECT_EQ(answer_language("What does 反洗钱 mean for banks in general terms?"), "en");
}

TEST(Cutter, CutsSentencesWithTheirMarksHoweverTheyArrive) {
  const std::string s = "Revenue was 3.5 million. [1] It fell by 2%.[2]\n- A list item [3]\n最后一句。[1]";
  for (std::size_t step = 1; step < s.size(); ++step) {
    SentenceCutter cutter;
    std::vector<DraftSentence> all;
    for (std::size_t at = 0; at < s.size();) {
      std::size_t size = std::min(step, s.size() - at);
      while (at + size < s.size() && (static_cast<unsigned char>(s[at + size]) & 0xC0) == 0x80) ++size;
      for (auto& d : cutter.feed(s.substr(at, size))) all.push_back(d);
      at += size;
    }
    for (auto& d : cutter.finish(false)) all.push_back(d);
    ASSERT_EQ(all.size(), 4u) << step;
    EXPECT_EQ(strip_marks(all[0].text), "Revenue was 3.5 million.") << step;
    EXPECT_THAT(all[0].text, testing::HasSubstr("[1]")) << step;
    EXPECT_THAT(all[1].text, testing::HasSubstr("[2]")) << step;
    EXPECT_EQ(all[2].text, "A list item [3]") << step;
    EXPECT_TRUE(all[2].new_line);
    EXPECT_THAT(all[3].text, testing::HasSubstr("最后一句。")) << step;
  }
}

TEST(Cutter, DropsWhatWasBrokenOff) {
  SentenceCutter cutter;
  auto out = cutter.feed("Whole sentence. And half a");
  for (auto& d : cutter.finish(true)) out.push_back(d);
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(out[0].text, "Whole sentence.");
}

TEST(Rewrite, KnowsFollowUps) {
  for (const char* q : {"那2014年呢？", "它的年费是多少？", "为什么？", "What about 2014?", "Is it free?", "And the dividend?"}) EXPECT_TRUE(depends_on_history(q)) << q;
  for (const char* q : {"生物股份2020年的营业收入是多少？", "What was AMD's net revenue in 2015?"}) EXPECT_FALSE(depends_on_history(q)) << q;
}

TEST(Rewrite, ReplacesThePeriodOnly) {
  EXPECT_EQ(with_other_period("AMD 2015年的净收入是多少？", "那2014年呢？"), "AMD 2014年的净收入是多少？");
  EXPECT_EQ(with_other_period("What was AMD's net revenue in 2015?", "What about 2014?"), "What was AMD's net revenue in 2014?");
  EXPECT_EQ(with_other_period("What was AMD's net revenue in 2015?", "And the cost of sales in 2014?"), "");
}

TEST(Rewrite, AcceptsNoInventions) {
  const std::string conversation = "Q: What is the monthly fee?\nA: 12 yuan.\n";
  EXPECT_TRUE(acceptable_rewrite("Is the monthly fee waived for students?", "Is it waived for students?", conversation));
  EXPECT_FALSE(acceptable_rewrite("Is the monthly fee of 15 yuan waived for students?", "Is it waived for students?", conversation));
  EXPECT_FALSE(acceptable_rewrite("月费对学生免收吗？", "Is it waived for students?", conversation));
  EXPECT_FALSE(acceptable_rewrite("", "Is it waived for students?", conversation));
}

TEST(Tables, ReadsNumbersAsWritten) {
  EXPECT_EQ(plain_number("$ (660)"), "-660");
  EXPECT_EQ(plain_number("1,581,905,632.48"), "1581905632.48");
  EXPECT_EQ(plain_number("n/a"), "");
  EXPECT_EQ(plain_number("27%"), "");
  EXPECT_EQ(plain_number("—"), "");
}

TEST(Tables, FindsTheCellOfTheMetricAndPeriod) {
  const auto p = fakes::passage(1, "生物股份年报", "| 主要会计数据 | 2020年 | 2019年 |\n|---|---|---|\n| 营业收入 | 1,581,905,632.48 | 1,126,782,253.35 |\n| 归属于上市公司股东的净利润 | 406,195,463.57 | 221,041,634.94 |", "单位：元");
  const auto cells = find_cells({p}, "营业收入", "2019", "2019年营业收入是多少");
  ASSERT_EQ(cells.size(), 1u);
  EXPECT_EQ(cells[0].number, "1126782253.35");
  EXPECT_EQ(table_scale(p), "元");
  EXPECT_THAT(find_cells({p}, "员工人数", "2019", ""), IsEmpty());
}

TEST(Tables, ACellIsTakenOnlyWhereTheQuestionNamesIt) {
  const auto p = fakes::passage(1, "定期存款条款", "| 存期 | 年利率（%） | 起存金额（元） |\n|---|---|---|\n| 一年 | 1.35 | 50 |\n| 三年 | 1.75 | 1,000 |");
  auto cell = named_cell({p}, "定期存款三年期的利率是多少？");
  ASSERT_TRUE(cell.has_value());
  EXPECT_EQ(cell->text, "1.75");
  EXPECT_FALSE(named_cell({p}, "定期存款五年期的利率是多少？").has_value()) << "no such row";
  EXPECT_FALSE(named_cell({p}, "三年后黄金价格会上涨到每克多少元？").has_value()) << "something else is asked";
  const auto amd = fakes::passage(2, "AMD_2015_10K", "| (In millions) | 2015 | 2014 |\n|---|---|---|\n| Net revenue | 3,991 | 5,506 |");
  cell = named_cell({amd}, "What was AMD's net revenue in 2015?");
  ASSERT_TRUE(cell.has_value());
  EXPECT_EQ(cell->text, "3,991");
  EXPECT_FALSE(named_cell({amd}, "What was AMD's net revenue in 2019?").has_value());
  EXPECT_FALSE(named_cell({amd}, "What was the Computing and Graphics segment's net revenue in 2015?").has_value());
}

TEST(Recognise, TheCommonQuestions) {
  auto asked = recognise("By what percentage did AMD's net revenue fall from 2014 to 2015?");
  EXPECT_EQ(asked.operation, Operation::growth);
  EXPECT_THAT(asked.periods, ElementsAre("2014", "2015"));
  EXPECT_THAT(key_terms(asked.metric), Contains("revenue"));
  EXPECT_EQ(recognise("2020年营业收入比2019年增长了百分之多少？").operation, Operation::growth);
  EXPECT_EQ(recognise("2020年营业收入比2018年减少了多少元？").operation, Operation::difference);
  asked = recognise("What was net income as a percentage of operating revenues in 2022?");
  EXPECT_EQ(asked.operation, Operation::ratio);
  EXPECT_THAT(key_terms(asked.base), Contains("operating"));
  EXPECT_EQ(recognise("2020年净利润占营业收入的比例是多少？").operation, Operation::ratio);
  asked = recognise("存10万元，年利率1.5%，3年的利息是多少？");
  EXPECT_EQ(asked.operation, Operation::interest);
  EXPECT_EQ(asked.expression, "10 * 10000 * 1.5 / 100 * 3");
  EXPECT_EQ(recognise("What is the interest on 10,000 at 2.5% for 6 months?").expression, "10000 * 2.5 / 100 * 6 / 12");
  EXPECT_EQ(recognise("What is the monthly fee?").operation, Operation::none);
}

TEST(Prompt, CutsAtARowOrSentence) {
  EXPECT_EQ(trimmed_at_boundary("One. Two three four.", 10), "One.");
  EXPECT_EQ(trimmed_at_boundary("| a | 1 |\n| b | 2 |\n| c | 3 |", 22), "| a | 1 |\n| b | 2 |");
  EXPECT_TRUE(text::is_valid_utf8(trimmed_at_boundary("没有句号的一长串文字", 10)));
}

}  // namespace
}  // namespace heng::pipeline
