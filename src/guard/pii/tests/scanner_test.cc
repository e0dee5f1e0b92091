#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <set>

#include "heng/guard_pii/scanner.h"
#include "made_up.h"

namespace heng::guard_pii {
namespace {

using made_up::Random;

const Scanner& scanner() {
  static const auto all = [] {
    auto made = Scanner::create();
    EXPECT_TRUE(made.ok()) << made.error().message;
    return std::move(*made);
  }();
  return *all;
}

/// "type:text" of each match.
std::vector<std::string> found(const std::string& text) {
  auto matches = scanner().scan(text);
  EXPECT_TRUE(matches.ok());
  std::vector<std::string> out;
  for (const auto& m : *matches) out.push_back(std::string(type_name(m.type)) + ":" + text.substr(m.begin, m.end - m.begin));
  return out;
}
bool finds(const std::string& text, const std::string& what) {
  const auto all = found(text);
  return std::find(all.begin(), all.end(), what) != all.end();
}
bool finds_type(const std::string& text, Type type) {
  auto matches = scanner().scan(text);
  return matches.ok() && std::any_of(matches->begin(), matches->end(), [&](const Match& m) { return m.type == type; });
}

TEST(Scanner, FindsWhatPeopleWrite) {
  EXPECT_TRUE(finds("我的身份证是11010519491231002X，谢谢", "id_card:11010519491231002X"));
  EXPECT_TRUE(finds("please block 4111 1111 1111 1111 now", "bank_card:4111 1111 1111 1111"));
  EXPECT_TRUE(finds("打我手机13800138000", "phone_number:13800138000"));
  EXPECT_TRUE(finds("tel +44 20 7946 0958", "phone_number:+44 20 7946 0958"));
  EXPECT_TRUE(finds("(415) 555-2671 is mine", "phone_number:(415) 555-2671"));
  EXPECT_TRUE(finds("办公室010-62781234转8", "phone_number:010-62781234转8"));
  EXPECT_TRUE(finds("mail to a.b@example.com.", "email_address:a.b@example.com"));
  EXPECT_TRUE(finds("IBAN GB82 WEST 1234 5698 7654 32 please", "iban:GB82 WEST 1234 5698 7654 32"));
  EXPECT_TRUE(finds("LEI 5493001KJTIIGC8Y1R12", "lei:5493001KJTIIGC8Y1R12"));
  EXPECT_TRUE(finds("统一代码91350100M000100Y43", "uscc:91350100M000100Y43"));
  EXPECT_TRUE(finds("ISIN US0378331005", "isin:US0378331005"));
  EXPECT_TRUE(finds("CUSIP 037833100", "cusip:037833100"));
  EXPECT_TRUE(finds("routing number 021000021", "aba_routing:021000021"));
  EXPECT_TRUE(finds("her SSN is 219-09-9999", "us_ssn:219-09-9999"));
  EXPECT_TRUE(finds("护照E12345678", "passport:E12345678"));
  EXPECT_TRUE(finds("HKID A123456(3)", "hk_id:A123456(3)"));
  EXPECT_TRUE(finds("车子是京A·12345", "plate_number:京A·12345"));
  EXPECT_TRUE(finds("新能源沪AD12345", "plate_number:沪AD12345"));
  EXPECT_TRUE(finds("http://10.1.2.3/x from 10.20.30.40", "ip_address:10.20.30.40"));
  EXPECT_TRUE(finds("CVV是123", "card_security_code:123"));
  EXPECT_TRUE(finds("valid thru 09/27", "card_expiry:09/27"));
  EXPECT_TRUE(finds("验证码：482913，请勿泄露", "one_time_code:482913"));
  EXPECT_TRUE(finds("登录密码是Abc#2024x", "password:Abc#2024x"));
  EXPECT_TRUE(finds("my pin is 4821", "password:4821"));
  EXPECT_TRUE(finds("生于1985年7月2日的客户", "date_of_birth:1985年7月2日"));
  EXPECT_TRUE(finds("born on March 3, 1971 in a village", "date_of_birth:March 3, 1971"));
  EXPECT_TRUE(finds("地址：北京市海淀区中关村大街27号院3号楼502室", "address:北京市海淀区中关村大街27号院3号楼502室"));
  EXPECT_TRUE(finds_type("key AKIAIOSFODNN7EXAMPLE here", Type::api_key));
  EXPECT_TRUE(finds_type("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U", Type::jwt));
  EXPECT_TRUE(finds_type("-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----", Type::private_key));
}

TEST(Scanner, LeavesWhatIsNobodys) {
  for (const char* text : {"600519今天涨停", "订单号202411240001234567", "营业收入1,234,567,890.12元", "2024-11-24 10:30:00", "基金代码000001", "总共20000000元", "3.14159265358979",
                           "tracking number 9400111899223100001234", "version 1.2.3.4", "ISBN 978-7-111-12345-6", "2019 2020 2021 2022 2023", "第十二届三次会议", "一九四九年十月一日",
                           "占比12.345678901234%", "The total was 1234567890 dollars", "11010519491231002", "4111111111111112", "运单号6217001234567890123"}) {
    auto matches = scanner().scan(text);
    ASSERT_TRUE(matches.ok());
    for (const auto& m : *matches)
      EXPECT_TRUE(m.type == Type::date_time || m.type == Type::location || m.type == Type::organization) << text << " → " << type_name(m.type) << " " << m.rule;
  }
}

/// Sentences with a gap for an identifier. Nothing here names a type of the rules' lists on purpose; some have a label, some none.
const std::vector<std::string> carriers = {"帮我核对一下 @ 这个", "客户留的是@，麻烦处理", "系统里登记：@", "@", "Please check @ for me.", "He gave us @ yesterday", "备注 @ 已核实", "材料见附件（@）", "see @.", "上面写着@。"};
std::string put(const std::string& carrier, const std::string& value) {
  const auto at = carrier.find('@');
  return carrier.substr(0, at) + value + carrier.substr(at + 1);
}

struct Rates {
  int found = 0, all = 0;
  double recall() const { return double(found) / all; }
};
template <class Make>
Rates rate(Make make, Type type, bool hide, int rounds, unsigned seed) {
  Random random(seed);
  Rates out;
  for (int i = 0; i < rounds; ++i) {
    const std::string value = make(random);
    const std::string text = put(made_up::one_of(random, carriers), hide ? made_up::hidden(random, value) : value);
    const bool ok = finds_type(text, type);
    out.found += ok;
    ++out.all;
    if (!ok && out.all - out.found < 4) std::printf("missed %s: %s\n", std::string(type_name(type)).c_str(), text.c_str());
  }
  return out;
}

TEST(Scanner, RecallOfCheckedIdentifiers) {
  struct Kind {
    Type type;
    std::string (*make)(Random&);
    bool hidden;
  };
  int clean_found = 0, clean_all = 0, hidden_found = 0, hidden_all = 0;
  for (const Kind& kind : {Kind{Type::id_card, made_up::id_card, true}, {Type::bank_card, made_up::bank_card, true}, {Type::iban, made_up::iban, true}, {Type::uscc, made_up::uscc, true},
                           {Type::lei, made_up::lei, false}}) {
    const auto clean = rate(kind.make, kind.type, false, 600, 11);
    std::printf("%-10s clean %.4f (%d)\n", std::string(type_name(kind.type)).c_str(), clean.recall(), clean.all);
    clean_found += clean.found, clean_all += clean.all;
    EXPECT_GE(clean.recall(), 0.98);
    if (!kind.hidden) continue;
    const auto masked = rate(kind.make, kind.type, true, 600, 12);
    std::printf("%-10s obfuscated %.4f (%d)\n", std::string(type_name(kind.type)).c_str(), masked.recall(), masked.all);
    hidden_found += masked.found, hidden_all += masked.all;
  }
  std::printf("all clean %.4f of %d, obfuscated %.4f of %d\n", double(clean_found) / clean_all, clean_all, double(hidden_found) / hidden_all, hidden_all);
  EXPECT_GE(double(clean_found) / clean_all, 0.995);
  EXPECT_GE(double(hidden_found) / hidden_all, 0.97);
}

TEST(Scanner, PrecisionOfCheckedIdentifiers) {
  // as many numbers that look like identifiers and are none: a wrong check digit, an order, an amount, an account statement
  Random random(21);
  const std::vector<std::string> looks = {"订单 @ 已发货", "交易流水@", "order @ shipped", "发票号@", "净值 0.@", "@ shares", "合计@元", "ref @", "条码@", "@", "see @ there"};
  int wrong = 0, right = 0;
  for (int i = 0; i < 3000; ++i) {
    const int kind = made_up::roll(random, 3);
    std::string value = kind == 0 ? made_up::id_card(random) : kind == 1 ? made_up::bank_card(random) : made_up::iban(random);
    right += finds_type("x " + value + " y", kind == 0 ? Type::id_card : kind == 1 ? Type::bank_card : Type::iban);
    std::string decoy = value;
    const auto at = decoy.size() - 2;
    decoy[at] = static_cast<char>('0' + (decoy[at] - '0' + 1 + made_up::roll(random, 8)) % 10);
    if (decoy == value) continue;
    const std::string text = put(made_up::one_of(random, looks), made_up::roll(random, 2) ? decoy : made_up::digits(random, 12 + made_up::roll(random, 9)));
    auto matches = scanner().scan(text);
    ASSERT_TRUE(matches.ok());
    for (const auto& m : *matches)
      if (m.type == Type::id_card || m.type == Type::bank_card || m.type == Type::iban) {
        if (++wrong < 8) std::printf("wrong: %s → %s\n", text.c_str(), std::string(type_name(m.type)).c_str());
      }
  }
  std::printf("precision of checked identifiers %.4f (%d right, %d wrong)\n", double(right) / (right + wrong), right, wrong);
  EXPECT_GE(double(right) / (right + wrong), 0.99);
}

/// Sentences with 【names】 marked: the text and the names' bytes.
struct Marked {
  std::string text;
  std::set<std::pair<std::size_t, std::size_t>> names;
};
std::vector<Marked> marked_names() {
  std::vector<Marked> out;
  std::ifstream in(std::string(HENG_ROOM_DIR) + "/tests/golden/names_zh.txt");
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line[0] == '#') continue;
    Marked one;
    std::size_t begin = 0;
    for (std::size_t i = 0; i < line.size();) {
      if (line.compare(i, 3, "【") == 0) begin = one.text.size(), i += 3;
      else if (line.compare(i, 3, "】") == 0) one.names.insert({begin, one.text.size()}), i += 3;
      else one.text += line[i++];
    }
    out.push_back(std::move(one));
  }
  return out;
}

