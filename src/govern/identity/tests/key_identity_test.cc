#include "heng/identity/key_identity.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace heng::identity {
namespace {

class TestClock final : public Clock {
 public:
  std::int64_t now = 1'800'000'000'000;
  std::int64_t unix_ms() const override { return now; }
  SteadyTime steady() const override { return {}; }
};

class KeyIdentityTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder = std::filesystem::temp_directory_path() / ("heng-identity-" + std::to_string(getpid()) + "-" + ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    open();
  }
  void TearDown() override {
    identity.reset();
    pool.reset();
    std::filesystem::remove_all(folder);
  }
  void open() {
    identity.reset();
    pool.reset();
    std::vector<store::Migration> all = migrations();
    all.insert(all.begin() + 1, {.version = 2, .name = "another room's", .sql = ""});
    auto opened = store::Pool::open({.database = {.path = folder / "heng.db", .key = key}}, all);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    pool = std::move(*opened);
    identity = another();
  }
  std::unique_ptr<KeyIdentity> another() {
    auto made = KeyIdentity::create({}, *pool, key, clock);
    EXPECT_TRUE(made.ok()) << made.error().message;
    return std::move(*made);
  }
  std::pair<KeyInfo, std::string> make(Quota quota = {}, std::int64_t expires_ms = 0) {
    auto made = identity->create_key({.tenant = TenantId("t1"), .user = UserId("u"), .name = "desk", .roles = {"analyst", "risk"}, .quota = quota, .expires_ms = expires_ms});
    EXPECT_TRUE(made.ok()) << made.error().message;
    return *made;
  }
  std::filesystem::path folder;
  store::SecretKey key = store::SecretKey::random();
  TestClock clock;
  std::unique_ptr<store::Pool> pool;
  std::unique_ptr<KeyIdentity> identity;
};

TEST_F(KeyIdentityTest, KnowsItsKeysAlsoAfterRestart) {
  auto [info, secret] = make();
  open();
  auto principal = identity->authenticate(secret);
  ASSERT_TRUE(principal.ok());
  EXPECT_EQ(principal->tenant, TenantId("t1"));
  EXPECT_TRUE(principal->has_role("risk"));
  EXPECT_FALSE(principal->is_admin());
}

TEST_F(KeyIdentityTest, RefusesEverythingElseWithTheSameWords) {
  auto [info, secret] = make();
  auto [expiring, soon] = make({}, clock.now + 1000);
  auto [gone, revoked] = make();
  ASSERT_TRUE(identity->revoke_key(TenantId("t1"), gone.id).ok());
  clock.now += 2000;
  std::string changed = secret;
  changed.back() = changed.back() == '0' ? '1' : '0';
  std::string message;
  for (const std::string& bad : {std::string(), std::string("heng_"), changed, secret + "0", secret.substr(1), soon, revoked, std::string(77, 'x'), std::string(1 << 20, 'a')}) {
    auto refused = identity->authenticate(bad);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::unauthenticated);
    if (message.empty()) message = refused.error().message;
    EXPECT_EQ(refused.error().message, message);
  }
}

TEST_F(KeyIdentityTest, AnotherProcessRevokesWithinASecond) {
  auto [info, secret] = make();
  auto other = another();
  ASSERT_TRUE(other->authenticate(secret).ok());
  ASSERT_TRUE(identity->revoke_key(TenantId("t1"), info.id).ok());
  clock.now += 1001;
  EXPECT_FALSE(other->authenticate(secret).ok());
  EXPECT_EQ(identity->revoke_key(TenantId("t2"), info.id).error().code, ErrorCode::not_found);
}

TEST_F(KeyIdentityTest, CountsRequestsByTheMinute) {
  auto [info, secret] = make({.requests_per_minute = 3});
  const Principal principal = *identity->authenticate(secret);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(identity->admit(principal).ok());
  auto refused = identity->admit(principal);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::rate_limited);
  clock.now += 20'001;
  EXPECT_TRUE(identity->admit(principal).ok());
  EXPECT_FALSE(identity->admit(principal).ok());
}

TEST_F(KeyIdentityTest, CountsTokensByTheDayAlsoAcrossRestarts) {
  auto [info, secret] = make({.tokens_per_day = 100});
  Principal principal = *identity->authenticate(secret);
  identity->spend_tokens(principal, 60);
  open();
  principal = *identity->authenticate(secret);
  EXPECT_TRUE(identity->admit(principal).ok());
  identity->spend_tokens(principal, 50);
  EXPECT_EQ(identity->admit(principal).error().code, ErrorCode::rate_limited);
  open();
  principal = *identity->authenticate(secret);
  EXPECT_EQ(identity->admit(principal).error().code, ErrorCode::rate_limited);
  clock.now += 86'400'000;
  EXPECT_TRUE(identity->admit(principal).ok());
}

TEST_F(KeyIdentityTest, RefusesNonsense) {
  const NewKey good{.tenant = TenantId("t"), .user = UserId("u"), .name = "n", .roles = {"r"}};
  for (auto change : std::vector<void (*)(NewKey&)>{[](NewKey& k) { k.tenant = TenantId("a b"); }, [](NewKey& k) { k.user = UserId(""); }, [](NewKey& k) { k.name = "\xff"; },
                                                    [](NewKey& k) { k.roles = {"a,b"}; }, [](NewKey& k) { k.quota.requests_per_minute = -1; }}) {
    NewKey bad = good;
    change(bad);
    EXPECT_EQ(identity->create_key(bad).error().code, ErrorCode::invalid_argument);
  }
}

TEST_F(KeyIdentityTest, KeepsNoSecretOnDisk) {
  auto [info, secret] = make();
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    std::ifstream in(file.path(), std::ios::binary);
    const std::string bytes(std::istreambuf_iterator<char>(in), {});
    EXPECT_EQ(bytes.find(secret.substr(secret.size() - 64)), std::string::npos);
    EXPECT_EQ(bytes.find(info.id.value), std::string::npos);
  }
}

}  // namespace
}  // namespace heng::identity
