#include "heng/streams/setup.h"

#include "../src/webhook.h"
#include "fixture.h"

namespace heng::streams {
namespace {

std::string refusal(const std::string& toml) {
  auto parsed = parse_setup(toml, "streams.toml");
  return parsed.ok() ? "accepted" : parsed.error().message;
}

constexpr const char* good = R"(
[[rule]]
id = "three"
name = { zh = "三条", en = "Three" }
key = "company"
count = 3
window = "1h"
when = { label = { is = ["negative"], confidence = 0.7 } }
)";

TEST(Setup, ReadsTheExample) {
  const auto commented = setup_template();
  EXPECT_TRUE(parse_setup(commented, "x").ok());
  std::string live;   // the same with its comments taken off
  for (std::size_t begin = 0; begin < commented.size();) {
    const auto end = commented.find('\n', begin);
    std::string line = commented.substr(begin, end - begin);
    if (line.starts_with("# ") && begin > 0) line.erase(0, 2);
    live += line + "\n";
    begin = end + 1;
  }
  const auto parsed = parse_setup(live, "x");
  ASSERT_TRUE(parsed.ok()) << parsed.error().message;
  EXPECT_EQ(parsed->rules.size(), 2u);
  EXPECT_EQ(parsed->rules[0].cooldown_ms, 6 * 3'600'000);
  EXPECT_EQ(parsed->deliveries.size(), 2u);
  EXPECT_EQ(parsed->utc_offset_minutes, 480);
}

TEST(Setup, NamesLineAndReason) {
  EXPECT_EQ(refusal(good), "accepted");
  EXPECT_NE(refusal("[[rule]]\nid = \"a\"\ncount = 0\nwhen = { watched = true }\n").find("streams.toml, line 3: [[rule]] \"a\" count must be a whole number from 1"), std::string::npos);
  EXPECT_NE(refusal("[[rule]]\nid = \"a\"\n").find("no condition"), std::string::npos);
  EXPECT_NE(refusal("[[rule]]\nid = \"a\"\nwindow = \"1 hour\"\nwhen = { watched = true }\n").find("line 3"), std::string::npos);
  EXPECT_NE(refusal("[[rule]]\nid = \"a\"\nsevrity = \"high\"\nwhen = { watched = true }\n").find("no setting \"sevrity\""), std::string::npos);
  EXPECT_NE(refusal("[[rule]]\nid = \"a\"\nseverity = \"huge\"\nwhen = { watched = true }\n").find("info, low"), std::string::npos);
  EXPECT_NE(refusal("[[rule]]\nid = \"a\"\nwhen = { label = { confidence = 2.0, is = [\"x\"] } }\n").find("from 0 to 1"), std::string::npos);
  EXPECT_NE(refusal("[[rule]]\nid = \"a\"\ndeliver = [\"nobody\"]\nwhen = { watched = true }\n").find("\"nobody\""), std::string::npos);
  EXPECT_NE(refusal(std::string(good) + good).find("twice"), std::string::npos);
  EXPECT_NE(refusal("[rule]\nid = \"a\"\n").find("two brackets"), std::string::npos);
  EXPECT_NE(refusal("x = \n").find("line 1"), std::string::npos);
  EXPECT_NE(refusal("rules = 1\n").find("no setting \"rules\""), std::string::npos);
  EXPECT_NE(refusal("[[rule]]\nid = \"a b\"\nwhen = { watched = true }\n").find("needs an id"), std::string::npos);
}

TEST(Setup, WebhooksGoOnlyWhereTheyMay) {
  const auto with = [](const std::string& url, const std::string& allow) {
    return refusal("[webhooks]\nallow = [\"" + allow + "\"]\n[[delivery]]\nname = \"d\"\nkind = \"webhook\"\nsecret_env = \"S\"\nurl = \"" + url + "\"\n");
  };
  EXPECT_EQ(with("https://hooks.bank.example/a", "hooks.bank.example"), "accepted");
  EXPECT_EQ(with("http://127.0.0.1:9000/a", "127.0.0.1:9000"), "accepted");
  EXPECT_NE(with("https://evil.example/a", "hooks.bank.example").find("does not list"), std::string::npos);
  EXPECT_NE(with("http://hooks.bank.example/a", "hooks.bank.example").find("only https"), std::string::npos);
  EXPECT_NE(with("http://127.0.0.1:9001/a", "127.0.0.1:9000").find("does not list"), std::string::npos);
  for (const char* odd : {"ftp://hooks.bank.example/", "https://user@hooks.bank.example/", "https:///a", "https://hooks.bank.example:x/"}) EXPECT_NE(with(odd, "hooks.bank.example"), "accepted") << odd;
}

TEST(Setup, SignaturesAreHmacSha256) {
  // RFC 4231, test case 2, with the time in front: HMAC-SHA256("Jefe", "0.what do ya want for nothing?")
  EXPECT_EQ(sign("Jefe", 0, "what do ya want for nothing?").size(), std::string("t=0,v1=").size() + 64);
  EXPECT_NE(sign("a", 1, "x"), sign("b", 1, "x"));
  EXPECT_NE(sign("a", 1, "x"), sign("a", 2, "x"));
}

TEST_F(StreamTest, ABrokenFileKeepsTheOldRules) {
  rules(good);
  ASSERT_EQ(engine->alert_rules(person()).value().rules.size(), 1u);
  std::ofstream(folder / "streams.toml") << "[[rule]]\nid = 3\n";
  std::filesystem::last_write_time(folder / "streams.toml", std::filesystem::file_time_type::clock::now() + std::chrono::seconds(5));
  usleep(250'000);
  const auto now = engine->alert_rules(person()).value();
  EXPECT_EQ(now.rules.size(), 1u);
  EXPECT_NE(now.error.find("line 2"), std::string::npos);
  EXPECT_EQ(engine->alert_rules(person("x", "other")).value().rules.size(), 0u);
}

}  // namespace
}  // namespace heng::streams
