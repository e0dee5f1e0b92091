#include "heng/parse/wire.h"

#include <gtest/gtest.h>

namespace heng::parse {
namespace {

std::string encoded(const ParserOutput& output) {
  std::string lines;
  encode(output, [&](std::string_view line) {
    lines += line;
    return true;
  });
  return lines;
}

ParserOutput sample() {
  ParserOutput output;
  output.document.title = "年报 \"2023\"";
  output.document.media_type = "application/pdf";
  output.document.pages = 3;
  output.document.warnings = {"page 2 has no text (a scan?)"};
  Block heading;
  heading.kind = BlockKind::heading;
  heading.level = 2;
  heading.text = "Revenue\n营业收入";
  heading.page = 1;
  heading.boxes = {{1, 10, 20.5, 300, 40, 612, 792}};
  Block table;
  table.kind = BlockKind::table;
  table.rows = {{"", "2023"}, {"Net sales", "$1,234"}};
  table.header_rows = 1;
  table.sheet = "P&L";
  output.document.blocks = {heading, table};
  output.attachments = {{"a.txt", std::string("\0\xFF" "binary", 8)}};
  return output;
}

TEST(Wire, GivesBackWhatWasWritten) {
  auto read = decode(encoded(sample()));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->document.title, "年报 \"2023\"");
  EXPECT_EQ(read->document.pages, 3);
  ASSERT_EQ(read->document.blocks.size(), 2u);
  EXPECT_EQ(read->document.blocks[0].kind, BlockKind::heading);
  EXPECT_EQ(read->document.blocks[0].text, "Revenue\n营业收入");
  EXPECT_EQ(read->document.blocks[0].boxes[0].y0, 20.5);
  EXPECT_EQ(read->document.blocks[1].rows[1][1], "$1,234");
  EXPECT_EQ(read->document.blocks[1].header_rows, 1);
  EXPECT_EQ(read->attachments[0].bytes, std::string("\0\xFF" "binary", 8));
}

TEST(Wire, EveryCutIsNoticed) {
  std::string lines = encoded(sample());
  for (std::size_t size = 0; size < lines.size(); ++size) {
    EXPECT_FALSE(decode(std::string_view(lines).substr(0, size))) << "cut at " << size;
  }
}

TEST(Wire, ErrorsKeepCodeAndMessage) {
  auto read = decode(encode_error(Error(ErrorCode::unsupported, "save it as .docx")));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::unsupported);
  EXPECT_EQ(read.error().message, "save it as .docx");
}

TEST(Wire, AnUntrustedErrorCannotChooseAnyCode) {
  auto read = decode("{\"error\":{\"code\":\"permission_denied\",\"message\":\"" + std::string(100000, 'x') + "\"}}\n");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::malformed_input);
  EXPECT_LE(read.error().message.size(), 2000u);
}

TEST(Wire, RefusesWhatEncodeDoesNotWrite) {
  const std::string end = "{\"end\":1}\n";
  for (const char* line :
       {"{\"kind\":\"paragraph\",\"text\":5}", "{\"kind\":\"poem\",\"text\":\"x\"}", "{\"kind\":\"paragraph\",\"page\":-1}",
        "{\"kind\":\"paragraph\",\"page\":99999999999999999999}", "{\"kind\":\"table\"}", "{\"kind\":\"paragraph\",\"rows\":[[\"x\"]]}",
        "{\"kind\":\"table\",\"rows\":[\"x\"]}", "{\"kind\":\"table\",\"rows\":[[\"x\"]],\"header_rows\":2}",
        "{\"kind\":\"paragraph\",\"boxes\":[[1,2,3]]}", "{\"kind\":\"paragraph\",\"boxes\":[[1,1e300,0,0,0,0,0]]}",
        "{\"kind\":\"paragraph\",\"text\":\"\xFF\"}", "[]", "null", "{}", "{\"kind\":", "[[[[[[[[[[[[]]]]]]]]]]]]"}) {
    EXPECT_FALSE(decode(std::string(line) + "\n" + end)) << line;
  }
}

TEST(Wire, DeepNestingCostsNoStack) {
  EXPECT_FALSE(decode(std::string(10'000'000, '[') + "\n"));
}

TEST(Wire, CountsBlocks) {
  EXPECT_FALSE(decode("{\"end\":1}\n"));
  EXPECT_FALSE(decode("{\"end\":0}\n{\"end\":0}\n"));
  EXPECT_TRUE(decode("{\"end\":0}\n"));
  DecodeLimits limits;
  limits.max_blocks = 1;
  EXPECT_FALSE(decode("{\"kind\":\"paragraph\",\"text\":\"a\"}\n{\"kind\":\"paragraph\",\"text\":\"b\"}\n{\"end\":2}\n", limits));
}

}  // namespace
}  // namespace heng::parse
