#include <gtest/gtest.h>

#include "heng/formats/reader.h"
#include "make_office.h"
#include "number_format.h"

namespace heng::formats {
namespace {

using testing::make_docx;
using testing::make_pptx;
using testing::make_xlsx;
using Rows = std::vector<std::vector<std::string>>;

Reading must_read(Format format, const std::string& bytes, const Limits& limits = {}) {
  auto reading = read(format, "x", bytes, limits);
  EXPECT_TRUE(reading) << reading.error().message;
  return reading ? *reading : Reading{};
}

std::string paragraph(const std::string& text, const std::string& properties = "") {
  return "<w:p>" + (properties.empty() ? "" : "<w:pPr>" + properties + "</w:pPr>") + "<w:r><w:t>" + text + "</w:t></w:r></w:p>";
}
std::string cell(const std::string& text, const std::string& properties = "") {
  return "<w:tc><w:tcPr>" + properties + "</w:tcPr>" + paragraph(text) + "</w:tc>";
}

TEST(Docx, ReadsHeadingsByStyleEvenWhenStylesGoInCircles) {
  std::string styles =
      "<w:styles xmlns:w=\"w\"><w:style w:styleId=\"a\"><w:name w:val=\"Mine\"/><w:basedOn w:val=\"b\"/></w:style>"
      "<w:style w:styleId=\"b\"><w:name w:val=\"heading 2\"/><w:basedOn w:val=\"a\"/></w:style></w:styles>";
  auto reading = must_read(Format::docx, make_docx(paragraph("Fees", "<w:pStyle w:val=\"a\"/>") + paragraph("Each transfer costs 5."), {{"word/styles.xml", styles}}));
  ASSERT_EQ(reading.document.blocks.size(), 2u);
  EXPECT_EQ(reading.document.blocks[0].kind, BlockKind::heading);
  EXPECT_EQ(reading.document.blocks[0].level, 2);
  EXPECT_EQ(reading.document.blocks[1].kind, BlockKind::paragraph);
}

TEST(Docx, WritesAutomaticNumbersAsWordShowsThem) {
  std::string numbering =
      "<w:numbering xmlns:w=\"w\"><w:abstractNum w:abstractNumId=\"7\"><w:lvl w:ilvl=\"0\"><w:start w:val=\"1\"/><w:numFmt w:val=\"chineseCounting\"/>"
      "<w:lvlText w:val=\"第%1条\"/></w:lvl><w:lvl w:ilvl=\"1\"><w:start w:val=\"1\"/><w:numFmt w:val=\"lowerLetter\"/><w:lvlText w:val=\"(%2)\"/></w:lvl>"
      "</w:abstractNum><w:num w:numId=\"3\"><w:abstractNumId w:val=\"7\"/></w:num></w:numbering>";
  auto item = [](const std::string& text, int level) {
    return paragraph(text, "<w:numPr><w:ilvl w:val=\"" + std::to_string(level) + "\"/><w:numId w:val=\"3\"/></w:numPr>");
  };
  auto reading = must_read(Format::docx, make_docx(item("甲", 0) + item("a", 1) + item("b", 1) + item("乙", 0) + item("c", 1), {{"word/numbering.xml", numbering}}));
  std::vector<std::string> texts;
  for (const Block& block : reading.document.blocks) texts.push_back(block.text);
  EXPECT_EQ(texts, (std::vector<std::string>{"第一条 甲", "(a) a", "(b) b", "第二条 乙", "(a) c"}));
}

TEST(Docx, RepeatsMergedCells) {
  std::string table = "<w:tbl><w:tr>" + cell("Product") + cell("Rate", "<w:gridSpan w:val=\"2\"/>") + "</w:tr><w:tr>" +
                      cell("Loan", "<w:vMerge w:val=\"restart\"/>") + cell("1 year") + cell("3.45%") + "</w:tr><w:tr>" +
                      cell("", "<w:vMerge/>") + cell("5 years") + cell("3.95%") + "</w:tr></w:tbl>";
  auto reading = must_read(Format::docx, make_docx(table));
  ASSERT_EQ(reading.document.blocks.size(), 1u);
  EXPECT_EQ(reading.document.blocks[0].rows, (Rows{{"Product", "Rate", "Rate"}, {"Loan", "1 year", "3.45%"}, {"Loan", "5 years", "3.95%"}}));
  EXPECT_EQ(reading.document.blocks[0].header_rows, 1);
}

TEST(Docx, ReadsNotesOnceAndSkipsDeletedText) {
  std::string notes = "<w:footnotes xmlns:w=\"w\"><w:footnote w:id=\"2\">" + paragraph("Subject to approval.") + "</w:footnote></w:footnotes>";
  std::string body = "<w:p><w:r><w:t>Limit</w:t></w:r><w:r><w:footnoteReference w:id=\"2\"/></w:r><w:del><w:r><w:delText>old</w:delText></w:r></w:del></w:p>";
  auto reading = must_read(Format::docx, make_docx(body + body, {{"word/footnotes.xml", notes}}));
  ASSERT_EQ(reading.document.blocks.size(), 3u);
  EXPECT_EQ(reading.document.blocks[0].text, "Limit [note 2]");
  EXPECT_EQ(reading.document.blocks[1].text, "[note 2] Subject to approval.");
}

TEST(Docx, EntitiesAreNotExpanded) {
  std::string bomb = "<?xml version=\"1.0\"?><!DOCTYPE w [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;\"><!ENTITY x SYSTEM \"file:///etc/passwd\">]>"
                     "<w:document xmlns:w=\"w\"><w:body><w:p><w:r><w:t>&b;&x;</w:t></w:r></w:p></w:body></w:document>";
  auto reading = must_read(Format::docx, testing::make_zip({{"[Content_Types].xml", "<Types/>"}, {"word/document.xml", bomb}}));
  EXPECT_EQ(reading.document.blocks.at(0).text, "&b;&x;");
}

TEST(Docx, DeepNestingIsRefused) {
  std::string open, close;
  for (int i = 0; i < 100000; ++i) open += "<w:ins>", close += "</w:ins>";
  auto reading = read(Format::docx, "x", make_docx(open + paragraph("x") + close), {});
  ASSERT_FALSE(reading);
  EXPECT_EQ(reading.error().code, ErrorCode::too_large);
  EXPECT_NE(reading.error().message.find("nested deeper than 200"), std::string::npos);
}

TEST(Docx, NestedTablesAreRefusedOrFlattened) {
  std::string table = paragraph("core");
  for (int i = 0; i < 5000; ++i) table = "<w:tbl><w:tr><w:tc>" + table + "</w:tc></w:tr></w:tbl>";
  EXPECT_EQ(read(Format::docx, "x", make_docx(table), {}).error().code, ErrorCode::too_large);
  std::string shallow = "<w:tbl><w:tr>" + cell("a") + "<w:tc><w:tbl><w:tr>" + cell("in") + cell("ner") + "</w:tr></w:tbl></w:tc></w:tr><w:tr>" + cell("b") + cell("c") + "</w:tr></w:tbl>";
  EXPECT_EQ(must_read(Format::docx, make_docx(shallow)).document.blocks.at(0).rows[0][1], "in | ner");
}

TEST(Archive, BombsAreRefused) {
  std::string body = paragraph(std::string(40 << 20, 'a'));
  Limits limits;
  auto by_ratio = read(Format::docx, "x", make_docx(body), limits);
  ASSERT_FALSE(by_ratio);
  EXPECT_EQ(by_ratio.error().code, ErrorCode::too_large);
  EXPECT_NE(by_ratio.error().message.find("archive bomb"), std::string::npos);
  limits.max_part_bytes = 1000;
  EXPECT_EQ(read(Format::docx, "x", make_docx(paragraph(std::string(2000, 'a'))), limits).error().code, ErrorCode::too_large);
}

TEST(Archive, EveryTruncationIsAnError) {
  std::string whole = make_docx(paragraph("text"));
  for (std::size_t size = 0; size < whole.size(); size += 7) {
    auto reading = read(Format::docx, "x", whole.substr(0, size), {});
    EXPECT_FALSE(reading) << size;
  }
}

TEST(Xlsx, ShowsNumbersAsTheSheetDoes) {
  std::string styles = "<numFmts><numFmt numFmtId=\"170\" formatCode=\"&quot;¥&quot;#,##0.00\"/></numFmts>"
                       "<cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"10\"/><xf numFmtId=\"170\"/><xf numFmtId=\"14\"/></cellXfs>";
  std::string sheet = "<sheetData><row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c r=\"B1\" t=\"inlineStr\"><is><t>Rate</t></is></c><c r=\"C1\" t=\"str\"><v>Fee</v></c>"
                      "<c r=\"D1\" t=\"str\"><v>From</v></c></row><row r=\"2\"><c r=\"A2\" t=\"s\"><v>1</v></c><c r=\"B2\" s=\"1\"><v>0.0345</v></c>"
                      "<c r=\"C2\" s=\"2\"><v>1234567.5</v></c><c r=\"D2\" s=\"3\"><v>45292</v></c></row></sheetData>";
  auto reading = must_read(Format::xlsx, make_xlsx(sheet, "<si><t>Product</t></si><si><r><t>Home </t></r><r><t>loan</t></r></si>", styles));
  ASSERT_EQ(reading.document.blocks.size(), 2u);
  EXPECT_EQ(reading.document.blocks[0].text, "Fees");
  EXPECT_EQ(reading.document.blocks[1].sheet, "Fees");
  EXPECT_EQ(reading.document.blocks[1].rows, (Rows{{"Product", "Rate", "Fee", "From"}, {"Home loan", "3.45%", "¥1,234,567.50", "2024-01-01"}}));
  EXPECT_EQ(reading.document.blocks[1].header_rows, 1);
}

TEST(Xlsx, SurvivesSenselessReferences) {
  std::string sheet = "<sheetData><row r=\"99999999999\"><c r=\"ZZZZZZZ1\" t=\"s\"><v>-5</v></c><c r=\"A1\" t=\"s\"><v>99</v></c><c><v>7</v></c></row></sheetData>"
                      "<mergeCells><mergeCell ref=\"A1:XFD1048576\"/><mergeCell ref=\"::\"/></mergeCells>";
  auto reading = must_read(Format::xlsx, make_xlsx(sheet, "<si><t>x</t></si>"));
  EXPECT_EQ(reading.document.blocks.back().text, "7");
}

TEST(Pptx, ReadsTitlesListsAndTables) {
  std::string shapes =
      "<p:sp><p:nvSpPr><p:nvPr><p:ph type=\"title\"/></p:nvPr></p:nvSpPr><p:txBody><a:p><a:r><a:t>Results</a:t></a:r></a:p></p:txBody></p:sp>"
      "<p:grpSp><p:sp><p:txBody><a:p><a:pPr lvl=\"1\"><a:buChar char=\"•\"/></a:pPr><a:r><a:t>Up 5%</a:t></a:r></a:p></p:txBody></p:sp></p:grpSp>"
      "<p:graphicFrame><a:graphic><a:graphicData><a:tbl><a:tblPr firstRow=\"1\"/><a:tr><a:tc gridSpan=\"2\"><a:txBody><a:p><a:r><a:t>2023</a:t></a:r></a:p></a:txBody></a:tc>"
      "<a:tc hMerge=\"1\"/></a:tr><a:tr><a:tc><a:txBody><a:p><a:r><a:t>Sales</a:t></a:r></a:p></a:txBody></a:tc><a:tc><a:txBody><a:p><a:r><a:t>12</a:t></a:r></a:p></a:txBody></a:tc></a:tr>"
      "</a:tbl></a:graphicData></a:graphic></p:graphicFrame>";
  auto reading = must_read(Format::pptx, make_pptx(shapes));
  ASSERT_EQ(reading.document.blocks.size(), 3u);
  EXPECT_EQ(reading.document.blocks[0].kind, BlockKind::heading);
  EXPECT_EQ(reading.document.blocks[1].kind, BlockKind::list_item);
  EXPECT_EQ(reading.document.blocks[1].level, 2);
  EXPECT_EQ(reading.document.blocks[2].rows, (Rows{{"2023", ""}, {"Sales", "12"}}));
  EXPECT_EQ(reading.document.blocks[2].page, 1);
  EXPECT_EQ(reading.document.blocks[2].sheet, "Results");
}

struct Shown {
  double value;
  const char* code;
  const char* text;
};

// Expected texts are what spreadsheet programs show for these codes (ECMA-376 part 1, 18.8.31 and its examples).
TEST(NumberFormat, ShowsWhatSpreadsheetsShow) {
  for (const Shown& shown : std::vector<Shown>{{1234.567, "General", "1234.567"}, {0.1 + 0.2, "General", "0.3"}, {1e20, "General", "1e+20"}, {1234567, "#,##0", "1,234,567"},
           {1234.565, "#,##0.00", "1,234.57"}, {-1234.5, "#,##0.00;(#,##0.00)", "(1,234.50)"}, {-1234.5, "#,##0.00", "-1,234.50"}, {0.0345, "0.00%", "3.45%"}, {0.5, "0%", "50%"},
           {0, "#,##0;(#,##0);\"-\"", "-"}, {12500000, "#,##0,,\"M\"", "13M"}, {5, "000", "005"}, {0.5, "0.##", "0.5"}, {3, "0.##", "3"}, {45292, "yyyy-mm-dd", "2024-01-01"},
           {45292.75, "yyyy/m/d h:mm", "2024/1/1 18:00"}, {45292, "yyyy\"年\"m\"月\"d\"日\"", "2024年1月1日"}, {1.5, "[h]:mm:ss", "36:00:00"}, {45292, "mmm-yy", "Jan-24"},
           {12345, "[$¥-804]#,##0.00", "¥12,345.00"}, {7, "[Red]0", "7"}, {12345.6, "0.00E+00", "1.23E+04"}, {-5, "0_);[Red]\\(0\\)", "(5)"}, {45292, "d/m/yyyy h:mm AM/PM", "1/1/2024 12:00 AM"}}) {
    EXPECT_EQ(format_number(shown.value, shown.code, false), shown.text) << shown.code << " of " << shown.value;
  }
  EXPECT_EQ(format_number(0, "yyyy-mm-dd", true), "1904-01-01");
}

}  // namespace
}  // namespace heng::formats
