#include <algorithm>

#include <gtest/gtest.h>

#include "heng/base/text.h"
#include "heng/knowledge/chunk.h"
#include "heng/knowledge/clean.h"
#include "heng/knowledge/fingerprint.h"

namespace heng::knowledge {
namespace {

Block paragraph(std::string text, int page = 0) {
  Block b;
  b.text = std::move(text);
  b.page = page;
  return b;
}
Block heading(std::string text, int level, int page = 0) {
  Block b = paragraph(std::move(text), page);
  b.kind = BlockKind::heading;
  b.level = level;
  return b;
}
Block table(std::vector<std::vector<std::string>> rows, int header_rows, int page = 0) {
  Block b;
  b.kind = BlockKind::table;
  b.rows = std::move(rows);
  b.header_rows = header_rows;
  b.page = page;
  return b;
}
std::string all_text(const ParsedDocument& d) {
  std::string out;
  for (const auto& b : d.blocks) out += b.text + "\n";
  return out;
}

TEST(Clean, MendsLineEndsByLanguage) {
  EXPECT_EQ(mend_lines("本行存款利\n率为1.55%。"), "本行存款利率为1.55%。");
  EXPECT_EQ(mend_lines("the deposit\nrate"), "the deposit rate");
  EXPECT_EQ(mend_lines("regu-\nlation"), "regulation");
  EXPECT_EQ(mend_lines("the S&P-\n500"), "the S&P- 500");
  EXPECT_EQ(mend_lines("must:\n(a) one;\n(b) two"), "must:\n(a) one;\n(b) two");
  EXPECT_EQ(mend_lines("zero\u200bwidth\u00ad and  spaces "), "zerowidth and spaces");
}

TEST(Clean, DropsHeadersFootersAndPageNumbers) {
  ParsedDocument d;
  d.pages = 6;
  for (int page = 1; page <= 6; ++page) {
    d.blocks.push_back(paragraph("Annual Report 2023 of Example Bank", page));
    d.blocks.push_back(paragraph("Paragraph number one of page with its own words " + std::string(static_cast<std::size_t>(page), 'x') + ".", page));
    d.blocks.push_back(paragraph("Page " + std::to_string(page) + " of 6", page));
  }
  const auto report = clean(d);
  EXPECT_EQ(report.page_furniture, 12);
  const auto text = all_text(d);
  EXPECT_EQ(text.find("Annual Report"), std::string::npos);
  EXPECT_EQ(text.find("Page 3"), std::string::npos);
  EXPECT_NE(text.find("xxxxxx"), std::string::npos);
}

TEST(Clean, KeepsWhatRepeatsForGoodReasons) {
  ParsedDocument d;
  d.pages = 1;
  d.blocks = {paragraph("Not applicable", 1), paragraph("12", 1), paragraph("Not applicable", 1), paragraph("The fee is 12 yuan.", 1)};
  clean(d);
  const auto text = all_text(d);
  EXPECT_NE(text.find("Not applicable\n"), text.rfind("Not applicable\n"));
  EXPECT_NE(text.find("The fee is 12 yuan."), std::string::npos);
}

TEST(Clean, JoinsParagraphsOverPages) {
  ParsedDocument d;
  d.pages = 2;
  d.blocks = {paragraph("The bank charges a fee for every withdrawal abroad, unless the customer has", 1), paragraph("a premium account.", 2)};
  clean(d);
  ASSERT_EQ(d.blocks.size(), 1U);
  EXPECT_NE(d.blocks[0].text.find("customer has a premium"), std::string::npos);
}

TEST(Chunk, KeepsHeadingPathAndPages) {
  ParsedDocument d;
  d.title = "Terms";
  d.blocks = {heading("Fees", 1, 1), heading("Foreign transactions", 2, 1), paragraph("The fee is 1.5 percent.", 1), heading("Contact", 1, 2),
              paragraph("Call us.", 2)};
  const auto chunks = chunk(d, {.fewest_tokens = 0});
  ASSERT_EQ(chunks.size(), 2U);
  EXPECT_EQ(chunks[0].heading, "Fees > Foreign transactions");
  EXPECT_EQ(chunks[0].page, 1);
  EXPECT_EQ(chunks[1].heading, "Contact");
  EXPECT_EQ(chunks[1].page, 2);
}

TEST(Chunk, CutsLawsByArticle) {
  ParsedDocument d;
  d.title = "某法";
  d.blocks = {heading("第一章 总则", 2), paragraph("第一条 为了规范，制定本法。"), paragraph("第二条 本法适用于境内。"), paragraph("县级以上政府负责。"),
              paragraph("第三条 其他。")};
  const auto chunks = chunk(d);
  ASSERT_EQ(chunks.size(), 3U);
  EXPECT_TRUE(chunks[1].text.starts_with("第二条"));
  EXPECT_NE(chunks[1].text.find("县级以上"), std::string::npos) << "a further paragraph stays with its article";
  EXPECT_EQ(chunks[0].heading, "第一章 总则");
}

TEST(Chunk, ALongArticleSaysInEachPartWhichOneItIs) {
  ParsedDocument d;
  std::string text = "第五条 ";
  for (int i = 0; i < 200; ++i) text += "金融机构应当建立健全内部控制制度。";
  d.blocks = {paragraph(text)};
  const auto chunks = chunk(d);
  ASSERT_GT(chunks.size(), 3U);
  for (std::size_t i = 1; i < chunks.size(); ++i) EXPECT_NE(chunks[i].context.find("第五条"), std::string::npos);
}

TEST(Chunk, RepeatsHeaderUnitsAndSectionOfTables) {
  ParsedDocument d;
  std::vector<std::vector<std::string>> rows = {{"", "2015", "2014"}, {"Current assets:", "", ""}};
  for (int i = 0; i < 120; ++i) rows.push_back({"Item of the balance sheet number " + std::to_string(i), "$", "1,0" + std::to_string(10 + i % 80)});
  d.blocks = {heading("Consolidated Balance Sheets", 1, 7), paragraph("(In millions, except par value)", 7), table(rows, 1, 7)};
  const auto chunks = chunk(d);
  ASSERT_GT(chunks.size(), 2U);
  for (const auto& c : chunks) {
    if (!c.is_table) continue;
    EXPECT_TRUE(c.text.find("| 2015 |") != std::string::npos) << c.text.substr(0, 80);
    EXPECT_NE(c.context.find("In millions"), std::string::npos);
    EXPECT_EQ(c.heading, "Consolidated Balance Sheets");
    EXPECT_EQ(c.page, 7);
  }
  EXPECT_NE(chunks.back().context.find("Current assets:"), std::string::npos);
}

TEST(Chunk, NoneIsLongerThanTheModelTakes) {
  ParsedDocument d;
  std::string words, han;
  for (int i = 0; i < 4000; ++i) words += "settlement" + std::to_string(i) + " ";
  for (int i = 0; i < 5000; ++i) han += "银";
  d.blocks = {paragraph(words), paragraph(han), table({{han}, {words, han}}, 0)};
  std::size_t total = 0;
  for (const auto& c : chunk(d)) {
    EXPECT_LE(estimated_tokens(c.text), 420) << c.text.substr(0, 60);
    EXPECT_LE(estimated_tokens(embedding_text("标题", c.heading, c.context, c.text)), 470);
    total += c.text.size();
  }
  EXPECT_GE(total, words.size() + han.size()) << "nothing is lost";
}

TEST(Chunk, AHeadingOverNothingIsFoundToo) {
  ParsedDocument d;
  d.blocks = {heading("Our strategy for 2030", 1, 1)};
  const auto chunks = chunk(d);
  ASSERT_EQ(chunks.size(), 1U);
  EXPECT_EQ(chunks[0].text, "Our strategy for 2030");
}

TEST(Fingerprint, TellsNearDuplicatesFromOtherTexts) {
  const std::string text = "The customer shall notify the bank of the loss of the card without delay by telephone or at a branch, and the bank blocks the card "
                           "at once. Until the notice the customer bears the loss up to fifty euro, after it the bank bears all.";
  std::string spaced = text;
  std::replace(spaced.begin(), spaced.end(), ' ', '\n');
  EXPECT_TRUE(near_duplicates(simhash(text), simhash(spaced + " !")));
  EXPECT_FALSE(near_duplicates(simhash(text), simhash("Deposits of up to one hundred thousand euro are protected by the deposit guarantee scheme of the country.")));
  EXPECT_FALSE(near_duplicates(simhash(text), simhash(text + " 2015"))) << "a figure makes a difference";
  EXPECT_FALSE(near_duplicates(simhash("第一条 为了规范证券发行"), simhash("第二条 在中华人民共和国境内")));
}

}  // namespace
}  // namespace heng::knowledge
