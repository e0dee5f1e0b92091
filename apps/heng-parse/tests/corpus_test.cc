// Public documents of other tools' test suites, real filings: each file gives blocks, a warning or one clear error, and
// many of them what a reader sees in them. Skips where the data is absent.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "heng/parse/process_parser.h"

namespace heng::parse {
namespace {

namespace fs = std::filesystem;

fs::path data() {
  const char* folder = std::getenv("HENG_DATA");
  return folder == nullptr || *folder == 0 ? fs::path() : fs::path(folder) / "documents";
}

std::string bytes_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Everything in a document as one text: a line per block, table rows as "a | b".
std::string flat(const ParsedDocument& document, int page = 0) {
  std::string out;
  for (const Block& block : document.blocks) {
    if (page != 0 && block.page != page) continue;
    if (!block.text.empty()) out += block.text + "\n";
    for (const auto& row : block.rows) {
      std::string line;
      for (const std::string& cell : row) line += (&cell == &row.front() ? "" : " | ") + cell;
      out += line + "\n";
    }
  }
  return out;
}

class Corpus : public testing::Test {
 protected:
  void SetUp() override {
    if (data().empty() || !fs::exists(data() / "formats")) GTEST_SKIP() << "HENG_DATA names no folder with documents/formats";
    ProcessParserSettings settings;
    settings.program = HENG_BIN_DIR "/heng-parse";
    auto made = ProcessParser::create(settings);
    ASSERT_TRUE(made) << made.error().message;
    parser_ = std::move(*made);
  }
  Result<ParsedDocument> parse(const fs::path& path) { return parser_->parse(path.filename().string(), bytes_of(path)); }
  std::unique_ptr<DocumentParser> parser_;
};

TEST_F(Corpus, EveryFileGivesBlocksOrAClearError) {
  const std::vector<std::string> failing = {"pdfplumber__empty.pdf", "pdfplumber__password-example.pdf", "unstructured__empty.txt", "unstructured__fake-encrypted.eml",
                                            "unstructured__fake-text-all-whitespace.txt", "unstructured__password_protected.xlsx"};
  int files = 0;
  for (const auto& entry : fs::directory_iterator(data() / "formats")) {
    ++files;
    std::string name = entry.path().filename();
    auto result = parse(entry.path());
    bool expected = std::find(failing.begin(), failing.end(), name) == failing.end();
    EXPECT_EQ(result.ok(), expected) << name << (result ? "" : ": " + result.error().message);
    if (result) {
      EXPECT_FALSE(result->blocks.empty() && result->warnings.empty()) << name;
    }
  }
  EXPECT_GT(files, 100);
}

struct Content {
  const char* file;
  const char* text;  ///< Must be found in flat().
};

TEST_F(Corpus, FilesHoldWhatAReaderSees) {
  for (const Content& content : std::vector<Content>{
           {"docling__docx_lists.docx", "2. List item b"},
           {"docling__word_tables.docx", "Cell 1.0 | Merged Cell 1.1 1.2 | Merged Cell 1.1 1.2"},
           {"docling__textbox.docx", "Health Bureau:"},
           {"unstructured__vodafone.xlsx", "Group financial performance | FY 22 | FY 23 | 2"},
           {"unstructured__2023-half-year-analyses-by-segment.xlsx", "Zone NA | 12,553 | 2,713 | 2,632 | (81)"},
           {"unstructured__stanley-cups.xlsx", "Blues"},
           {"unstructured__stanley-cups-utf-16.csv", "Blues"},
           {"unstructured__semicolon-delimited.csv", " | "},
           {"markitdown__test_mskanji.csv", "名前"},
           {"unstructured__fake-html.html", "Row 1, Cell 1 | Row 1, Cell 2"},
           {"unstructured__codeblock.md", "<h1>Hello, World!</h1>"},
           {"unstructured__fake-email-attachment.eml", "Hey this is a fake attachment!"},
           {"unstructured__fake-email-b64.eml", "Roses are red"},
           {"unstructured__email-no-utf8-2008-07-16.062410.eml", "שלום"},
           {"unstructured__fake-power-point.pptx", "Adding a Bullet Slide"},
           {"unstructured__fake-text-utf-16-be.txt", "Hamburgers are delicious"},
           {"unstructured__multi-column.pdf", "BM25 | 59.1 | 66.9 | 55.0 | 70.9 | 68.8 | 73.7 | 76.7 | 71.1 | 84.1 | 80.0"},
           {"pdfplumber__nics-background-checks-2015-11.pdf", "Alabama"},
           {"unstructured__a1977-backus-p21.pdf", "forms, in effect, merely by defining new functions"}}) {
    auto result = parse(data() / "formats" / content.file);
    ASSERT_TRUE(result) << content.file << ": " << result.error().message;
    EXPECT_NE(flat(*result).find(content.text), std::string::npos) << content.file << " lacks " << content.text << "\n" << flat(*result).substr(0, 1500);
  }
}

TEST_F(Corpus, StatementsOfAnEnglishFilingReadRight) {
  auto result = parse(data() / "filings_en" / "AMD_2015_10K.pdf");
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->pages, 215);
  std::string income = flat(*result, 56);
  EXPECT_NE(income.find("(In millions, except per share amounts)\n | Year Ended December 26, 2015 | Year Ended December 27, 2014 | Year Ended December 28, 2013\n"
                        "Net revenue | $3,991 | $5,506 | $5,299\nCost of sales | 2,911 | 3,667 | 3,321\n"),
            std::string::npos)
      << income;
  EXPECT_NE(income.find("Net loss | $(660) | $(403) | $(83)"), std::string::npos) << income;
  std::string balance = flat(*result, 58);
  EXPECT_NE(balance.find(" | December 26, 2015 | December 27, 2014\nASSETS |  | \n"), std::string::npos) << balance;
  EXPECT_NE(balance.find("Total current assets | 2,320 | 2,736"), std::string::npos) << balance;
  EXPECT_NE(flat(*result, 60).find("Depreciation and amortization | 167 | 203 | 236"), std::string::npos);
}

TEST_F(Corpus, StatementsOfAChineseFilingReadRight) {
  auto result = parse(data() / "filings_zh" / "600201_2020_annual_report.pdf");
  ASSERT_TRUE(result) << result.error().message;
  std::string page = flat(*result, 5);
  EXPECT_NE(page.find("主要会计数据 | 2020年 | 2019年 | 本期比上年同期增减(%) | 2018年\n营业收入 | 1,581,905,632.48 | 1,126,782,253.35 | 40.39 | 1,896,608,630.19\n"
                      "归属于上市公司股东的净利润 | 406,195,463.57 | 221,041,634.94 | 83.76 | 754,465,552.70\n"),
            std::string::npos)
      << page;
  EXPECT_NE(flat(*result, 70).find("销售费用 | 274,950,664.27 | 218,344,972.36"), std::string::npos);
}

TEST_F(Corpus, TextOfTwoColumnsIsReadColumnByColumn) {
  auto result = parse(data() / "filings_en" / "JPMORGAN_2023Q2_10Q.pdf");
  ASSERT_TRUE(result) << result.error().message;
  std::string page = flat(*result, 10);
  EXPECT_NE(page.find("Total net revenue | $41,307 | $30,715 | 34 % | $79,656 | $61,432 | 30 %"), std::string::npos) << page;
  EXPECT_LT(page.find("lower advisory fees"), page.find("higher equity underwriting fees"));
}

TEST_F(Corpus, ATruncatedFilingIsSaid) {
  auto result = parse(data() / "filings_en" / "INTEL_2023_8K_dated-2023-02-10.pdf");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::malformed_input);
}

}  // namespace
}  // namespace heng::parse
