#include "heng/insight_entities/directory.h"

#include <gtest/gtest.h>

#include <set>

namespace heng::insight_entities {
namespace {

TEST(Directory, ComesWithAtLeastTwoHundredCompaniesEachWithItsOwnCode) {
  const auto directory = Directory::built_in();
  ASSERT_TRUE(directory.ok()) << directory.error().message;
  EXPECT_GE(directory->companies().size(), 200u);
  std::set<std::string> codes;
  for (const auto& company : directory->companies()) {
    EXPECT_TRUE(codes.insert(company.code).second) << company.code;
    for (const auto& other : company.also) EXPECT_TRUE(codes.insert(other).second) << other;
  }
}

TEST(Directory, FindsACompanyByAnyOfItsListings) {
  const auto directory = Directory::built_in();
  ASSERT_TRUE(directory.ok());
  for (const char* code : {"600519.SH", "600519.ss", "600519.XSHG"}) {
    ASSERT_TRUE(directory->by_code(code)) << code;
    EXPECT_EQ(directory->by_code(code)->name_zh, "贵州茅台");
  }
  EXPECT_EQ(directory->by_code("02318.HK"), directory->by_code("601318.SH"));
  EXPECT_EQ(directory->by_code("700.HK")->name_en, "Tencent Holdings");
  EXPECT_EQ(directory->by_code("AAPL.O")->code, "AAPL.US");
  EXPECT_EQ(directory->by_code("123456.SH"), nullptr);
}

TEST(Directory, CodesHaveOneForm) {
  EXPECT_EQ(normal_code("sz.000001"), "");
  EXPECT_EQ(normal_code("000001.xshe"), "000001.SZ");
  EXPECT_EQ(normal_code("00700.hk"), "0700.HK");
  EXPECT_EQ(normal_code("60051.SH"), "");
  EXPECT_EQ(normal_code("brk.b.n"), "BRK.B.US");
  EXPECT_EQ(normal_code(""), "");
  EXPECT_EQ(normal_code(".SH"), "");
}

TEST(Directory, TheInstitutionsRowsReplaceAndAdd) {
  auto directory = Directory::built_in();
  ASSERT_TRUE(directory.ok());
  const auto before = directory->companies().size();
  ASSERT_TRUE(directory->add_csv("\xEF\xBB\xBF" "code,also,name_zh,name_en,aliases\r\n600519.SH,,贵州茅台,Kweichow Moutai,国酒\r\n688999.SH,,远岑科技,\"Yuancen, Inc.\",远岑\r\n", "own.csv").ok());
  EXPECT_EQ(directory->companies().size(), before + 1);
  EXPECT_EQ(directory->by_code("600519.SH")->aliases, std::vector<std::string>{"国酒"});
  EXPECT_EQ(directory->by_code("688999.SH")->name_en, "Yuancen, Inc.");
}

TEST(Directory, ABadRowNamesFileLineAndFault) {
  Directory directory;
  const auto says = [&](const char* csv) {
    const auto added = directory.add_csv(csv, "own.csv");
    return added.ok() ? std::string("accepted") : added.error().message;
  };
  EXPECT_EQ(says("code,also,name_zh,name_en,aliases\n600519,,a,b,c\n"), "own.csv:2: \"600519\" is not a code such as 600519.SH, 0700.HK or AAPL.US");
  EXPECT_NE(says("600519.SH,,a,b\n").find("own.csv:1: 4 columns"), std::string::npos);
  EXPECT_NE(says("600519.SH,,\"a,b,c,d\n").find("quote"), std::string::npos);
  EXPECT_NE(says("600519.SH,,,,x\n").find("without a name"), std::string::npos);
  EXPECT_NE(says("600519.SH,,\xFF,b,c\n").find("UTF-8"), std::string::npos);
}

}  // namespace
}  // namespace heng::insight_entities
