#include <gtest/gtest.h>

#include <sstream>

#include "heng/formats/reader.h"
#include "pdf_table.h"

namespace heng::formats {
namespace {

using Rows = std::vector<std::vector<std::string>>;

// Writes what pdftotext -bbox-layout would: each text in a block of its own.
class PageMaker {
 public:
  void text(double x, double y, const std::string& words, double size = 10) {
    out_ << "<block><line>";
    std::istringstream in(words);
    std::string word;
    while (in >> word) {
      double width = 0;
      for (char c : word) width += (static_cast<unsigned char>(c) >= 0xC0 ? 1.0 : (c & 0x80) != 0 ? 0.0 : 0.5) * size;
      out_ << "<word xMin=\"" << x << "\" yMin=\"" << y << "\" xMax=\"" << x + width << "\" yMax=\"" << y + size << "\">" << word << "</word>";
      x += width + 0.25 * size;
    }
    out_ << "</line></block>\n";
  }
  /// The text ends at x, as figures do.
  void right(double x, double y, const std::string& word) { text(x - 5.0 * static_cast<double>(word.size()), y, word); }
  std::string page() const { return "<doc><page width=\"612\" height=\"792\">\n" + out_.str() + "</page></doc>"; }

 private:
  std::ostringstream out_;
};

ParsedDocument must_read(const std::string& layout, const std::string& fonts = "") {
  auto reading = read_pdf_layout(layout, fonts, {});
  EXPECT_TRUE(reading) << reading.error().message;
  return reading ? reading->document : ParsedDocument{};
}

TEST(PdfTables, KeepFiguresWithTheirLabelYearsAndUnits) {
  PageMaker page;
  page.text(200, 100, "Consolidated Statements of Operations");
  page.text(430, 120, "Year Ended");
  page.text(400, 132, "2023");
  page.text(500, 132, "2022");
  page.text(400, 144, "(In millions, except per share)");
  const std::vector<std::vector<std::string>> lines = {{"Net revenue", "3,991", "5,506"}, {"Cost of sales", "2,911", "3,667"}, {"Net loss", "(660)", "(403)"}};
  double y = 160;
  for (const auto& line : lines) {
    page.text(40, y, line[0]);
    page.right(430, y, line[1]);
    page.right(530, y, line[2]);
    y += 14;
  }
  ParsedDocument document = must_read(page.page());
  ASSERT_EQ(document.blocks.size(), 3u);
  EXPECT_EQ(document.blocks[1].kind, BlockKind::caption);
  EXPECT_EQ(document.blocks[1].text, "(In millions, except per share)");
  const Block& table = document.blocks[2];
  EXPECT_EQ(table.rows, (Rows{{"", "Year Ended 2023", "Year Ended 2022"}, {"Net revenue", "3,991", "5,506"}, {"Cost of sales", "2,911", "3,667"}, {"Net loss", "(660)", "(403)"}}));
  EXPECT_EQ(table.header_rows, 1);
  ASSERT_EQ(table.boxes.size(), table.rows.size());
  EXPECT_NEAR(table.boxes[1].y0, 160, 0.5);
}

TEST(PdfTables, PutCurrencySignsToTheirFigures) {
  PageMaker page;
  page.text(40, 100, "Cash");
  page.text(380, 100, "$");
  page.right(450, 100, "785");
  page.text(480, 100, "$");
  page.right(550, 100, "805");
  page.text(40, 114, "Inventories");
  page.right(450, 114, "678");
  page.right(550, 114, "685");
  EXPECT_EQ(must_read(page.page()).blocks.at(0).rows, (Rows{{"Cash", "$785", "$805"}, {"Inventories", "678", "685"}}));
}

TEST(PdfTables, JoinChineseLabelsBrokenOverLines) {
  PageMaker page;
  page.text(40, 100, "营业收入");
  page.right(400, 100, "1,581");
  page.text(40, 115, "归属于上市公司股东的");
  page.right(400, 115, "406");
  page.text(40, 128.5, "净利润");
  page.text(40, 143, "总资产");
  page.right(400, 143, "6,278");
  EXPECT_EQ(must_read(page.page()).blocks.at(0).rows, (Rows{{"营业收入", "1,581"}, {"归属于上市公司股东的净利润", "406"}, {"总资产", "6,278"}}));
}

TEST(PdfReadingOrder, LeftColumnBeforeRightColumn) {
  std::ostringstream out;
  out << "<doc><page width=\"612\" height=\"792\">";
  for (double x : {40.0, 320.0}) {
    out << "<block>";
    for (int line = 0; line < 8; ++line) {
      double y = 100 + 12 * line;
      out << "<line><word xMin=\"" << x << "\" yMin=\"" << y << "\" xMax=\"" << x + 240 << "\" yMax=\"" << y + 10 << "\">" << (x < 100 ? "left-column-text-of-line-" : "right-column-text-of-line-")
          << line << "</word></line>";
    }
    out << "</block>";
  }
  out << "</page></doc>";
  ParsedDocument document = must_read(out.str());
  ASSERT_EQ(document.blocks.size(), 2u);
  EXPECT_TRUE(document.blocks[0].text.starts_with("left-column")) << document.blocks[0].text;
  EXPECT_EQ(document.blocks[0].text.find("right"), std::string::npos);
}

TEST(PdfHeadings, BoldLinesAreTakenFromTheFontRuns) {
  PageMaker page;
  page.text(40, 100, "Liquidity and capital");
  page.text(40, 130, "We fund our business from operations and borrow where needed.");
  std::string fonts = "<page number=\"1\"><text top=\"100\" left=\"40\" width=\"110\" height=\"10\" font=\"1\"><b>Liquidity and capital</b></text></page>";
  EXPECT_EQ(must_read(page.page(), fonts).blocks.at(0).kind, BlockKind::heading);
  EXPECT_EQ(must_read(page.page()).blocks.at(0).kind, BlockKind::paragraph);
}

TEST(PdfMargins, RepeatedLinesAndPageNumbersAreMarked) {
  std::string pages = "<doc>";
  for (int i = 1; i <= 4; ++i) {
    PageMaker page;
    page.text(40, 20, "Annual Report 2023");
    page.text(40, 300, "Text of page number " + std::to_string(i) + " differs");
    page.text(300, 770, std::to_string(i));
    pages += page.page();
  }
  ParsedDocument document = must_read(pages + "</doc>");
  ASSERT_EQ(document.blocks.size(), 12u);
  EXPECT_EQ(document.blocks[0].kind, BlockKind::header);
  EXPECT_EQ(document.blocks[1].kind, BlockKind::paragraph);
  EXPECT_EQ(document.blocks[2].kind, BlockKind::footer);
  EXPECT_EQ(document.blocks[11].page, 4);
}

TEST(PdfPages, EmptyOnesAreWarnedOf) {
  PageMaker page;
  page.text(40, 300, "words");
  ParsedDocument document = must_read(page.page() + "<page width=\"612\" height=\"792\"></page>");
  EXPECT_EQ(document.warnings, std::vector<std::string>{"page 2 has no text (a scan?)"});
}

TEST(PdfUnits, AreKnownInBothLanguages) {
  EXPECT_TRUE(pdf::is_units_line("单位：元 币种：人民币"));
  EXPECT_TRUE(pdf::is_units_line("(In thousands, except share data)"));
  EXPECT_TRUE(pdf::is_units_line("In millions"));
  EXPECT_FALSE(pdf::is_units_line("Millions of customers use our cards"));
}

TEST(PdfLayout, NonsenseIsNoTrouble) {
  for (const char* text : {"", "<", "<page", "<page width=\"x\"><word xMin=\"1e999\">a</word>", "<word>", "<page width=\"1\" height=\"nan\"><word xMin=\"1\" yMin=\"2\" xMax=\"0\" yMax=\"-5\">&#1114112;&#xD800;&amp</word></page>"}) {
    auto reading = read_pdf_layout(text, text, {});
    if (!reading) {
      EXPECT_FALSE(reading.error().message.empty());
    }
  }
}

}  // namespace
}  // namespace heng::formats
