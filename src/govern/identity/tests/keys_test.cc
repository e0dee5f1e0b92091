#include "heng/identity/keys.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <thread>

namespace heng::identity {
namespace {

class TestClock : public Clock {
 public:
  std::atomic<std::int64_t> ms{1'760'000'000'000};
  std::int64_t unix_ms() const override { return ms; }
  SteadyTime steady() const override { return SteadyTime(std::chrono::milliseconds(ms)); }
};

class KeysTest : public ::testing::Test {
 protected:
  KeysTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "heng-identity-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    settings_.database = folder_ / "identity.db";
    settings_.database_key = store::SecretKey::random();
  }
  ~KeysTest() override { std::filesystem::remove_all(folder_); }
  std::unique_ptr<Keys> open() {
    auto keys = Keys::create(settings_, clock_);
    EXPECT_TRUE(keys.ok()) << keys.error().message;
    return std::move(*keys);
  }
  std::pair<KeyInfo, std::string> make(Keys& keys, Quota quota = {}, std::int64_t expires_ms = 0) {
    auto made = keys.create_key({.tenant = TenantId("bank"), .user = UserId("li"), .name = "test", .roles = {"analyst", "行长"}, .quota = quota, .expires_ms = expires_ms});
    EXPECT_TRUE(made.ok());
    return *made;
  }
  std::filesystem::path folder_;
  KeySettings settings_;
  TestClock clock_;
};

TEST_F(KeysTest, KeysAuthenticateAndSurviveARestart) {
  std::string secret;
  {
    auto keys = open();
    auto [info, text] = make(*keys);
    secret = text;
    EXPECT_EQ(text.substr(0, 22), "heng_" + info.id.value + "_");
    for (const auto& bearer : {text, "Bearer " + text}) {
      auto who = keys->authenticate(bearer);
      ASSERT_TRUE(who.ok());
      EXPECT_EQ(who->tenant.value, "bank");
      EXPECT_EQ(who->user.value, "li");
      EXPECT_TRUE(who->has_role("行长"));
    }
  }
  auto keys = open();
  EXPECT_TRUE(keys->authenticate(secret).ok());
  ASSERT_EQ(keys->keys(TenantId("bank"))->size(), 1U);
  EXPECT_EQ((*keys->keys(TenantId("bank")))[0].last_used_ms, clock_.ms);
  EXPECT_TRUE(keys->keys(TenantId("other"))->empty());
}

TEST_F(KeysTest, EveryRefusalSaysTheSame) {
  auto keys = open();
  auto [info, text] = make(*keys);
  auto [gone, revoked] = make(*keys);
  auto [late, expired] = make(*keys, {}, clock_.ms + 1000);
  ASSERT_TRUE(keys->authenticate(expired).ok());
  ASSERT_TRUE(keys->revoke_key(TenantId("bank"), gone.id).ok());
  clock_.ms += 1000;
  std::string wrong = text;
  wrong.back() = wrong.back() == '0' ? '1' : '0';
  std::string unknown = text;
  unknown[6] = unknown[6] == '0' ? '1' : '0';
  std::set<std::string> messages;
  for (const auto& bad : {std::string(), std::string("heng_x_y"), std::string("Bearer "), wrong, unknown, revoked, expired, text + "0", "heng_' OR 1=1 --" + text}) {
    auto who = keys->authenticate(bad);
    ASSERT_FALSE(who.ok()) << bad;
    EXPECT_EQ(who.error().code, ErrorCode::unauthenticated);
    messages.insert(who.error().message);
  }
  EXPECT_EQ(messages.size(), 1U);
  EXPECT_TRUE(keys->authenticate(text).ok());
}

TEST_F(KeysTest, ARevocationElsewhereIsSeenWithinASecond) {
  auto keys = open();
  auto other = open();
  auto [info, text] = make(*keys);
  ASSERT_TRUE(keys->authenticate(text).ok());
  ASSERT_TRUE(other->authenticate(text).ok());
  EXPECT_EQ(other->revoke_key(TenantId("thief"), info.id).error().code, ErrorCode::not_found);
  ASSERT_TRUE(other->revoke_key(TenantId("bank"), info.id).ok());
  ASSERT_TRUE(other->revoke_key(TenantId("bank"), info.id).ok()) << "twice is no error";
  EXPECT_FALSE(other->authenticate(text).ok()) << "at once where it was revoked";
  clock_.ms += 999;
  EXPECT_FALSE(keys->authenticate(text).ok());
  EXPECT_TRUE((*keys->keys(TenantId("bank")))[0].revoked);
}

TEST_F(KeysTest, RequestsPerMinuteAreABucket) {
  auto keys = open();
  auto [info, text] = make(*keys, {.requests_per_minute = 6});
  const Principal who = *keys->authenticate(text);
  for (int i = 0; i < 6; ++i) EXPECT_TRUE(keys->admit(who).ok()) << i;
  auto refused = keys->admit(who);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::rate_limited);
  EXPECT_NE(refused.error().message.find("come back in 10 s"), std::string::npos) << refused.error().message;
  clock_.ms += 10'000;
  EXPECT_TRUE(keys->admit(who).ok());
  EXPECT_FALSE(keys->admit(who).ok());
  clock_.ms += 3'600'000;
  for (int i = 0; i < 6; ++i) EXPECT_TRUE(keys->admit(who).ok()) << "never more than a minute's worth";
  EXPECT_FALSE(keys->admit(who).ok());
  EXPECT_TRUE(keys->admit(Principal{.tenant = TenantId("local")}).ok());
}

