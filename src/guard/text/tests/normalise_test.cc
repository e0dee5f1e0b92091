#include <gtest/gtest.h>

#include "heng/base/text.h"
#include "heng/guard_text/decode.h"
#include "heng/guard_text/normalise.h"

namespace heng::guard_text {
namespace {

std::string folded(std::string_view s) { return std::string(Normalised(s).view()); }

TEST(Normalise, FoldsFormsThatHideText) {
  EXPECT_EQ(folded("plain text 123"), "plain text 123");
  EXPECT_EQ(folded("ｔｅｌ：１３８　００"), "tel:138 00");
  EXPECT_EQ(folded("1\u200b3\u20608"), "138");
  EXPECT_EQ(folded("a\u202eb"), "ab");
  EXPECT_EQ(folded("①②③"), "123");
  EXPECT_EQ(folded("\U0001D7CF\U0001D7D0"), "12");
  EXPECT_EQ(folded("p\u0430ypal"), "paypal");                 // Cyrillic а
  EXPECT_EQ(folded("\u043f\u0440\u0438\u0432\u0435\u0442"), "\u043f\u0440\u0438\u0432\u0435\u0442");  // Russian stays
  EXPECT_EQ(folded("银行、一二三。"), "银行、一二三。");
  EXPECT_EQ(folded("x\U000E0041\U000E0042"), "xAB");
}

TEST(Normalise, EveryPositionLeadsBack) {
  const std::string original = "卡号：６２２２\u200b０２，ok a\u043eb é①—end";
  const Normalised text(original);
  const auto view = text.view();
  std::size_t last = 0;
  for (std::size_t i = 0; i < view.size(); ++i) {
    const auto begin = text.original_begin(i), end = text.original_end(i + 1);
    ASSERT_LE(last, begin);
    ASSERT_LT(begin, end);
    ASSERT_LE(end, original.size());
    last = begin;
  }
  const auto at = view.find("622202");
  ASSERT_NE(at, std::string_view::npos);
  EXPECT_EQ(original.substr(text.original_begin(at), text.original_end(at + 6) - text.original_begin(at)), "６２２２\u200b０２");
}

TEST(Normalise, CountsWhatWasOdd) {
  EXPECT_EQ(Normalised("a\u200bb\u2066c").oddities().hidden, 2u);
  EXPECT_EQ(Normalised("\U000E0061").oddities().tags, 1u);
  EXPECT_EQ(Normalised("h\u0435llo").oddities().look_alikes, 1u);
}

TEST(Decode, ReadsEncodedText) {
  auto one = [](std::string_view s) {
    const auto all = decode_stretches(s);
    return all.size() == 1 ? std::string(all[0].encoding) + ":" + all[0].text : std::to_string(all.size());
  };
  EXPECT_EQ(one("see aGVsbG8gd29ybGQgMTIz ok"), "base64:hello world 123");
  EXPECT_EQ(one("x 68656c6c6f20776f726c64 y"), "hex:hello world");
  EXPECT_EQ(one("q=%68%65%6c%6c%6f%21"), "percent:hello!");
  EXPECT_EQ(one("\\u0068\\u0065\\u006c\\u006c\\u006f\\u0021"), "escape:hello!");
  EXPECT_EQ(one("&#104;&#101;&#108;&#108;&#111;&#x21;"), "escape:hello!");
  EXPECT_EQ(one("supercalifragilistic"), "0");
  EXPECT_EQ(one("d41d8cd98f00b204e9800998ecf8427e"), "0");
}

TEST(CodePoints, CountsUpAndBack) {
  const std::string s = "a银b行";
  CodePointCounter counter(s);
  EXPECT_EQ(counter.at(1), 1u);
  EXPECT_EQ(counter.at(4), 2u);
  EXPECT_EQ(counter.at(8), 4u);
  EXPECT_EQ(counter.at(0), 0u);
}

}  // namespace
}  // namespace heng::guard_text
