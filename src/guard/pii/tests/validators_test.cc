#include <gtest/gtest.h>

#include "heng/guard_pii/masker.h"
#include "heng/guard_pii/validators.h"

namespace heng::guard_pii {
namespace {

// Published examples: standards, registries, card schemes' test numbers.
TEST(Validators, AcceptPublishedExamples) {
  EXPECT_TRUE(id_card_18("11010519491231002X"));   // GB 11643
  EXPECT_TRUE(id_card_18("440524188001010014") == false);  // same standard, born 1880: outside the range taken
  EXPECT_TRUE(uscc("91350100M000100Y43"));          // GB 32100
  EXPECT_TRUE(luhn("4111111111111111"));
  EXPECT_TRUE(luhn("79927398713"));                 // ISO/IEC 7812-1
  EXPECT_TRUE(iban("DE89370400440532013000"));
  EXPECT_TRUE(iban("GB82WEST12345698765432"));
  EXPECT_TRUE(lei("5493001KJTIIGC8Y1R12"));
  EXPECT_TRUE(isin("US0378331005"));
  EXPECT_TRUE(isin("GB0002634946"));
  EXPECT_TRUE(cusip("037833100"));
  EXPECT_TRUE(aba_routing("021000021"));
  EXPECT_TRUE(hk_id("A1234563"));
  EXPECT_TRUE(tw_id("A123456789"));
  EXPECT_TRUE(us_ssn("219099999"));
}

TEST(Validators, RefuseOneWrongDigit) {
  EXPECT_FALSE(id_card_18("110105194912310021"));
  EXPECT_FALSE(id_card_18("11010519491331002X"));   // month 13
  EXPECT_FALSE(id_card_18("99010519491231002X"));   // no region
  EXPECT_FALSE(uscc("91350100M000100Y44"));
  EXPECT_FALSE(luhn("4111111111111112"));
  EXPECT_FALSE(iban("DE89370400440532013001"));
  EXPECT_FALSE(iban("DE8937040044053201300"));
  EXPECT_FALSE(lei("5493001KJTIIGC8Y1R13"));
  EXPECT_FALSE(isin("US0378331006"));
  EXPECT_FALSE(cusip("037833101"));
  EXPECT_FALSE(aba_routing("021000022"));
  EXPECT_FALSE(hk_id("A1234564"));
  EXPECT_FALSE(tw_id("A123456788"));
  EXPECT_FALSE(us_ssn("666121234"));
  EXPECT_FALSE(us_ssn("900121234"));
}

TEST(Validators, KnowTheCalendarAndTheSchemes) {
  EXPECT_TRUE(is_date(2024, 2, 29));
  EXPECT_FALSE(is_date(2023, 2, 29));
  EXPECT_FALSE(is_date(2100, 1, 1));
  EXPECT_EQ(card_brand("6222021234567890123"), "unionpay");
  EXPECT_EQ(card_brand("378282246310005"), "amex");
  EXPECT_EQ(card_brand("5555555555554444"), "mastercard");
  EXPECT_EQ(card_brand("9999999999999999"), "");
}

// NIST SP 800-38G, FF1 samples 1 and 2.
TEST(FormatPreserving, MatchesTheStandardsSamples) {
  const std::string key("\x2B\x7E\x15\x16\x28\xAE\xD2\xA6\xAB\xF7\x15\x88\x09\xCF\x4F\x3C", 16);
  EXPECT_EQ(*ff1_encrypt(key, "", "0123456789"), "2433477484");
  EXPECT_EQ(*ff1_encrypt(key, "9876543210", "0123456789"), "6124200773");
  EXPECT_EQ(*ff1_decrypt(key, "9876543210", "6124200773"), "0123456789");
  EXPECT_FALSE(ff1_encrypt(key, "", "12a4").ok());
  EXPECT_FALSE(ff1_encrypt("short", "", "1234").ok());
}

}  // namespace
}  // namespace heng::guard_pii
