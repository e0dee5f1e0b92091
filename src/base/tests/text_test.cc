#include "heng/base/text.h"

#include <gtest/gtest.h>

namespace text = heng::text;

namespace {

std::vector<std::string> cut(std::string_view s) {
  std::vector<std::string> out;
  for (const auto& range : text::sentences(s)) out.emplace_back(s.substr(range.begin, range.end - range.begin));
  return out;
}

TEST(Text, FindsInvalidUtf8) {
  EXPECT_TRUE(text::is_valid_utf8("年报 ok 😀"));
  EXPECT_EQ(text::first_invalid_utf8("ab\xff"), 2u);
  EXPECT_EQ(text::first_invalid_utf8("\xed\xa0\x80"), 0u);  // a surrogate
  EXPECT_EQ(text::first_invalid_utf8("\xc0\xaf"), 0u);      // overlong
  EXPECT_EQ(text::replace_invalid_utf8("a\xff" "b"), "a\xEF\xBF\xBD" "b");
}

TEST(Text, KeepsHalfCharactersBack) {
  const std::string s = "利率";
  for (std::size_t i = 0; i <= s.size(); ++i) {
    const auto n = text::complete_utf8_prefix(std::string_view(s).substr(0, i));
    EXPECT_TRUE(text::is_valid_utf8(s.substr(0, n)));
    EXPECT_LE(i - n, 2u);
  }
}

TEST(Text, CountsAndFolds) {
  EXPECT_EQ(text::code_points("a利率😀"), 4u);
  EXPECT_EQ(text::byte_offset("a利率", 2), 4u);
  EXPECT_EQ(text::nfkc("ＡＢ１２％"), "AB12%");
  EXPECT_EQ(text::lower("ÀB利"), "àb利");
  EXPECT_EQ(text::trim(" \u3000x \n"), "x");
  EXPECT_EQ(text::display_width("a利率"), 5u);
  EXPECT_EQ(text::language_of("什么是 LPR？"), text::Language::chinese);
  EXPECT_EQ(text::language_of("What is the 年费 here today?"), text::Language::english);
  EXPECT_EQ(text::language_of("123"), text::Language::other);
}

TEST(Text, CutsEnglishSentences) {
  EXPECT_EQ(cut("Revenue rose 3.5% to $4.1 billion [1]. Mr. Smith of Acme Inc. said so. [2] It fell."),
            (std::vector<std::string>{"Revenue rose 3.5% to $4.1 billion [1].", "Mr. Smith of Acme Inc. said so. [2]", "It fell."}));
  EXPECT_EQ(cut("1. First point.\n2. Second point."), (std::vector<std::string>{"1. First point.", "2. Second point."}));
  EXPECT_EQ(cut("No stop at the end"), (std::vector<std::string>{"No stop at the end"}));
}

TEST(Text, CutsChineseSentences) {
  EXPECT_EQ(cut("年利率为1.55%。[1] 提前支取按活期计息！[2][3]手续费是多少？"),
            (std::vector<std::string>{"年利率为1.55%。[1]", "提前支取按活期计息！[2][3]", "手续费是多少？"}));
  EXPECT_EQ(cut("他说：“可以。”然后走了。"), (std::vector<std::string>{"他说：“可以。”", "然后走了。"}));
  EXPECT_TRUE(cut(" \n ").empty());
}

}  // namespace
