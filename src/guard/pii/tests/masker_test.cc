#include <gtest/gtest.h>

#include "heng/base/text.h"
#include "heng/guard_pii/masker.h"
#include "heng/guard_pii/scanner.h"

namespace heng::guard_pii {
namespace {

const std::string key(32, 'k');

MaskReport report(const std::string& text, const Policy& policy, Channel channel = Channel::record) {
  static const auto scanner = std::move(*Scanner::create({.names = false}));
  auto matches = scanner->scan(text);
  EXPECT_TRUE(matches.ok());
  return Masker::create(policy, key)->apply(text, *matches, channel);
}
std::string changed(std::string_view from, std::string_view to) {
  std::string text(default_policy_text());
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos);
  return text.replace(at, from.size(), to);
}
std::string refusal(const std::string& text) {
  auto policy = read_policy(text, "p.toml");
  return policy.ok() ? "" : policy.error().message;
}

TEST(Masker, MasksByPolicy) {
  EXPECT_EQ(report("卡4111 1111 1111 1111。", default_policy()).masked, "卡4111 11** **** 1111。");
  EXPECT_EQ(report("身份证11010519491231002X", default_policy()).masked, "身份证110***********002X");
  EXPECT_EQ(report("mail jane@example.com", default_policy()).masked, "mail j***@example.com");
  EXPECT_EQ(report("密码是Abc#2024x", default_policy()).masked, "密码是*********");
  const auto none = report("年费多少？", default_policy());
  EXPECT_EQ(none.action, GuardAction::release);
  EXPECT_EQ(none.masked, "年费多少？");
}

TEST(Masker, PositionsAreCodePointsAndLengthStays) {
  const std::string text = "客户：１３８００１３８０００，😀卡4111111111111111";
  const auto out = report(text, default_policy());
  ASSERT_EQ(out.findings.size(), 2u);
  EXPECT_EQ(out.findings[0].begin, 3u);
  EXPECT_EQ(out.findings[0].end, 14u);
  EXPECT_EQ(out.findings[1].begin, 17u);
  EXPECT_EQ(text::code_points(out.masked), text::code_points(text));
}

TEST(Masker, AnswersKeepBusinessContactsAndNeverSecrets) {
  const std::string text = "热线010-62781234，卡4111111111111111";
  const auto out = report(text, default_policy(), Channel::answer);
  EXPECT_NE(out.masked.find("010-62781234"), std::string::npos);
  EXPECT_EQ(out.masked.find("4111111111111111"), std::string::npos);
  EXPECT_EQ(report("use AKIAIOSFODNN7EXAMPLE", default_policy(), Channel::answer).action, GuardAction::withhold);
}

TEST(Masker, TokensAreOfTheValueAndTheKey) {
  const auto policy = *read_policy(changed("name = \"bank_card\"\nclass = \"C2\"\naction = \"mask\"", "name = \"bank_card\"\nclass = \"C2\"\naction = \"vault\""), "p");
  const auto a = report("卡4111 1111 1111 1111", policy), b = report("卡4111111111111111", policy);
  ASSERT_EQ(a.vault.size(), 1u);
  EXPECT_EQ(a.vault[0].token, b.vault[0].token);
  EXPECT_EQ(b.masked, "卡" + b.vault[0].token);
  EXPECT_NE(Masker::create(policy, std::string(32, 'x'))->token(Type::bank_card, "4111111111111111"), a.vault[0].token);
}

TEST(Masker, FormatPreservingGivesOtherDigits) {
  const auto policy = *read_policy(changed("name = \"bank_card\"\nclass = \"C2\"\naction = \"mask\"\nmask = \"partial\"\nkeep_first = 6\nkeep_last = 4", "name = \"bank_card\"\nclass = \"C2\"\naction = \"mask\"\nmask = \"format\""), "p");
  const auto out = report("卡4111 1111 1111 1111", policy).masked;
  EXPECT_EQ(text::code_points(out), 20u);
  EXPECT_EQ(out.find("4111 1111 1111 1111"), std::string::npos);
  EXPECT_EQ(out, report("卡4111 1111 1111 1111", policy).masked);
}

TEST(Policy, RefusesWhatMakesNoSense) {
  EXPECT_NE(refusal(changed("name = \"iban\"", "name = \"ibann\"")).find("no type \"ibann\""), std::string::npos);
  EXPECT_NE(refusal(changed("name = \"iban\"", "name = \"bank_card\"")).find("twice"), std::string::npos);
  EXPECT_NE(refusal(changed("keep_first = 6\nkeep_last = 4", "keep_first = 6\nkeep_last = 9")).find("hide nothing"), std::string::npos);
  EXPECT_NE(refusal(changed("name = \"password\"\nclass = \"C3\"\naction = \"mask\"", "name = \"password\"\nclass = \"C3\"\naction = \"allow\"")).find("contradicts"), std::string::npos);
  EXPECT_NE(refusal(changed("kind = \"personal_data\"", "kind = \"marketing\"")).find("wanted \"personal_data\""), std::string::npos);
  std::string all(default_policy_text());
  for (std::size_t at = 0; (at = all.find("action = \"", at)) != std::string::npos; ++at) {
    const auto end = all.find('"', at + 10);
    all.replace(at, end - at + 1, "action = \"refuse\"");
  }
  EXPECT_NE(refusal(all).find("block everything"), std::string::npos);
  // one channel is enough to block everything
  std::string answers;
  for (const auto line : text::split(default_policy_text(), '\n'))
    if (!line.starts_with("answer")) answers += std::string(line) + "\n" + (line.starts_with("action") ? "answer = \"refuse\"\n" : "");
  EXPECT_NE(refusal(answers).find("every type is refused in answers"), std::string::npos) << refusal(answers);
  EXPECT_NE(refusal("nonsense").find("line 1"), std::string::npos);
}

TEST(Policy, ForgottenTypesAreRefused) {
  const std::string head = "kind = \"personal_data\"\nid = \"x\"\nversion = \"1\"\nowner = \"o\"\nclause = \"c\"\neffective_from = 2026-01-01\n";
  const auto policy = read_policy(head + "[[type]]\nname = \"url\"\nclass = \"C1\"\naction = \"allow\"\n", "p");
  ASSERT_TRUE(policy.ok()) << policy.error().message;
  EXPECT_EQ(policy->action(Type::bank_card, Channel::record), Action::refuse);
}

}  // namespace
}  // namespace heng::guard_pii