TEST_F(KeysTest, TokensPerDaySurviveARestartAndEndAtMidnight) {
  std::string text;
  Principal who;
  {
    auto keys = open();
    text = make(*keys, {.tokens_per_day = 1000}).second;
    who = *keys->authenticate(text);
    ASSERT_TRUE(keys->admit(who).ok());
    keys->spend_tokens(who, 600);
    keys->spend_tokens(who, -5);
    ASSERT_TRUE(keys->admit(who).ok());
  }
  auto keys = open();
  ASSERT_TRUE(keys->admit(who).ok());
  keys->spend_tokens(who, 400);
  auto refused = keys->admit(who);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("00:00 UTC"), std::string::npos);
  clock_.ms += 86'400'000;
  EXPECT_TRUE(keys->admit(who).ok());
}

TEST_F(KeysTest, ProcessesShareTheDaysTokens) {
  auto one = open();
  auto two = open();
  const auto text = make(*one, {.tokens_per_day = 1000}).second;
  const Principal who = *one->authenticate(text);
  ASSERT_TRUE(one->admit(who).ok());
  ASSERT_TRUE(two->admit(who).ok());
  one->spend_tokens(who, 500);
  two->spend_tokens(who, 500);
  ASSERT_TRUE(one->flush().ok());
  ASSERT_TRUE(two->flush().ok());
  EXPECT_FALSE(two->admit(who).ok());
}

TEST_F(KeysTest, BadKeysAreRefusedByField) {
  auto keys = open();
  EXPECT_EQ(keys->create_key({.tenant = TenantId("")}).error().param, "tenant");
  EXPECT_EQ(keys->create_key({.tenant = TenantId("heng:ledger-signing")}).error().param, "tenant");
  EXPECT_EQ(keys->create_key({.roles = {""}}).error().param, "roles");
  EXPECT_EQ(keys->create_key({.quota = {.requests_per_minute = -1}}).error().param, "quota");
  EXPECT_EQ(keys->create_key({.expires_ms = 1}).error().param, "expires");
  EXPECT_EQ(keys->create_key({.name = std::string(300, 'x')}).error().param, "name");
}

TEST_F(KeysTest, NoSecretOnDisk) {
  auto keys = open();
  const auto text = make(*keys).second;
  keys.reset();
  for (const auto& file : std::filesystem::directory_iterator(folder_)) {
    std::ifstream in(file.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    EXPECT_EQ(bytes.find(text.substr(22)), std::string::npos) << file.path();
    EXPECT_EQ(bytes.find("行长"), std::string::npos) << file.path();
  }
}

TEST_F(KeysTest, ManyThreadsAndTheBucketHolds) {
  auto keys = open();
  const auto text = make(*keys, {.requests_per_minute = 100}).second;
  std::atomic<int> admitted = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        auto who = keys->authenticate(text);
        if (who.ok() && keys->admit(*who).ok()) ++admitted;
        if (who.ok()) keys->spend_tokens(*who, 1);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(admitted, 100);
}

}  // namespace
}  // namespace heng::identity
