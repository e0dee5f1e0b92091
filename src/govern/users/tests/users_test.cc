#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "../src/lockout.h"
#include "../src/password.h"
#include "heng/base/set_clock.h"
#include "heng/users/totp.h"
#include "heng/users/user_directory.h"

namespace heng::users {
namespace {

// RFC 6238 appendix B, the rows of SHA-1: eight digits
TEST(Totp, GivesTheCodesOfTheRfc) {
  const std::string secret = "12345678901234567890";
  const std::pair<std::int64_t, const char*> rows[] = {{59, "94287082"}, {1111111109, "07081804"}, {1111111111, "14050471"}, {1234567890, "89005924"}, {2000000000, "69279037"}, {20000000000, "65353130"}};
  for (const auto& [seconds, code] : rows) EXPECT_EQ(hotp(secret, static_cast<std::uint64_t>(totp_step(seconds * 1000)), 8), code) << seconds;
  // RFC 4226 appendix D
  const char* hotps[] = {"755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"};
  for (std::uint64_t i = 0; i < 10; ++i) EXPECT_EQ(hotp(secret, i, 6), hotps[i]);
  EXPECT_EQ(base32("foobar"), "MZXW6YTBOI");
  EXPECT_EQ(base32("12345678901234567890"), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
}

TEST(Totp, AllowsOneStepOfSkewAndNoReplay) {
  const std::string secret = "12345678901234567890";
  const std::int64_t now = 1'780'000'000'000, step = totp_step(now);
  for (int skew = -3; skew <= 3; ++skew) EXPECT_EQ(totp_match(secret, hotp(secret, static_cast<std::uint64_t>(step + skew), 6), now, 0).has_value(), skew >= -1 && skew <= 1) << skew;
  EXPECT_FALSE(totp_match(secret, hotp(secret, static_cast<std::uint64_t>(step), 6), now, step));
  EXPECT_FALSE(totp_match(secret, hotp(secret, static_cast<std::uint64_t>(step - 1), 6), now, step));
  for (const char* bad : {"", "1", "12345", "1234567", "abcdef"}) EXPECT_FALSE(totp_match(secret, bad, now, 0)) << bad;
}

TEST(Password, RefusesTheWeakAndSaysWhy) {
  for (const char* weak : {"short", "aaaaaaaaaaaaaa", "abcabcabcabc", "123456789012", "abcdefghijklmn", "password1234", "Password123!", "lihua-is-here", "qwerty123456", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"})
    EXPECT_FALSE(check_password(weak, "lihua").ok()) << weak;
  for (const char* fine : {"correct horse battery", "银行系统登录用的长口令一句", "tR5!vv0qLm2z"}) EXPECT_TRUE(check_password(fine, "lihua").ok()) << fine;
}

TEST(Lock, DoublesUpToAnHour) {
  EXPECT_EQ(lock_ms(4), 0);
  EXPECT_EQ(lock_ms(5), 30'000);
  EXPECT_EQ(lock_ms(6), 60'000);
  EXPECT_EQ(lock_ms(11), 1'920'000);
  EXPECT_EQ(lock_ms(12), 3'600'000);
  EXPECT_EQ(lock_ms(1000), 3'600'000);
}

class DirectoryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "heng-users-XXXXXX").string();
    folder = mkdtemp(pattern.data());
    std::vector<store::Migration> all = {{.version = 1, .name = "before", .sql = ""}};
    // versions 3 and 4 belong to other rooms
    all.push_back(migrations()[0]);
    for (int version : {3, 4}) all.push_back({.version = version, .name = "others", .sql = ""});
    all.push_back(migrations()[1]);
    pool = std::move(*store::Pool::open({.database = {.path = folder / "govern.db", .key = key}}, all));
    directory = std::move(*UserDirectory::create({.hashes_at_once = 8}, *pool, key, clock));
    ASSERT_TRUE(directory->create_user({.tenant = TenantId("bank"), .user = UserId("lihua"), .name = "李华", .desk = "loans", .roles = {"analyst", "reviewer"},
                                        .clearance = DataClass::c2, .password = good}).ok());
  }
  void TearDown() override {
    directory.reset();
    pool.reset();
    std::filesystem::remove_all(folder);
  }
  Credentials with(const std::string& password, const std::string& code = "", const std::string& user = "lihua", const std::string& peer = "10.0.0.1") {
    return {TenantId("bank"), UserId(user), password, code, peer};
  }
  const std::string good = "a long sentence 7";
  std::filesystem::path folder;
  store::SecretKey key = store::SecretKey::random();
  SetClock clock;
  std::unique_ptr<store::Pool> pool;
  std::unique_ptr<UserDirectory> directory;
};

TEST_F(DirectoryTest, ASessionCarriesTheAccountsRightsAndEnds) {
  auto session = directory->login(with(good));
  ASSERT_TRUE(session.ok()) << session.error().message;
  EXPECT_EQ(session->token.size(), 6u + 64u);
  auto who = *directory->session(session->token);
  EXPECT_EQ(who.user.value, "lihua");
  EXPECT_EQ(who.desk, "loans");
  EXPECT_EQ(who.clearance, DataClass::c2);
  EXPECT_TRUE(who.has_role("reviewer"));
  // idle
  clock.now += 29 * 60'000;
  EXPECT_TRUE(directory->session(session->token).ok());
  clock.now += 29 * 60'000;
  EXPECT_TRUE(directory->session(session->token).ok());
  clock.now += 30 * 60'000;
  EXPECT_EQ(directory->session(session->token).error().code, ErrorCode::unauthenticated);
  // absolute
  session = directory->login(with(good));
  for (int i = 0; i < 24 * 6 - 1; ++i) {
    clock.now += 5 * 60'000;
    ASSERT_TRUE(directory->session(session->token).ok()) << i;
  }
  clock.now += 5 * 60'000;
  EXPECT_FALSE(directory->session(session->token).ok());
  // logout, new password, disabled
  session = directory->login(with(good));
  ASSERT_TRUE(directory->logout(session->token).ok());
  EXPECT_FALSE(directory->session(session->token).ok());
  EXPECT_FALSE(directory->logout(session->token).ok());
  session = directory->login(with(good));
  ASSERT_TRUE(directory->set_password(TenantId("bank"), UserId("lihua"), "another sentence 8").ok());
  EXPECT_FALSE(directory->session(session->token).ok());
  session = directory->login(with("another sentence 8"));
  ASSERT_TRUE(directory->set_disabled(TenantId("bank"), UserId("lihua"), true).ok());
  EXPECT_FALSE(directory->session(session->token).ok());
  EXPECT_EQ(directory->login(with("another sentence 8")).error().code, ErrorCode::unauthenticated);
}

TEST_F(DirectoryTest, MalformedTokensAreRefused) {
  for (const std::string& token : {std::string(), std::string("hengs_"), std::string("hengs_") + std::string(64, 'x'), std::string(1'000'000, 'a'), std::string("hengs_' OR 1=1 --")})
    EXPECT_EQ(directory->session(token).error().code, ErrorCode::unauthenticated);
}

TEST_F(DirectoryTest, EveryFailureReadsTheSame) {
  std::set<std::string> messages;
  for (const auto& attempt : {with("wrong password 1"), with(good, "", "nobody"), with(""), with(good, "", "' OR 1=1 --"), with(std::string(100'000, 'x'))}) {
    auto failed = directory->login(attempt);
    ASSERT_FALSE(failed.ok());
    EXPECT_EQ(failed.error().code, ErrorCode::unauthenticated);
    messages.insert(failed.error().message);
  }
  Credentials elsewhere = with(good);
  elsewhere.tenant = TenantId("shop");
  messages.insert(directory->login(elsewhere).error().message);
  EXPECT_EQ(messages.size(), 1u);
}

TEST_F(DirectoryTest, ANameThatExistsAndOneThatDoesNotAreLockedAlike) {
  for (const std::string user : {"lihua", "nobody"}) {
    for (int i = 0; i < 5; ++i) EXPECT_EQ(directory->login(with("wrong password 1", "", user, "p" + std::to_string(i))).error().code, ErrorCode::unauthenticated) << user << i;
    const auto locked = directory->login(with(good, "", user));
    EXPECT_EQ(locked.error().code, ErrorCode::rate_limited) << user;
    EXPECT_EQ(locked.error().retry_after_ms, 30'000) << user;
  }
  clock.now += 30'000;
  EXPECT_TRUE(directory->login(with(good)).ok());
  // success forgets the failures
  EXPECT_EQ(directory->login(with("wrong password 1")).error().code, ErrorCode::unauthenticated);
  EXPECT_TRUE(directory->login(with(good)).ok());
}

TEST_F(DirectoryTest, AnAddressThatTriesManyNamesWaits) {
  Lockout lockout("k");
  auto writer = *pool->writer();
  for (int i = 0; i < 30; ++i) ASSERT_TRUE(lockout.failed(*writer, "n" + std::to_string(i), "10.9.9.9", clock.now).ok());
  EXPECT_EQ(lockout.check(*writer, "fresh", "10.9.9.9", clock.now).error().code, ErrorCode::rate_limited);
  EXPECT_TRUE(lockout.check(*writer, "fresh", "10.9.9.8", clock.now).ok());
  EXPECT_TRUE(lockout.check(*writer, "fresh", "10.9.9.9", clock.now + 60'000).ok());
}

TEST_F(DirectoryTest, ASecondFactorIsAskedForOnlyOnceConfirmedAndServesOnce) {
  const TenantId bank("bank");
  const UserId lihua("lihua");
  const std::string uri = *directory->begin_totp(bank, lihua);
  EXPECT_TRUE(uri.starts_with("otpauth://totp/Heng:lihua?secret="));
  EXPECT_TRUE(directory->login(with(good)).ok()) << "not in force yet";
  std::string secret;
  {
    auto reader = *pool->reader();
    auto row = *reader->prepare("SELECT totp_secret FROM user_account WHERE user = 'lihua'");
    ASSERT_TRUE(*row.step());
    secret = std::string(row.blob(0));
  }
  const auto code = [&](std::int64_t at) { return hotp(secret, static_cast<std::uint64_t>(totp_step(at)), 6); };
  EXPECT_EQ(directory->confirm_totp(bank, lihua, "000000").error().code, ErrorCode::unauthenticated);
  ASSERT_TRUE(directory->confirm_totp(bank, lihua, code(clock.now)).ok());
  EXPECT_FALSE(directory->login(with(good)).ok());
  EXPECT_FALSE(directory->login(with(good, code(clock.now))).ok()) << "the confirming code was used";
  clock.now += 30'000;
  EXPECT_TRUE(directory->login(with(good, code(clock.now))).ok());
  EXPECT_FALSE(directory->login(with(good, code(clock.now))).ok()) << "replayed";
  EXPECT_FALSE(directory->login(with("wrong password 1", code(clock.now + 30'000))).ok());
  EXPECT_TRUE(directory->login(with(good, code(clock.now + 30'000))).ok()) << "a wrong password does not use the code up";
  ASSERT_TRUE(directory->remove_totp(bank, lihua).ok());
  EXPECT_TRUE(directory->login(with(good)).ok());
}

TEST_F(DirectoryTest, ACodeServesOneOfManyLoginsAtOnce) {
  ASSERT_TRUE(directory->begin_totp(TenantId("bank"), UserId("lihua")).ok());
  std::string secret;
  {
    auto reader = *pool->reader();
    auto row = *reader->prepare("SELECT totp_secret FROM user_account WHERE user = 'lihua'");
    ASSERT_TRUE(*row.step());
    secret = std::string(row.blob(0));
  }
  ASSERT_TRUE(directory->confirm_totp(TenantId("bank"), UserId("lihua"), hotp(secret, static_cast<std::uint64_t>(totp_step(clock.now)), 6)).ok());
  clock.now += 30'000;
  const std::string code = hotp(secret, static_cast<std::uint64_t>(totp_step(clock.now)), 6);
  std::atomic<int> in{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([&] { in += directory->login(with(good, code)).ok(); });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(in, 1);
}

ExternalLogin zhao() {
  return {.issuer = "https://login.bank.test", .subject = "248289761001", .tenant = TenantId("bank"), .user = UserId("zhao"), .name = "赵敏", .desk = "cards", .roles = {"analyst"}, .clearance = DataClass::c2};
}

TEST_F(DirectoryTest, APersonOfAProviderHasWhatTheClaimsSayNow) {
  auto first = directory->login_external(zhao());
  ASSERT_TRUE(first.ok()) << first.error().message;
  EXPECT_EQ(first->principal.desk, "cards");
  EXPECT_EQ(first->principal.clearance, DataClass::c2);
  EXPECT_TRUE(directory->session(first->token)->has_role("analyst"));
  ExternalLogin later = zhao();
  later.roles = {"reviewer"};
  later.clearance = DataClass::c1;
  auto second = directory->login_external(later);
  ASSERT_TRUE(second.ok());
  // the older session has no more than the newer
  EXPECT_FALSE(directory->session(first->token)->has_role("analyst"));
  EXPECT_EQ(directory->session(first->token)->clearance, DataClass::c1);
  EXPECT_EQ(directory->users(TenantId("bank"))->size(), 2u);
  EXPECT_EQ(directory->users(TenantId("bank"))->back().issuer, "https://login.bank.test");
}

TEST_F(DirectoryTest, AnotherTenantEndsTheSessionsOfTheFirst) {
  const auto first = *directory->login_external(zhao());
  ExternalLogin moved = zhao();
  moved.tenant = TenantId("shop");
  const auto second = *directory->login_external(moved);
  EXPECT_FALSE(directory->session(first.token).ok());
  EXPECT_EQ(directory->session(second.token)->tenant.value, "shop");
}

TEST_F(DirectoryTest, NoProviderTakesAnAccountOver) {
  ExternalLogin thief = zhao();
  thief.user = UserId("lihua");
  EXPECT_EQ(directory->login_external(thief).error().code, ErrorCode::conflict);
  ASSERT_TRUE(directory->login_external(zhao()).ok());
  ExternalLogin other = zhao();
  other.subject = "1";
  EXPECT_EQ(directory->login_external(other).error().code, ErrorCode::conflict) << "another person of the same provider";
  other = zhao();
  other.issuer = "https://evil.test";
  EXPECT_EQ(directory->login_external(other).error().code, ErrorCode::conflict) << "the same subject of another provider";
  EXPECT_TRUE(directory->login(with(good)).ok()) << "the local account is as it was";
}

TEST_F(DirectoryTest, APersonOfAProviderHasNoPassword) {
  ASSERT_TRUE(directory->login_external(zhao()).ok());
  for (const char* tried : {"", "a long sentence 7", "$argon2id$"}) EXPECT_EQ(directory->login(with(tried, "", "zhao")).error().code, ErrorCode::unauthenticated) << tried;
  EXPECT_EQ(directory->set_password(TenantId("bank"), UserId("zhao"), "another sentence 8").error().code, ErrorCode::conflict);
  ASSERT_TRUE(directory->set_disabled(TenantId("bank"), UserId("zhao"), true).ok());
  EXPECT_EQ(directory->login_external(zhao()).error().code, ErrorCode::permission_denied);
  ExternalLogin bad = zhao();
  bad.user = UserId("a b");
  EXPECT_EQ(directory->login_external(bad).error().param, "user");
  bad = zhao();
  bad.roles = {"x,admin"};
  EXPECT_EQ(directory->login_external(bad).error().param, "roles");
  bad = zhao();
  bad.subject.clear();
  EXPECT_EQ(directory->login_external(bad).error().param, "subject");
}

TEST_F(DirectoryTest, NothingSecretIsReadableInTheTables) {
  const auto session = *directory->login(with(good));
  auto reader = *pool->reader();
  auto row = *reader->prepare("SELECT password_hash FROM user_account UNION ALL SELECT hex(token_hash) FROM user_session");
  std::string all;
  while (*row.step()) all += row.string(0) + "\n";
  EXPECT_EQ(all.find(good), std::string::npos);
  EXPECT_EQ(all.find(session.token.substr(6)), std::string::npos);
  EXPECT_TRUE(all.starts_with("$argon2id$v=19$m=65536,t=2,p=1$")) << all.substr(0, 40);
}

TEST_F(DirectoryTest, BadAccountsAreNamed) {
  EXPECT_EQ(directory->create_user({.tenant = TenantId("bank"), .user = UserId("lihua"), .password = good}).error().code, ErrorCode::already_exists);
  EXPECT_EQ(directory->create_user({.tenant = TenantId("bank"), .user = UserId("a b"), .password = good}).error().param, "user");
  EXPECT_EQ(directory->create_user({.tenant = TenantId("bank"), .user = UserId("b"), .roles = {"x y"}, .password = good}).error().param, "roles");
  EXPECT_EQ(directory->create_user({.tenant = TenantId("bank"), .user = UserId("b"), .password = "short"}).error().param, "password");
  EXPECT_EQ(directory->set_disabled(TenantId("shop"), UserId("lihua"), true).error().code, ErrorCode::not_found);
  EXPECT_EQ(directory->users(TenantId("shop"))->size(), 0u);
}

}  // namespace
}  // namespace heng::users
