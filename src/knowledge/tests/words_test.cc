#include "heng/knowledge/words.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace heng::knowledge {
namespace {

bool has(const std::vector<Word>& words, std::string_view token) {
  return std::any_of(words.begin(), words.end(), [&](const auto& w) { return w.text == token; });
}
bool has(const std::vector<QueryTerm>& terms, std::string_view token) {
  return std::any_of(terms.begin(), terms.end(), [&](const auto& t) { return t.text == token; });
}

/// Every token of the query is a token of the text: what a reader types is found.
bool finds(std::string_view text, std::string_view query) {
  WordSplitter splitter;
  const auto indexed = splitter.words(text, WordsFor::index);
  const auto sought = splitter.words(query, WordsFor::query);
  return !sought.empty() && std::all_of(sought.begin(), sought.end(), [&](const auto& w) { return has(indexed, w.text); });
}

TEST(Words, FindsChineseWordsOfOneTwoAndMoreCharacters) {
  const char* text = "人民银行下调了存款准备金率，税负减轻。";
  for (const char* query : {"税", "银行", "存款", "准备金率", "人民银行", "下调"}) EXPECT_TRUE(finds(text, query)) << query;
  EXPECT_FALSE(finds(text, "利率"));
}

TEST(Words, FoldsWidthTraditionalCharactersCaseAndAccents) {
  EXPECT_TRUE(finds("資產負債表", "资产负债表"));
  EXPECT_TRUE(finds("资产负债表", "資產負債表"));
  EXPECT_TRUE(finds("ＡＢＣ１２３公司", "abc123"));
  EXPECT_TRUE(finds("Société Générale", "societe generale"));
  EXPECT_TRUE(finds("ﬁnancial statements", "Financial"));
}

TEST(Words, FindsCodesAndNumbersHoweverWritten) {
  EXPECT_TRUE(finds("贵州茅台（600519.SH）", "600519"));
  EXPECT_TRUE(finds("SH600519", "600519"));
  EXPECT_TRUE(finds("revenue of $1,234,567.50", "1234567.5"));
  EXPECT_TRUE(finds("revenue of 1234567.5", "1,234,567.50"));
  EXPECT_TRUE(finds("under Rule 18.8.2 of", "18.8.2"));
  EXPECT_TRUE(finds("FY2015 results", "2015"));
  EXPECT_TRUE(finds("Form 10-K", "10K"));
  WordSplitter splitter;
  EXPECT_TRUE(has(splitter.words("10-K", WordsFor::query), "10k"));
  EXPECT_FALSE(finds("1,2345 items", "12345"));
}

TEST(Words, StemsEnglish) {
  EXPECT_TRUE(finds("The companies were acquiring subsidiaries", "company acquired subsidiary"));
  EXPECT_TRUE(finds("the bank's customers", "bank customer"));
  EXPECT_TRUE(finds("U.S. GAAP", "us gaap"));
}

TEST(Words, ReadsArticleNumbersInBothNotations) {
  WordSplitter splitter;
  EXPECT_TRUE(has(splitter.words("第一百二十条 金融机构应当", WordsFor::index), "第120条"));
  EXPECT_TRUE(has(splitter.words("第120条", WordsFor::query), "第120条"));
  EXPECT_TRUE(has(splitter.words("第 12 条", WordsFor::index), "第12条"));
  EXPECT_TRUE(has(splitter.words("第十二条", WordsFor::query), "第12条"));
}

TEST(Words, OffsetsPointIntoTheSource) {
  WordSplitter splitter;
  const std::string text = "abc，存款 1,000";
  for (const auto& word : splitter.words(text, WordsFor::index)) {
    ASSERT_LE(word.begin, word.end);
    ASSERT_LE(word.end, text.size());
    const auto source = text.substr(word.begin, word.end - word.begin);
    if (word.text == "1000" || word.text == "存款") {
      EXPECT_EQ(source, word.text == "1000" ? "1,000" : word.text);
    }
  }
}

TEST(Words, SurvivesBrokenBytesAndLongRuns) {
  WordSplitter splitter;
  EXPECT_NO_THROW(splitter.words("\xff\xfe\xc3 abc \xe4\xb8", WordsFor::index));
  const std::string endless(100'000, 'x');
  const auto words = splitter.words(endless, WordsFor::index);
  ASSERT_EQ(words.size(), 1U);
  EXPECT_LE(words[0].text.size(), 64U);
}

TEST(QueryTerms, LeavesOutStopWordsUnlessNothingElseIsThere) {
  WordSplitter splitter;
  const auto terms = query_terms(splitter, "What is the interest rate?");
  EXPECT_FALSE(has(terms, "the"));
  EXPECT_TRUE(has(terms, "interest"));
  EXPECT_FALSE(query_terms(splitter, "what is the").empty());
}

TEST(QueryTerms, AddsWhatStatementsCallIt) {
  WordSplitter splitter;
  const auto terms = query_terms(splitter, "What is the D&A margin?");
  ASSERT_TRUE(has(terms, "depreci"));
  const auto weight = std::find_if(terms.begin(), terms.end(), [](const auto& t) { return t.text == "depreci"; })->weight;
  const auto own = std::find_if(terms.begin(), terms.end(), [](const auto& t) { return t.text == "margin"; })->weight;
  EXPECT_LT(weight, own);
  EXPECT_FALSE(has(query_terms(splitter, "variance"), "risk")) << "a phrase counts as whole words only";
}

TEST(QueryTerms, IsBounded) {
  WordSplitter splitter;
  std::string long_question;
  for (int i = 0; i < 5000; ++i) long_question += "w" + std::to_string(i) + " ";
  EXPECT_LE(query_terms(splitter, long_question, 64).size(), 64U);
}

TEST(EssentialQuestion, DropsInstructionsOnly) {
  EXPECT_EQ(essential_question("Answer the following as an analyst. What is the FY2015 revenue of AMD?"), "What is the FY2015 revenue of AMD?");
  EXPECT_EQ(essential_question("I lost my card. What do I do?"), "I lost my card. What do I do?");
  EXPECT_EQ(essential_question("利率是多少"), "利率是多少");
}

}  // namespace
}  // namespace heng::knowledge
