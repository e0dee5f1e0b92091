#include <gtest/gtest.h>

#include "heng/guard_pii/stream.h"
#include "made_up.h"

namespace heng::guard_pii {
namespace {

const Scanner& scanner() {
  static const auto made = std::move(*Scanner::create({.names = false}));
  return *made;
}
const Masker& masker() {
  static const auto made = *Masker::create(default_policy(), std::string(32, 'k'));
  return made;
}

/// Texts with planted values; each value must never come out, however the text is split.
struct Case {
  std::string text;
  std::vector<std::string> planted;
};
std::vector<Case> cases() {
  made_up::Random random(5);
  std::vector<Case> out;
  const std::string filler_zh = "我行将在三个工作日内处理您的申请，请耐心等待。如有疑问请咨询柜台。", filler_en = "The request will be handled within three days. Please wait for the letter. ";
  for (int i = 0; i < 6; ++i) {
    const std::string id = made_up::id_card(random), card = made_up::bank_card(random), iban = made_up::iban(random);
    Case c;
    for (int k = 0; k < 2 + i * 2; ++k) c.text += k % 2 ? filler_en : filler_zh;
    c.text += i % 2 ? "证件 " + id + "，卡片 " + made_up::joined(card, " ", 4) + " 。" : "The number " + card + " and " + made_up::joined(iban, " ", 4) + ".";
    for (int k = 0; k < 14; ++k) c.text += k % 3 ? filler_zh : filler_en;
    c.text += made_up::full_width(id) + " " + made_up::base64("card " + card) + "\n";
    c.planted = {id, made_up::joined(card, " ", 4), made_up::full_width(id), made_up::base64("card " + card)};
    if (i % 2 == 0) c.planted.push_back(card), c.planted.push_back(made_up::joined(iban, " ", 4));
    c.text += filler_en + filler_en;
    out.push_back(std::move(c));
  }
  out.push_back({"key:\n-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----\nend", {"MIIEvQIBADANBgkqhkiG9w0BAQEFAASC"}});
  return out;
}

std::string through(const std::vector<std::string_view>& pieces) {
  StreamMasker stream(scanner(), masker(), Channel::record);
  std::string out;
  for (const auto piece : pieces) {
    auto some = stream.feed(piece);
    EXPECT_TRUE(some.ok()) << some.error().message;
    out += *some;
  }
  auto rest = stream.finish();
  EXPECT_TRUE(rest.ok()) << rest.error().message;
  return out + *rest;
}

int leaks(const Case& c, const std::string& out) {
  int n = 0;
  for (const auto& value : c.planted) n += out.find(value) != std::string::npos;
  return n;
}

TEST(Stream, NoLeakAtAnySplit) {
  int splits = 0, leaked = 0, differing = 0;
  for (const auto& c : cases()) {
    const auto whole = masker().apply(c.text, *scanner().scan(c.text), Channel::record).masked;
    ASSERT_EQ(leaks(c, whole), 0);
    for (std::size_t at = 0; at <= c.text.size(); ++at) {
      const std::string_view text(c.text);
      const auto out = through({text.substr(0, at), text.substr(at)});
      ++splits;
      leaked += leaks(c, out);
      differing += out != whole;
    }
  }
  std::printf("streaming: %d splits, %d leaks, %d outputs differ from masking the whole\n", splits, leaked, differing);
  EXPECT_EQ(leaked, 0);
  EXPECT_EQ(differing, 0);
}

TEST(Stream, NoLeakByteByByteAndInSmallPieces) {
  for (const auto& c : cases()) {
    const auto whole = masker().apply(c.text, *scanner().scan(c.text), Channel::record).masked;
    for (const std::size_t size : {1u, 2u, 3u, 7u, 64u}) {
      std::vector<std::string_view> pieces;
      for (std::size_t at = 0; at < c.text.size(); at += size) pieces.push_back(std::string_view(c.text).substr(at, size));
      const auto out = through(pieces);
      EXPECT_EQ(leaks(c, out), 0);
      EXPECT_EQ(out, whole);
    }
  }
}

TEST(Stream, GivesOutBeforeTheEnd) {
  StreamMasker stream(scanner(), masker(), Channel::record);
  std::string out, text;
  for (int i = 0; i < 100; ++i) text += "A sentence without anything in it. ";
  for (std::size_t at = 0; at < text.size(); at += 16) out += *stream.feed(std::string_view(text).substr(at, 16));
  EXPECT_GT(out.size(), text.size() / 2);
}

TEST(Stream, RefusalStopsForGood) {
  StreamMasker stream(scanner(), masker(), Channel::answer);
  ASSERT_TRUE(stream.feed("the key is AKIAIOSFODNN7EXAMPLE and so on").ok());
  const auto end = stream.finish();
  ASSERT_FALSE(end.ok());
  EXPECT_EQ(end.error().code, ErrorCode::policy_denied);
  EXPECT_FALSE(stream.feed("more").ok());
}

}  // namespace
}  // namespace heng::guard_pii
