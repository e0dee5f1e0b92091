#include "heng/infer/text_stream.h"

#include <gtest/gtest.h>

namespace heng::infer {
namespace {

TEST(TextStream, GivesWholeCharactersOnly) {
  TextStream stream;
  const std::string text = "利率3.5%";
  std::string out;
  for (char c : text) {
    const auto piece = stream.push(std::string(1, c));
    EXPECT_EQ(piece.find("\xEF\xBF\xBD"), std::string::npos);
    out += piece;
  }
  EXPECT_EQ(out + stream.finish(), text);
}

TEST(TextStream, IncompleteEndBecomesAReplacementCharacter) {
  TextStream stream;
  EXPECT_EQ(stream.push("a\xE5\x88"), "a");
  EXPECT_EQ(stream.finish(), "\xEF\xBF\xBD");
}

TEST(TextStream, HoldsBackWhatMayBecomeAStop) {
  TextStream stream({"</end>", "STOP"});
  EXPECT_EQ(stream.push("hello </"), "hello ");
  EXPECT_EQ(stream.push("e"), "");
  EXPECT_EQ(stream.push("x"), "</ex");
  EXPECT_EQ(stream.push(" ST"), " ");
  EXPECT_EQ(stream.push("OP more"), "");
  EXPECT_TRUE(stream.stopped());
  EXPECT_EQ(stream.push("nothing"), "");
  EXPECT_EQ(stream.finish(), "");
}

TEST(TextStream, TheEarliestStopWinsAndStopsMayOverlap) {
  TextStream stream({"bc", "abcd"});
  EXPECT_EQ(stream.push("xabcd"), "x");
  EXPECT_TRUE(stream.stopped());
  TextStream repeated({"aab"});
  EXPECT_EQ(repeated.push("aa"), "");
  EXPECT_EQ(repeated.push("a"), "a");
  EXPECT_EQ(repeated.push("b"), "");
  EXPECT_TRUE(repeated.stopped());
  TextStream none({""});
  EXPECT_EQ(none.push("text"), "text");
}

}  // namespace
}  // namespace heng::infer
