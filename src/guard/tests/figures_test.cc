#include "heng/guard/figures.h"

#include <gtest/gtest.h>

#include <iostream>

#include "heng/base/text.h"

namespace heng::guard {
namespace {

/// "text|value|unit" of every figure.
std::vector<std::string> found(std::string_view text) {
  std::vector<std::string> out;
  for (const auto& figure : extract_figures(text)) out.push_back(figure.text + "|" + figure_value(figure) + "|" + figure_unit(figure));
  return out;
}

using List = std::vector<std::string>;

struct Case {
  const char* text;
  List expected;
};

TEST(Figures, AreReadAsWritten) {
  const Case cases[] = {
      {"净利润3.2亿元", {"3.2亿元|320000000|CNY"}},
      {"营业收入 1,234.56 万元，同比增长 12.3%", {"1,234.56 万元|12345600|CNY", "12.3%|0.123|percent"}},
      {"注册资本三百二十万元", {"三百二十万元|3200000|CNY"}},
      {"总资产1.5万亿元", {"1.5万亿元|1500000000000|CNY"}},
      {"3亿2000万元", {"3亿2000万元|320000000|CNY"}},
      {"手续费为百分之五", {"百分之五|0.05|percent"}},
      {"日利率万分之五", {"万分之五|0.0005|percent"}},
      {"占比约三成", {"三成|0.3|percent"}},
      {"下降0.5个百分点，即50个基点", {"0.5个百分点|0.005|percentage point", "50个基点|0.005|bp"}},
      {"享受八五折优惠", {"八五折|0.85|discount"}},
      {"享受8折", {"8折|0.8|discount"}},
      {"利率上浮25BP", {"25BP|0.0025|bp"}},
      {"Revenue was $3.2 million in 2015.", {"$3.2 million|3200000|USD", "2015|2015|date"}},
      {"US$5bn and HK$ 300m", {"US$5bn|5000000000|USD", "HK$ 300m|300000000|HKD"}},
      {"RMB500 or CNY 1,000", {"RMB500|500|CNY", "CNY 1,000|1000|CNY"}},
      {"a loss of $(1,234) thousand", {"$(1,234) thousand|-1234000|USD"}},
      {"| (1,234) | (4.2)% |", {"(1,234)|-1234|count", "(4.2)%|-0.042|percent"}},
      {"between 3% and 5%", {"3%|0.03|percent", "5%|0.05|percent"}},
      {"a rate of 3-5%", {"3|0.03|percent", "5%|0.05|percent"}},
      {"金额1万至5万元", {"1万|10000|CNY", "5万元|50000|CNY"}},
      {"3, 6 or 12 months", {"3|3|month", "6|6|month", "12 months|12|month"}},
      {"于2024年3月31日前", {"2024年3月31日|2024-03-31|date"}},
      {"二〇二四年三月三十一日", {"二〇二四年三月三十一日|2024-03-31|date"}},
      {"by March 31, 2024 or 31 March 2024", {"March 31, 2024|2024-03-31|date", "31 March 2024|2024-03-31|date"}},
      {"2024-03-31", {"2024-03-31|2024-03-31|date"}},
      {"FY2015 and fiscal 2014", {"FY2015|2015|date", "fiscal 2014|2014|date"}},
      {"2015财年 Q3 2023 3Q23", {"2015财年|2015|date", "Q3 2023|2023-Q3|date", "3Q23|2023-Q3|date"}},
      {"2023年三季度和上半年", {"2023年三季度|2023-Q3|date", "上半年|-H1|date"}},
      {"一季度", {"一季度|-Q1|date"}},
      {"the third quarter of 2023", {"third quarter of 2023|2023-Q3|date"}},
      {"30 天内或5个工作日", {"30 天|30|day", "5个工作日|5|workday"}},
      {"within thirty (30) days", {"(30) days|30|day"}},
      {"within ten business days", {"ten business days|10|workday"}},
      {"a 30-day period, two years", {"30-day|30|day", "two years|2|year"}},
      {"自收到之日起十五日内", {"十五日|15|day"}},
      {"１２３４．５６元", {"１２３４．５６元|1234.56|CNY"}},
      {"１２，３４５元", {"１２，３４５元|12345|CNY"}},
      {"员工共2,015人", {"2,015人|2015|人"}},
      {"客服热线95588", {"95588|95588|phone"}},
      {"请拨打400-820-8888", {"400-820-8888|4008208888|phone"}},
      {"营业时间9:00至17:30", {"9:00|09:00|time", "17:30|17:30|time"}},
      {"超过5倍", {"5倍|5|times"}},
      {"revenue doubled", {"doubled|2|times"}},
      {"约占三分之一", {"三分之一|0.333333333333|percent"}},
      {"不超过人民币50万元", {"人民币50万元|500000|CNY"}},
      {"-5%", {"-5%|-0.05|percent"}},
      {"grew 1.5x to £2m", {"1.5x|1.5|times", "£2m|2000000|GBP"}},
      {"人民币叁万元整", {"人民币叁万元|30000|CNY"}},
      {"5 basis points", {"5 basis points|0.0005|bp"}},
      {"December 26, 2015", {"December 26, 2015|2015-12-26|date"}},
      {"2,500 employees", {"2,500 employees|2500|人"}},
      {"fee of 0.1%, minimum 5 yuan", {"0.1%|0.001|percent", "5 yuan|5|CNY"}},
  };
  for (const auto& c : cases) EXPECT_EQ(found(c.text), c.expected) << c.text;
}

TEST(Figures, ReferencesAreNone) {
  for (const char* text : {"如上所述[1]。", "根据第三条的规定", "see Rule 18.5.1 and 18.5.2", "Section 4(a)(ii) applies", "annual report on Form 10-K",
                           "a 401(k) plan", "1. First item", "（一）申请人", "一、总则", "(1) proof of income", "COVID-19", "the S&P 500", "沪深300指数",
                           "股票代码600519", "统一管理，一般规定", "one of the largest banks", "第12页", "https://example.com/2024/x1", "Note 12",
                           "一个账户", "600201.SH", "T+1 settlement", "Tier 1 capital", "5G networks", "十分重要", "万一发生"})
    EXPECT_EQ(found(text), List{}) << text;
}

TEST(Figures, OffsetsAreCodePoints) {
  const std::string text = "年费为３００元，rate 1.55 percent。";
  const auto figures = extract_figures(text);
  ASSERT_EQ(figures.size(), 2u);
  const auto wide = text::to_utf32(text);
  for (const auto& figure : figures)
    EXPECT_EQ(text::from_utf32(std::u32string_view(wide).substr(figure.begin, figure.end - figure.begin)), figure.text);
}

TEST(Figures, StepIsTheLastPlaceWritten) {
  const auto figures = extract_figures("3.2亿元, 5%, 1,000");
  ASSERT_EQ(figures.size(), 3u);
  EXPECT_EQ(figures[0].step, Decimal(10'000'000));
  EXPECT_EQ(figures[1].step, Decimal::from_parts(1, 2));
  EXPECT_EQ(figures[2].step, Decimal(1));
}

TEST(Figures, InvalidUtf8GivesNone) { EXPECT_TRUE(extract_figures("5% \xff\xfe").empty()); }

}  // namespace
}  // namespace heng::guard
