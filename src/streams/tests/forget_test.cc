#include "heng/streams/forget.h"

#include "fixture.h"

namespace heng::streams {
namespace {

class ForgetTest : public StreamTest {
 protected:
  std::int64_t count(const char* table) { return *(*pool->reader())->query_integer(std::string("SELECT COUNT(*) FROM ") + table); }
};

TEST_F(ForgetTest, RemovesOldItemsWithWhatQuotesThemAndNothingElse) {
  rules("[[rule]]\nid = \"w\"\nwhen = { keywords = { any = [\"亏损\"] } }\n");
  push(R"([{"text":"甲公司宣布季度亏损三亿元人民币"},{"text":"乙公司的营业收入保持平稳运行"}])");
  push(R"([{"text":"丙公司宣布季度亏损五亿元人民币"}])", {"tone"}, "news", person("x", "other"));
  const std::int64_t between = (clock.now += 86'400'000) - 1000;
  push(R"([{"text":"丁公司新工厂昨日在苏州投产运营"}])");
  ASSERT_EQ(count("item"), 4);
  ASSERT_EQ(count("alert"), 1);
  EXPECT_EQ(*forget_before(*pool, TenantId("default"), between, Forget::count), 2);
  EXPECT_EQ(count("item"), 4) << "counting changes nothing";
  EXPECT_EQ(*forget_before(*pool, TenantId("default"), between, Forget::remove), 2);
  EXPECT_EQ(items().size(), 1u);
  EXPECT_EQ(count("item"), 2) << "the other tenant's stays";
  EXPECT_EQ(count("alert"), 0);
  EXPECT_TRUE(alerts().empty());
  EXPECT_EQ(count("band WHERE item NOT IN (SELECT number FROM item)"), 0);
  EXPECT_EQ(count("stream WHERE tenant = 'default' AND live = 1"), 1);
  EXPECT_EQ(*forget_before(*pool, TenantId("default"), between, Forget::remove), 0);
  // a running engine goes on: the same text is news again, a copy of what is left is still a copy
  const auto again = push(R"([{"text":"甲公司宣布季度亏损三亿元人民币"},{"text":"丁公司新工厂昨日在苏州投产运营"}])");
  EXPECT_EQ(again.accepted, 1);
  EXPECT_EQ(again.duplicates, 1);
}

}  // namespace
}  // namespace heng::streams