// Sentences and names that training never saw: exact places.
TEST(Scanner, ChineseNames) {
  int right = 0, wrong = 0, missed = 0;
  for (const auto& one : marked_names()) {
    auto matches = scanner().scan(one.text);
    ASSERT_TRUE(matches.ok());
    std::set<std::pair<std::size_t, std::size_t>> got;
    for (const auto& m : *matches)
      if (m.type == Type::person) got.insert({m.begin, m.end});
    for (const auto& name : one.names) (got.contains(name) ? right : missed) += 1;
    for (const auto& name : got) wrong += !one.names.contains(name);
  }
  const double p = right / std::max(1.0, double(right + wrong)), r = right / std::max(1.0, double(right + missed));
  std::printf("Chinese names: precision %.3f recall %.3f F1 %.3f (%d names)\n", p, r, 2 * p * r / std::max(1e-9, p + r), right + missed);
  EXPECT_GE(2 * p * r / std::max(1e-9, p + r), 0.80);
}

TEST(Scanner, LooksThroughThreeEncodings) {
  const std::string id = "11010519491231002X";
  EXPECT_TRUE(finds_type(made_up::base64(made_up::base64("证件 " + id)), Type::id_card));
  EXPECT_TRUE(finds_type(made_up::hex(made_up::base64(id + " ok")), Type::id_card));
  EXPECT_TRUE(finds_type(made_up::percent(made_up::base64(made_up::hex("card 4111111111111111"))), Type::bank_card));
}

TEST(Scanner, RefusesBadInput) {
  const auto bad = scanner().scan("abc\xff");
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().code, ErrorCode::malformed_input);
  EXPECT_NE(bad.error().message.find("byte 3"), std::string::npos);
  auto small = Scanner::create({.names = false, .decode_depth = 0, .longest_bytes = 8});
  ASSERT_TRUE(small.ok());
  EXPECT_EQ((*small)->scan("123456789").error().code, ErrorCode::too_large);
}

TEST(Scanner, StaysLinear) {
  // digits, Han and brackets repeated: no input may take more than its share
  for (const std::string& unit : {std::string("1 "), std::string("12-"), std::string("身份证"), std::string("a1"), std::string("%41"), std::string("一"), std::string("eyJ."), std::string("@a.b")}) {
    std::string text;
    while (text.size() < 300'000) text += unit;
    const auto start = std::chrono::steady_clock::now();
    ASSERT_TRUE(scanner().scan(text).ok());
    EXPECT_LT(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(), 8.0) << unit;
  }
}

}  // namespace
}  // namespace heng::guard_pii
