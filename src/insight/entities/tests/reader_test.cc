#include "heng/insight_entities/reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

#include "heng/base/text.h"

namespace heng::insight_entities {
namespace {

const EntityReader& reader() {
  static const EntityReader one(std::move(Directory::built_in()).value());
  return one;
}

/// "type:word" or "type:word=id" or "type:word=value", by "; ".
std::string read(const std::string& text) {
  const auto entities = reader().read(text);
  if (!entities.ok()) return "error: " + entities.error().message;
  std::string out;
  const std::u32string wide = text::to_utf32(text);
  for (const auto& e : *entities) {
    EXPECT_EQ(text::from_utf32(std::u32string_view(wide).substr(e.begin, e.end - e.begin)), e.word);
    if (!out.empty()) out += "; ";
    out += e.type + ":" + e.word;
    if (!e.id.empty()) out += "=" + e.id;
    else if (!e.value.empty()) out += "=" + e.value;
  }
  return out;
}

TEST(Entities, EveryNameOfACompanyLeadsToTheSameOne) {
  for (const char* name : {"贵州茅台", "茅台", "Moutai", "Kweichow Moutai", "600519", "600519.SH", "SH600519", "６００５１９．ＳＨ", "贵州茅台酒股份有限公司"}) {
    const auto found = reader().read(std::string(name) + " 股价创新高");
    ASSERT_TRUE(found.ok());
    ASSERT_EQ(found->size(), 1u) << name;
    EXPECT_EQ(found->front().id, "600519.SH") << name;
    EXPECT_EQ(found->front().name, "贵州茅台") << name;
  }
}

TEST(Entities, CodesInTheirManyForms) {
  EXPECT_EQ(read("公司(000001.SZ)与0700.HK"), "security:000001.SZ=000001.SZ; security:0700.HK=0700.HK");
  EXPECT_EQ(read("HK:00700 涨"), "security:HK:00700=0700.HK");
  EXPECT_EQ(read("AAPL shares rose; $TSLA fell; NASDAQ: MSFT"), "security:AAPL=AAPL.US; security:$TSLA=TSLA.US; security:MSFT=MSFT.US");
  EXPECT_EQ(read("股票代码：688123"), "security:688123=688123.SH");
  EXPECT_EQ(read("共600519元"), "amount:600519元=600519 CNY");
  EXPECT_EQ(read("编号1600519"), "");
  EXPECT_EQ(read("BREAKING NEWS: CAT SHARES"), "");
}

TEST(Entities, TheLongerNameWinsAndCommonWordsNeedContext) {
  EXPECT_EQ(read("平安银行与中国平安"), "company:平安银行=000001.SZ; company:中国平安=601318.SH");
  EXPECT_EQ(read("祝你一路平安"), "");
  EXPECT_EQ(read("苹果很好吃"), "");
  EXPECT_EQ(read("苹果发布财报，营收超预期"), "company:苹果=AAPL.US");
  EXPECT_EQ(read("Intelligent design"), "");
  EXPECT_EQ(read("Intel said"), "company:Intel=INTC.US");
}

TEST(Entities, CompaniesThatAreNotListed) {
  EXPECT_EQ(read("控股股东宜昌远岑集团有限责任公司质押"), "company:宜昌远岑集团有限责任公司");
  EXPECT_EQ(read("向北京远岑信息技术有限公司增资"), "company:北京远岑信息技术有限公司");
  EXPECT_EQ(read("Widget Works Inc. agreed"), "company:Widget Works Inc.");
}

TEST(Entities, Amounts) {
  EXPECT_EQ(read("作价298.03亿元"), "amount:298.03亿元=29803000000 CNY");
  EXPECT_EQ(read("１，２００万美元"), "amount:１，２００万美元=12000000 USD");
  EXPECT_EQ(read("港币5亿元"), "amount:港币5亿元=500000000 HKD");
  EXPECT_EQ(read("二十亿元、三千五百万元"), "amount:二十亿元=2000000000 CNY; amount:三千五百万元=35000000 CNY");
  EXPECT_EQ(read("raised $4.2bn and RMB 3.5 billion"), "amount:$4.2bn=4200000000 USD; amount:RMB 3.5 billion=3500000000 CNY");
  EXPECT_EQ(read("3 million euros"), "amount:3 million euros=3000000 EUR");
  EXPECT_EQ(read("质押2000万股"), "quantity:2000万股=20000000 shares");
  EXPECT_EQ(read("5名股东、3股权"), "");
}

TEST(Entities, Rates) {
  EXPECT_EQ(read("8.50%和千分之三"), "rate:8.50%=8.5 %; rate:千分之三=3 ‰");
  EXPECT_EQ(read("下调25个基点，同比-3.2%"), "rate:25个基点=25 bp; rate:-3.2%=-3.2 %");
  EXPECT_EQ(read("up 50bps, or 1.5 percent"), "rate:50bps=50 bp; rate:1.5 percent=1.5 %");
}

TEST(Entities, Dates) {
  EXPECT_EQ(read("2019年11月20日，11月20日"), "date:2019年11月20日=2019-11-20; date:11月20日=--11-20");
  EXPECT_EQ(read("2019年上半年、2020年第三季度、2021年"), "date:2019年上半年=2019-H1; date:2020年第三季度=2020-Q3; date:2021年=2021");
  EXPECT_EQ(read("2019-11-20"), "date:2019-11-20=2019-11-20");
  EXPECT_EQ(read("on November 20, 2019 and 3 May 2020"), "date:November 20, 2019=2019-11-20; date:3 May 2020=2020-05-03");
  EXPECT_EQ(read("in Q3 2024 and FY2023"), "date:Q3 2024=2024-Q3; date:FY2023=FY2023");
  EXPECT_EQ(read("5年期，2019年13月"), "date:2019年=2019");
  EXPECT_EQ(read("you may go"), "");
}

TEST(Entities, PeopleBesideTheirTitles) {
  EXPECT_EQ(read("董事长王小明表示"), "person:王小明");
  EXPECT_EQ(read("股东张三、欧阳修远减持"), "person:张三; person:欧阳修远");
  EXPECT_EQ(read("李明女士辞职"), "person:李明");
  EXPECT_EQ(read("CEO Jane Doe said"), "person:Jane Doe");
  EXPECT_EQ(read("高兴的一天"), "");
}

TEST(Entities, BadInput) {
  EXPECT_EQ(read(""), "error: the text is empty");
  EXPECT_NE(read(std::string("ab\xFF")).find("UTF-8"), std::string::npos);
  EXPECT_NE(read(std::string(1000001, 'a')).find("1000001"), std::string::npos);
}

TEST(Entities, AMillionCharactersTakeSecondsNotMinutes) {
  std::string text;
  while (text.size() < 900000) text += "贵州茅台 600519 2019年11月20日 AAPL 298.03亿元 有限公司 ";
  text = text::from_utf32(text::to_utf32(text).substr(0, 500000));
  const auto start = std::chrono::steady_clock::now();
  const auto found = reader().read(text);
  ASSERT_TRUE(found.ok());
  EXPECT_GT(found->size(), 10000u);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

}  // namespace
}  // namespace heng::insight_entities
