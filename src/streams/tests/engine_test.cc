#include "fixture.h"
#include "heng/base/hash.h"

#include <thread>

namespace heng::streams {
namespace {

const std::string long_text = "贵州茅台酒股份有限公司今日公告，公司前三季度实现营业收入同比增长，净利润创历史新高，董事会拟每股派发现金红利。";

std::string message(const std::string& text, const std::string& more = "") { return "{\"text\":\"" + text + "\"" + more + "}\n"; }

TEST_F(StreamTest, LabelsStoresAndTellsCopiesApart) {
  const auto report = push(message(long_text, R"(,"id":"a","source":"wire","published":"2026-05-28T08:00:00Z")") + message("【快讯】" + long_text, R"(,"id":"b")") + message(long_text, R"(,"id":"c")") +
                           message(long_text, R"(,"id":"a")") + "{\"id\":3}\n" + message("公司亏损扩大"));
  EXPECT_EQ(report.accepted, 2);
  EXPECT_EQ(report.near_duplicates, 1);
  EXPECT_EQ(report.duplicates, 2);
  EXPECT_EQ(report.rejected, 1);
  ASSERT_EQ(report.errors.size(), 1u);
  EXPECT_EQ(report.errors[0].first, 4);
  const auto stored = items(true);
  ASSERT_EQ(stored.size(), 3u);
  EXPECT_EQ(stored[0].labels.at(0).label, "positive");
  EXPECT_EQ(stored[0].near_copies, 1);
  EXPECT_EQ(stored[0].copies, 1);   // "c"; "a" again is the same message
  EXPECT_EQ(stored[0].event_ms, 0);
  EXPECT_GT(stored[0].published_ms, 0);
  EXPECT_EQ(stored[0].ingest_ms, clock.now);
  EXPECT_EQ(stored[1].duplicate_of, stored[0].number);
  EXPECT_GE(stored[1].similarity, 0.8);
  EXPECT_TRUE(stored[1].labels.empty());
  EXPECT_EQ(stored[2].labels.at(0).label, "negative");
  EXPECT_EQ(items().size(), 2u);
}

TEST_F(StreamTest, TheSameHoldsAcrossBatchesAndRestarts) {
  push(message(long_text, R"(,"id":"a")"));
  open();
  const auto again = push(message(long_text, R"(,"id":"a")") + message("转载：" + long_text));
  EXPECT_EQ(again.accepted, 0);
  EXPECT_EQ(again.duplicates, 1);
  EXPECT_EQ(again.near_duplicates, 1);
  EXPECT_EQ(items().size(), 1u);
  EXPECT_EQ(items()[0].copies, 0);
}

TEST_F(StreamTest, OtherFiguresAreAnotherMessage) {
  const std::string first = "证券交易所公告：某某股份有限公司股票今日收盘价格较前一交易日上涨，换手率为3.5%，成交额为12亿元，属于异常波动情形。";
  const std::string second = "证券交易所公告：某某股份有限公司股票今日收盘价格较前一交易日上涨，换手率为8.5%，成交额为12亿元，属于异常波动情形。";
  EXPECT_EQ(push(message(first) + message(second)).accepted, 2);
}

TEST_F(StreamTest, TheWindowForgetsByTimeAndByCount) {
  rules("[duplicates]\nwindow = \"1h\"\nitems = 3\n");
  push(message(long_text));
  clock.now += 2 * 3'600'000;
  EXPECT_EQ(push(message(long_text)).accepted, 1);
  for (int i = 0; i < 6; ++i) push(message("另外一条消息" + sha256_hex(std::to_string(i))));
  EXPECT_EQ(push(message(long_text)).accepted, 1);
  auto reader = pool->reader();
  EXPECT_LE((*reader)->query_integer("SELECT count(*) FROM band").value(), 16 * 5);
}

TEST_F(StreamTest, NothingOfABatchCountsWhereTheHeadsFail) {
  labeller.away = true;
  const auto failed = engine->push(person(), "news", {"tone"}, message(long_text), {});
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code, ErrorCode::unavailable);
  EXPECT_TRUE(items().empty());
  labeller.away = false;
  EXPECT_EQ(push(message(long_text)).accepted, 1);
  EXPECT_EQ(engine->push(person(), "news", {"nope"}, message("别的"), {}).error().code, ErrorCode::not_found);
  EXPECT_EQ(engine->push(person(), "../x", {}, message("别的"), {}).error().code, ErrorCode::invalid_argument);
}

TEST_F(StreamTest, AnItemThatOneTaskCannotReadIsKeptWithTheReason) {
  push(message("this is unreadable text"), {"tone", "events"});
  ASSERT_EQ(items().size(), 1u);
  EXPECT_NE(items()[0].errors.at(0).find("tone: cannot be read"), std::string::npos);
}

TEST_F(StreamTest, WithoutTasksItOnlyTellsCopiesApart) {
  EXPECT_EQ(push(message(long_text) + message(long_text), {}).accepted, 1);
  EXPECT_EQ(labeller.calls, 0);
}

TEST_F(StreamTest, TenantsAreApart) {
  push(message(long_text));
  EXPECT_EQ(push(message(long_text), {"tone"}, "news", person("x", "other")).accepted, 1);
  EXPECT_EQ(engine->items(person("x", "other"), {}).value().size(), 1u);
  EXPECT_EQ(engine->streams(person("x", "third")).value().size(), 0u);
}

TEST_F(StreamTest, PushesAtTheSameTimeStoreEachTextOnce) {
  std::vector<std::thread> threads;
  std::atomic<int> accepted{0};
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) {
        auto report = engine->push(person(), "news", {}, message("消息编号第" + std::to_string(i) + "号"), {});
        if (report.ok()) accepted += static_cast<int>(report->accepted);
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(accepted, 20);
  EXPECT_EQ(items().size(), 20u);
}

TEST_F(StreamTest, ABriefQuotesItsItemsAndCountsThem) {
  std::ofstream(folder / "streams.toml") << "[[watch]]\nname = \"贵州茅台\"\ncode = \"600519.SH\"\naliases = [\"茅台\"]\n";
  open();
  push(message("茅台净利润增长，现金流充裕。") + message("茅台的竞争对手亏损严重。") + message("平安银行发布年度报告。") + message("某公司造假被立案调查。"), {"tone", "events"});
  BriefRequest request;
  request.compare = {"茅台", "平安银行"};
  const auto json = engine->brief(person(), request).value();
  EXPECT_NE(json.find(R"("id":"negative","name":"负面","value":2)"), std::string::npos) << json;
  EXPECT_NE(json.find(R"("name":"贵州茅台","code":"600519.SH","mentions":2)"), std::string::npos);
  EXPECT_NE(json.find("AIGC"), std::string::npos);
  request.format = BriefFormat::html;
  const auto html = engine->brief(person(), request).value();
  EXPECT_NE(html.find("<svg"), std::string::npos);
  EXPECT_EQ(html.find("<script"), std::string::npos);
  request.format = BriefFormat::text;
  request.language = "en";
  request.company = "600519";
  const auto text = engine->brief(person(), request).value();
  EXPECT_NE(text.find("Tone over time"), std::string::npos);
  EXPECT_NE(text.find("“茅台净利润增长,现金流充裕。” ["), std::string::npos) << text;
  EXPECT_EQ(engine->brief(person("x", "other"), request).value().find("茅台净利润"), std::string::npos);
  request.from_ms = clock.now;
  request.to_ms = clock.now - 1;
  EXPECT_EQ(engine->brief(person(), request).error().code, ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace heng::streams
