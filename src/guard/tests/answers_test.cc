#include <gtest/gtest.h>

#include "heng/guard/verifier.h"

namespace heng::guard {
namespace {

Passage passage(std::string text, std::string title = "", std::string context = "", std::string heading = "") {
  Passage out;
  out.text = std::move(text);
  out.document_title = std::move(title);
  out.context = std::move(context);
  out.heading = std::move(heading);
  return out;
}

const Passage income = passage("| | 2015 | 2014 |\n|---|---|---|\n| Net revenue | 3,991 | 5,506 |\n| Cost of sales | 2,911 | 3,667 |", "AMD_2015_10K", "In millions",
                               "Consolidated Statements of Operations");

VerifiedSentence verify(VerifyInput input, VerifierSettings settings = {}) { return (*Verifier::create(std::move(settings)))->verify(input); }

Figure computed(std::string value, std::string formula, std::string unit = "") {
  Figure out;
  out.value = std::move(value);
  out.formula = std::move(formula);
  out.unit = std::move(unit);
  return out;
}

TEST(Computed, GrowthOfCitedFiguresIsReleased) {
  const auto result = verify({"How did revenue change?", "Net revenue decreased by 27.5% from 2014 to 2015 [1].", {income}, {computed("-0.275154377043", "(3991 - 5506) / 5506")}});
  EXPECT_EQ(result.status, SentenceStatus::computed) << result.reason;
  ASSERT_EQ(result.figures.size(), 3u);
  EXPECT_EQ(result.figures[0].status, FigureStatus::computed);
  EXPECT_EQ(result.figures[0].formula, "(3991 - 5506) / 5506");
  EXPECT_EQ(result.figures[1].status, FigureStatus::cited);
}

TEST(Computed, WrongDirectionRoundingOrOperandsAreWithheld) {
  const auto made = computed("-0.275154377043", "(3991 - 5506) / 5506");
  EXPECT_EQ(verify({"q", "Net revenue increased by 27.5% from 2014 to 2015 [1].", {income}, {made}}).status, SentenceStatus::withheld);
  EXPECT_EQ(verify({"q", "Net revenue decreased by 27.6% from 2014 to 2015 [1].", {income}, {made}}).status, SentenceStatus::withheld);
  EXPECT_EQ(verify({"q", "Net revenue decreased by 27.5% from 2014 to 2015 [1].", {income}, {}}).status, SentenceStatus::withheld);
  EXPECT_EQ(verify({"q", "Net revenue decreased by 40.2% from 2014 to 2015 [1].", {income}, {computed("-0.402", "(3991 - 6674) / 6674")}}).status, SentenceStatus::withheld)
      << "6674 is in no passage";
}

TEST(Computed, DifferenceCarriesTheTablesScale) {
  const auto made = computed("-1515", "3991 - 5506");
  EXPECT_EQ(verify({"q", "Net revenue decreased by $1,515 million from 2014 to 2015 [1].", {income}, {made}}).status, SentenceStatus::computed);
  EXPECT_EQ(verify({"q", "Net revenue decreased by $1,515 billion from 2014 to 2015 [1].", {income}, {made}}).status, SentenceStatus::withheld);
}

TEST(Question, ItsFiguresAreNoEvidence) {
  const auto fee = passage("转账手续费为每笔5元，单笔限额20万元。", "收费标准");
  EXPECT_EQ(verify({"转账10万元的手续费是500元吗？", "转账手续费为每笔500元[1]。", {fee}, {}}).status, SentenceStatus::withheld);
  const auto result = verify({"转账10万元收多少手续费？", "转账10万元的手续费为每笔5元[1]。", {fee}, {}});
  EXPECT_EQ(result.status, SentenceStatus::supported) << result.reason;
  EXPECT_EQ(result.figures[0].status, FigureStatus::question);
  EXPECT_EQ(result.figures[0].citation, 0);
  EXPECT_EQ(result.figures[1].status, FigureStatus::cited);
}

TEST(Citations, AreAddedAndCorrected) {
  const auto other = passage("The monthly account fee is $12.", "Tariff");
  const auto added = verify({"q", "Net revenue in 2015 was $3,991 million.", {other, income}, {}});
  EXPECT_EQ(added.text, "Net revenue in 2015 was $3,991 million. [2]");
  const auto corrected = verify({"q", "Net revenue in 2015 was $3,991 million [1].", {other, income}, {}});
  EXPECT_EQ(corrected.citations, std::vector<int>{2});
  const auto outside = verify({"q", "Net revenue in 2015 was $3,991 million [9].", {other, income}, {}});
  EXPECT_EQ(outside.citations, std::vector<int>{2});
}

TEST(Language, OtherThanThePassagesNeedsAScorer) {
  const auto fees = passage("Outgoing transfers cost 0.1% of the amount, at least $20.", "Tariff");
  const VerifyInput good{"汇出汇款怎么收费？", "办理这类业务按照数额的0.1%计收，最少20美元[1]。", {fees}, {}};
  EXPECT_EQ(verify(good).status, SentenceStatus::withheld);
  VerifierSettings settings;
  settings.scorers.similarity = [](const std::string&, const std::vector<std::string>& texts) -> Result<std::vector<double>> { return std::vector<double>(texts.size(), 0.9); };
  EXPECT_EQ(verify(good, settings).status, SentenceStatus::supported) << verify(good, settings).reason;
  VerifyInput wrong = good;
  wrong.sentence = "办理这类业务按照数额的0.2%计收，最少20美元[1]。";
  EXPECT_EQ(verify(wrong, settings).status, SentenceStatus::withheld) << "the figures hold in any language";
  settings.scorers.similarity = [](const std::string&, const std::vector<std::string>&) -> Result<std::vector<double>> { return Error(ErrorCode::unavailable, "down"); };
  EXPECT_EQ(verify(good, settings).status, SentenceStatus::withheld) << "a scorer that fails supports nothing";
}

TEST(Hostile, InputGetsAVerdict) {
  const auto text = passage("Revenue was $5 million.", "Report");
  EXPECT_EQ(verify({"q", "\xff\xfe", {text}, {}}).status, SentenceStatus::withheld);
  EXPECT_EQ(verify({"q", "", {text}, {}}).status, SentenceStatus::withheld);
  EXPECT_EQ(verify({"q", "[1]", {text}, {}}).status, SentenceStatus::withheld);
  EXPECT_EQ(verify({"q", "Revenue was $5 million.", {}, {}}).status, SentenceStatus::withheld);
  EXPECT_EQ(verify({"q", std::string(100'000, 'a'), {text}, {}}).status, SentenceStatus::withheld);
  EXPECT_EQ(verify({"q", "Revenue was $5 million [1].", {passage(std::string("\xff bad"))}, {}}).status, SentenceStatus::withheld);
}

TEST(Reasons, AreInTheSentencesLanguage) {
  EXPECT_NE(verify({"q", "Net revenue in 2014 was $3,991 million [1].", {income}, {}}).reason.find("another period"), std::string::npos);
  EXPECT_NE(verify({"q", "2014年营业收入为3,991百万美元[1]。", {income}, {}}).reason.find("期间"), std::string::npos);
}

TEST(Extract, QuotesTheAnswerWithItsCitation) {
  const auto verifier = std::move(*Verifier::create());
  const auto fees = passage("本行提供多种卡。金卡年费为每年300元，首年免收。挂失手续费为每卡50元。", "收费");
  const auto quotes = verifier->extract("挂失要收多少手续费？", {fees, income}, 2);
  ASSERT_FALSE(quotes.empty());
  EXPECT_EQ(quotes[0].text, "挂失手续费为每卡50元。[1]");
  EXPECT_EQ(quotes[0].status, SentenceStatus::extracted);
  ASSERT_EQ(quotes[0].figures.size(), 1u);
  EXPECT_EQ(quotes[0].figures[0].value, "50");
  const auto rows = verifier->extract("What was AMD's net revenue in 2014?", {income}, 1);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].text, "Net revenue: 5,506 (2014) (In millions) [1]");
  EXPECT_EQ(rows[0].figures[0].value, "5506000000");
  EXPECT_TRUE(verifier->extract("谁发明了电话？", {fees}, 2).empty());
  EXPECT_TRUE(verifier->extract("年费", {fees}, 0).empty());
}

TEST(Evidence, SaysWhatIsMissing) {
  const auto verifier = std::move(*Verifier::create());
  const auto fees = passage("金卡年费为每年300元，首年免收。", "信用卡收费");
  const auto known = verifier->evidence("金卡年费是多少？", {fees});
  EXPECT_GT(known.strength, 0.6);
  EXPECT_TRUE(known.missing.empty());
  const auto unknown = verifier->evidence("招商银行白金卡年费是多少？", {fees});
  EXPECT_LT(unknown.strength, 0.5);
  EXPECT_FALSE(unknown.missing.empty());
  const auto year = verifier->evidence("What was AMD's net revenue in 2019?", {income});
  EXPECT_LT(year.strength, 0.55);
  EXPECT_EQ(year.missing, std::vector<std::string>{"2019"});
  EXPECT_LT(verifier->evidence("What was Intel's net revenue in 2015?", {income}).strength, 0.5);
  EXPECT_EQ(verifier->evidence("anything", {}).strength, 0);
}

TEST(Settings, OutsideTheirRangeAreRefused) { EXPECT_FALSE(Verifier::create({.support_least = 1.5}).ok()); }

}  // namespace
}  // namespace heng::guard
