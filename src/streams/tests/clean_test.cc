#include "heng/streams/clean.h"

#include <gtest/gtest.h>

#include "../src/companies.h"
#include "../src/similar.h"
#include "heng/base/time_text.h"
#include "heng/streams/message.h"

namespace heng::streams {
namespace {

TEST(Clean, TakesRemnantsOutAndKeepsTheText) {
  EXPECT_EQ(clean("<p>Ｍｏｕｔａｉ&nbsp;&amp; Co.</p><script>alert(1)</script>\x01 up&#39;s 5%").value(), "Moutai & Co.\nup's 5%");
  EXPECT_EQ(clean("净利润\xE2\x80\x8B增长１２％\r\n\r\n免责声明：本文仅供参考").value(), "净利润增长12%");
  EXPECT_EQ(clean("公司发布公告（责任编辑：李某）").value(), "公司发布公告");
  EXPECT_EQ(clean("if a < b and c > d then buy").value(), "if a < b and c > d then buy");
  EXPECT_EQ(clean("<!-- x --><style>p{}</style>ok").value(), "ok");
}

TEST(Clean, IsIdempotentAndNamesWhatIsWrong) {
  for (const char* raw : {"a &amp;amp; b", "<b>利好</b> 消息", "Read more", "x\n\n\ny"}) {
    const auto once = clean(raw).value();
    if (once.find('&') == std::string::npos) {
      EXPECT_EQ(clean(once).value(), once) << raw;
    }
  }
  EXPECT_EQ(clean("  <br> \n").error().code, ErrorCode::invalid_argument);
  EXPECT_NE(clean("ab\xFF").error().message.find("byte 2"), std::string::npos);
  EXPECT_EQ(clean(std::string(longest_message_bytes + 1, 'a')).error().code, ErrorCode::too_large);
  EXPECT_EQ(clean("免责声明：以上").value(), "免责声明:以上");   // nothing else stands there: it is the message
}

TEST(Time, ReadsWhatSendersWrite) {
  EXPECT_EQ(parse_time("1970-01-02T00:00:00Z", 480).value(), 86'400'000);
  EXPECT_EQ(parse_time("1970-01-01 08:00:00", 480).value(), 0);
  EXPECT_EQ(parse_time("1970-01-01T08:00:00.250+08:00", 0).value(), 250);
  EXPECT_EQ(parse_time("19700102", 0).value(), 86'400'000);
  EXPECT_EQ(parse_time("1780000000", 0).value(), 1'780'000'000'000);
  EXPECT_EQ(parse_time("1780000000123", 0).value(), 1'780'000'000'123);
  EXPECT_EQ(parse_time("2024/02/29", 0).value(), 1'709'164'800'000);
  for (const char* wrong : {"", "yesterday", "2023-02-29", "2023-13-01", "2023-01-01T25:00", "2023-01-01x", "2023-01", "-5"}) EXPECT_FALSE(parse_time(wrong, 0).ok()) << wrong;
}

TEST(Similar, FindsRewordedCopiesAndKeepsOtherFiguresApart) {
  const std::string a = "贵州茅台酒股份有限公司今日公告，公司前三季度实现营业收入同比增长十八个百分点，净利润创历史新高，董事会拟每股派发现金红利。";
  const std::string b = "【快讯】贵州茅台酒股份有限公司今日公告，公司前三季度实现营业收入同比增长十八个百分点，净利润创历史新高，董事会拟每股派发现金红利！";
  const std::string c = "平安银行宣布下调个人住房贷款利率，调整自下月一日起执行，存量客户可以在线办理。";
  EXPECT_GE(jaccard(shingles(a), shingles(b)), 0.8);
  EXPECT_LT(jaccard(shingles(a), shingles(c)), 0.1);
  EXPECT_NEAR(estimate(fingerprint(shingles(a)), fingerprint(shingles(b))), jaccard(shingles(a), shingles(b)), 0.2);
  EXPECT_EQ(figures("涨3.5%至1,688元"), "3.5 1688");
  EXPECT_NE(figures("涨3.5%"), figures("涨3.6%"));
  EXPECT_TRUE(fingerprint(shingles("短")).empty);
  const auto f = fingerprint(shingles(a));
  EXPECT_EQ(from_bytes(to_bytes(f)).band_keys, f.band_keys);
}

TEST(Companies, ByNameAliasAndCodeButNotInsideWords) {
  const std::vector<WatchedName> watched{{"贵州茅台", "600519.SH", {"茅台", "Moutai"}}, {"BP", "BP.UK", {}}};
  EXPECT_EQ(watched_in("MOUTAI rises", watched).at(0).id, "600519.SH");
  EXPECT_EQ(watched_in("600519 放量", watched).size(), 1u);
  EXPECT_TRUE(watched_in("up 25 bps today", watched).empty());
  EXPECT_EQ(company_named("moutai", watched).label, "贵州茅台");
}

TEST(Message, LinesAndBodies) {
  const auto m = parse_message(R"({"title":"标题","content":"正文","id":7,"source":"wire","published":"2026-01-01","event_time":1780000000})", 480).value();
  EXPECT_EQ(m.text, "标题\n正文");
  EXPECT_EQ(m.id, "7");
  EXPECT_EQ(m.event_ms, 1'780'000'000'000);
  EXPECT_EQ(parse_message(R"({"text":"x","published":"soon"})", 0).value().published_ms, 0);
  EXPECT_NE(parse_message(R"({"id":1})", 0).error().message.find("text"), std::string::npos);
  EXPECT_FALSE(parse_message("[1]", 0).ok());
  EXPECT_FALSE(parse_message(std::string(200, '[') + std::string(200, ']'), 0).ok());
  EXPECT_EQ(parse_line("just words", true, 0).value().text, "just words");
  EXPECT_FALSE(parse_line("just words", false, 0).ok());
  EXPECT_EQ(split_body("{\"text\":\"a\"}\n\n{\"text\":\"b\"}", 10).value().size(), 2u);
  EXPECT_EQ(split_body(R"([{"text":"a"},{"text":"b"}])", 10).value().size(), 2u);
  EXPECT_EQ(split_body(R"({"items":[{"text":"a"}]})", 10).value().size(), 1u);
  EXPECT_EQ(split_body("a\nb\nc", 2).error().code, ErrorCode::too_large);
  EXPECT_FALSE(split_body("[1,", 2).ok());
  EXPECT_FALSE(split_body("  ", 2).ok());
}

}  // namespace
}  // namespace heng::streams
