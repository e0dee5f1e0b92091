#include "heng/base/set_clock.h"
#include "heng/oidc/sign_in.h"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <thread>

#include "attempts.h"
#include "heng/base/hash.h"
#include "heng/base/text.h"
#include "provider.h"
#include "tokens.h"

namespace heng::oidc {
namespace {

/// Opens a session for whoever is vouched for, and remembers whom.
class OpenUsers final : public Users {
 public:
  Result<UserInfo> create_user(const NewUser&) override { return unused(); }
  Result<std::vector<UserInfo>> users(const TenantId&) override { return unused(); }
  Result<void> set_disabled(const TenantId&, const UserId&, bool) override { return unused(); }
  Result<void> set_password(const TenantId&, const UserId&, const std::string&) override { return unused(); }
  Result<std::string> begin_totp(const TenantId&, const UserId&) override { return unused(); }
  Result<void> confirm_totp(const TenantId&, const UserId&, const std::string&) override { return unused(); }
  Result<void> remove_totp(const TenantId&, const UserId&) override { return unused(); }
  Result<Session> login(const Credentials&) override { return unused(); }
  Result<Principal> session(const std::string&) override { return unused(); }
  Result<void> logout(const std::string&) override { return unused(); }
  Result<Session> login_external(const ExternalLogin& person) override {
    seen.push_back(person);
    Session out;
    out.token = "hengs_1";
    out.principal.user = person.user;
    return out;
  }
  std::vector<ExternalLogin> seen;

 private:
  static Error unused() { return Error(ErrorCode::internal, "not in this test"); }
};

std::string query_of(const std::string& url, const std::string& name) {
  for (const auto pair : text::split(std::string_view(url).substr(url.find('?') + 1), '&'))
    if (pair.starts_with(name + "=")) return std::string(pair.substr(name.size() + 1));
  return {};
}

/// A provider in memory whose every answer a test may bend.
struct FakeProvider {
  std::string issuer = "https://login.bank.test";
  Signer signer{Signer::Kind::p256, "k1"};
  Json metadata{{"issuer", issuer}, {"authorization_endpoint", issuer + "/auth"}, {"token_endpoint", issuer + "/token"}, {"jwks_uri", issuer + "/jwks"}, {"userinfo_endpoint", issuer + "/me"},
                {"end_session_endpoint", issuer + "/end"}, {"code_challenge_methods_supported", {"S256"}}, {"authorization_response_iss_parameter_supported", true}};
  std::string jwks;
  std::map<std::string, Json> codes;        // code → claims
  std::map<std::string, std::string> challenges;
  std::function<std::string(const Json& claims)> sign;
  Fetch last_token_call;
  std::map<std::string, int> calls;
  bool down = false;

  FakeProvider() {
    jwks = key_set({signer.jwk()}).dump();
    sign = [this](const Json& claims) { return signer.sign(claims, "ES256"); };
  }
  Result<Fetched> operator()(const Fetch& call) {
    const std::string path = call.url.substr(issuer.size());
    ++calls[path];
    if (down) return Error(ErrorCode::unavailable, "connection refused");
    if (path == "/.well-known/openid-configuration") return Fetched{200, metadata.dump()};
    if (path == "/jwks") return Fetched{200, jwks};
    if (path == "/me") return Fetched{200, userinfo.dump()};
    if (path != "/token") return Fetched{404, ""};
    last_token_call = call;
    const auto form = "?" + call.body;
    const auto code = codes.find(query_of(form, "code"));
    if (code == codes.end()) return Fetched{400, R"({"error":"invalid_grant"})"};
    const Sha256 digest = sha256(query_of(form, "code_verifier"));
    if (to_base64url({reinterpret_cast<const char*>(digest.data()), digest.size()}) != challenges[code->first]) return Fetched{400, R"({"error":"invalid_grant"})"};
    Fetched out{200, Json{{"id_token", sign(code->second)}, {"access_token", "at"}, {"token_type", "Bearer"}}.dump()};
    codes.erase(code);
    return out;
  }
  Json userinfo{{"sub", "248289761001"}, {"groups", {"heng-analysts"}}};
};

class SignInTest : public ::testing::Test {
 protected:
  void SetUp() override { make({}); }
  void make(std::function<void(Settings&)> change) {
    Settings settings;
    settings.issuer = provider.issuer;
    settings.client_id = "heng";
    settings.client_secret = "s3cret/+";
    settings.redirect = "https://heng.bank.test/sign-in";
    settings.map = {{.claim = "groups", .value = "heng-analysts", .roles = {"analyst"}}};
    if (change) change(settings);
    auto made = OidcSignIn::create(settings, users, [this](const Fetch& call) { return provider(call); }, clock);
    ASSERT_TRUE(made.ok()) << made.error().message;
    sign_in = std::move(*made);
  }

  /// What the browser brings back after its person logged in at the provider.
  SignInReturn visit(const SignInStart& start, const std::function<void(Json&)>& change = {}) {
    const std::string code = "code" + std::to_string(++made_);
    Json claims{{"iss", provider.issuer}, {"aud", "heng"}, {"sub", "248289761001"}, {"exp", clock.now / 1000 + 300}, {"iat", clock.now / 1000}, {"nonce", query_of(start.url, "nonce")}, {"groups", {"heng-analysts"}}};
    if (change) change(claims);
    provider.codes[code] = claims;
    provider.challenges[code] = query_of(start.url, "code_challenge");
    return {.code = code, .state = query_of(start.url, "state"), .issuer = provider.issuer, .browser = start.browser, .peer = "10.0.0.1"};
  }
  SignInStart begin() {
    auto start = sign_in->begin("10.0.0.1");
    EXPECT_TRUE(start.ok()) << start.error().message;
    return *start;
  }
  void refused(const SignInReturn& back, const char* why, ErrorCode code = ErrorCode::unauthenticated) {
    const auto got = sign_in->finish(back);
    ASSERT_FALSE(got.ok()) << why;
    EXPECT_EQ(got.error().code, code) << got.error().message;
    EXPECT_NE(got.error().message.find(why), std::string::npos) << got.error().message << " for " << why;
    EXPECT_TRUE(users.seen.empty());
  }

  FakeProvider provider;
  OpenUsers users;
  SetClock clock;
  std::unique_ptr<OidcSignIn> sign_in;
  int made_ = 0;
};

TEST_F(SignInTest, ACodeBecomesASession) {
  const auto start = begin();
  EXPECT_TRUE(start.url.starts_with("https://login.bank.test/auth?response_type=code&client_id=heng&redirect_uri=https%3A%2F%2Fheng.bank.test%2Fsign-in&scope=openid%20profile&state=")) << start.url;
  EXPECT_NE(start.url.find("&code_challenge_method=S256"), std::string::npos);
  EXPECT_EQ(start.url.find(start.browser), std::string::npos) << "the browser's secret stays in the browser";
  const auto session = sign_in->finish(visit(start));
  ASSERT_TRUE(session.ok()) << session.error().message;
  ASSERT_EQ(users.seen.size(), 1u);
  EXPECT_EQ(users.seen[0].subject, "248289761001");
  EXPECT_EQ(users.seen[0].roles, std::vector<std::string>{"analyst"});
  EXPECT_EQ(provider.last_token_call.authorization, "Basic " + to_base64("heng:s3cret%2F%2B"));
  EXPECT_EQ(provider.last_token_call.body.find("s3cret"), std::string::npos);
}

TEST_F(SignInTest, NothingIsUsedTwice) {
  const auto start = begin();
  const auto back = visit(start);
  ASSERT_TRUE(sign_in->finish(back).ok());
  users.seen.clear();
  refused(back, "finished already");
  // the token of an earlier sign-in, with a new state: its nonce is the old one
  const std::string old_nonce = query_of(start.url, "nonce");
  refused(visit(begin(), [&](Json& claims) { claims["nonce"] = old_nonce; }), "nonce");
  EXPECT_NE(begin().url, begin().url);
}

TEST_F(SignInTest, AFailureUsesTheStateUp) {
  const auto start = begin();
  auto back = visit(start, [](Json& claims) { claims["aud"] = "another"; });
  refused(back, "aud");
  refused(visit(start), "finished already");
}

TEST_F(SignInTest, AnotherBrowserCannotFinish) {
  // login of the attacker's account in the victim's browser, and theft of a code
  const auto attacker = begin(), victim = begin();
  auto back = visit(attacker);
  back.browser = victim.browser;
  refused(back, "another browser");
  back = visit(begin());
  back.browser.clear();
  refused(back, "another browser");
  back = visit(begin());
  back.state = "made-up";
  refused(back, "never begun");
  back.state = std::string(1'000'000, 's');
  refused(back, "never begun");
}

TEST_F(SignInTest, AnAnswerOfAnotherProviderIsRefused) {
  auto back = visit(begin());
  back.issuer = "https://evil.test";
  refused(back, "iss");
  back = visit(begin());
  back.issuer.clear();
  refused(back, "iss");
  EXPECT_EQ(provider.calls["/token"], 0) << "the code went to nobody";
  // one that never names itself is taken by its token alone
  provider.metadata.erase("authorization_response_iss_parameter_supported");
  make({});
  back = visit(begin());
  back.issuer.clear();
  EXPECT_TRUE(sign_in->finish(back).ok());
}

TEST_F(SignInTest, ADescriptionOfAnotherIsRefused) {
  const Json good = provider.metadata;
  const auto message = [&](const Json& metadata) {
    provider.metadata = metadata;
    make({});
    const auto got = sign_in->begin("10.0.0.1");
    return got.ok() ? std::string("taken") : got.error().message;
  };
  const auto with = [&](const char* name, Json value) {
    Json out = good;
    out[name] = std::move(value);
    return out;
  };
  EXPECT_NE(message(with("issuer", "https://login.bank.test/")).find("another issuer"), std::string::npos);
  EXPECT_NE(message(with("issuer", nullptr)).find("another issuer"), std::string::npos);
  for (const char* name : {"authorization_endpoint", "token_endpoint", "jwks_uri"}) {
    EXPECT_NE(message(with(name, nullptr)).find(name), std::string::npos);
    for (const char* unsafe : {"http://login.bank.test/x", "http://127.0.0.1/x", "file:///etc/passwd", "https://", "javascript:alert(1)", "https://x/\r\ny"})
      EXPECT_NE(message(with(name, unsafe)).find(name), std::string::npos) << unsafe;
  }
  EXPECT_NE(message(with("code_challenge_methods_supported", {"plain"})).find("PKCE"), std::string::npos);
  EXPECT_EQ(message(good), "taken");
}

TEST_F(SignInTest, AProviderThatIsDownIsAskedRarely) {
  provider.down = true;
  for (int i = 0; i < 50; ++i) EXPECT_EQ(sign_in->begin("10.0.0.1").error().code, ErrorCode::unavailable);
  EXPECT_EQ(provider.calls["/.well-known/openid-configuration"], 1);
  provider.down = false;
  clock.now += Provider::failed_ms;
  EXPECT_TRUE(sign_in->begin("10.0.0.1").ok());
}

TEST_F(SignInTest, KeysAreFetchedAgainWhenTheyChangeAndNotMoreOften) {
  ASSERT_TRUE(sign_in->finish(visit(begin())).ok());
  EXPECT_EQ(provider.calls["/jwks"], 1);
  clock.now += 61'000;
  // rotation: a new key under a new name
  provider.signer = Signer(Signer::Kind::p256, "k2");
  provider.jwks = key_set({provider.signer.jwk()}).dump();
  ASSERT_TRUE(sign_in->finish(visit(begin())).ok());
  EXPECT_EQ(provider.calls["/jwks"], 2);
  // made-up names cause no traffic
  users.seen.clear();
  Signer stranger(Signer::Kind::p256, "made-up");
  provider.sign = [&](const Json& claims) { return stranger.sign(claims, "ES256"); };
  for (int i = 0; i < 10; ++i) refused(visit(begin()), "kid");
  EXPECT_EQ(provider.calls["/jwks"], 2);
  clock.now += 60'000;
  for (int i = 0; i < 10; ++i) refused(visit(begin()), "kid");
  EXPECT_EQ(provider.calls["/jwks"], 3);
}

TEST_F(SignInTest, KeysThatCannotBeReadLeaveTheOldOnes) {
  ASSERT_TRUE(sign_in->finish(visit(begin())).ok());
  const std::string whole = provider.jwks;
  provider.jwks = whole.substr(0, whole.size() / 2);
  clock.now += 61'000;
  const Signer good = provider.signer;
  users.seen.clear();
  provider.sign = [](const Json& claims) { return Signer(Signer::Kind::p256, "other").sign(claims, "ES256"); };
  refused(visit(begin()), "kid");
  provider.sign = [&](const Json& claims) { return good.sign(claims, "ES256"); };
  EXPECT_TRUE(sign_in->finish(visit(begin())).ok()) << "the old keys stay for their hour";
  clock.now += Provider::fresh_ms;
  users.seen.clear();
  refused(visit(begin()), "keys", ErrorCode::unavailable);
  provider.jwks = whole;
  clock.now += Provider::failed_ms;
  EXPECT_TRUE(sign_in->finish(visit(begin())).ok());
}

TEST_F(SignInTest, AWithdrawnKeyIsGoneAfterAnHour) {
  ASSERT_TRUE(sign_in->finish(visit(begin())).ok());
  provider.jwks = key_set({Signer(Signer::Kind::p256, "k2").jwk()}).dump();
  clock.now += Provider::fresh_ms;
  users.seen.clear();
  refused(visit(begin()), "kid");
}

TEST_F(SignInTest, OversizedAndBrokenTokensAreRefused) {
  provider.sign = [](const Json&) { return std::string(1'000'000, 'a'); };
  refused(visit(begin()), "larger than 128 KiB");
  provider.sign = [](const Json&) { return std::string(100'000, 'a'); };
  refused(visit(begin()), "the limit is 16384");
  provider.sign = [](const Json&) { return std::string(); };
  refused(visit(begin()), "there is none");
  provider.sign = [](const Json& claims) { return to_base64url(R"({"alg":"none"})") + "." + to_base64url(claims.dump()) + "."; };
  refused(visit(begin()), "alg");
}

TEST_F(SignInTest, CodesOfOthersAreRefused) {
  auto back = visit(begin());
  back.code = "stolen";
  refused(back, "invalid_grant");
  // a code that was made for another sign-in: PKCE
  const auto mine = begin(), other = begin();
  const auto stolen = visit(other);
  back = visit(mine);
  back.code = stolen.code;
  refused(back, "invalid_grant");
  back = visit(begin());
  back.code = std::string(3000, 'c');
  refused(back, "code");
  back = visit(begin());
  back.code.clear();
  refused(back, "no code");
  back = visit(begin());
  back.error = "access_denied";
  refused(back, "access_denied");
}

TEST_F(SignInTest, WhoHasNothingHereIsRefused) {
  refused(visit(begin(), [](Json& claims) { claims["groups"] = {"others"}; }), "nobody has given you", ErrorCode::permission_denied);
}

TEST_F(SignInTest, UserinfoAddsClaimsOfTheSamePersonOnly) {
  make([](Settings& s) { s.userinfo = true; });
  const auto bare = [](Json& claims) { claims.erase("groups"); };
  ASSERT_TRUE(sign_in->finish(visit(begin(), bare)).ok());
  users.seen.clear();
  provider.userinfo["sub"] = "1";
  refused(visit(begin(), bare), "another person");
  // what the signed token says is not overwritten
  provider.userinfo = {{"sub", "248289761001"}, {"groups", {"heng-analysts"}}};
  refused(visit(begin(), [](Json& claims) { claims["groups"] = {"others"}; }), "nobody has given you", ErrorCode::permission_denied);
}

TEST_F(SignInTest, AStartEndsAfterTenMinutes) {
  const auto start = begin();
  clock.now += PendingStarts::life_ms;
  refused(visit(start), "ten minutes");
}

TEST_F(SignInTest, GuessingIsSlowed) {
  for (int i = 0; i < Failures::most_per_minute; ++i) EXPECT_EQ(sign_in->finish({.code = "x", .state = "y", .peer = "10.9.9.9"}).error().code, ErrorCode::unauthenticated) << i;
  const auto locked = sign_in->finish({.code = "x", .state = "y", .peer = "10.9.9.9"});
  EXPECT_EQ(locked.error().code, ErrorCode::rate_limited);
  EXPECT_GT(locked.error().retry_after_ms, 0);
  EXPECT_EQ(sign_in->begin("10.9.9.9").error().code, ErrorCode::rate_limited);
  EXPECT_TRUE(sign_in->begin("10.9.9.8").ok());
  clock.now += 60'000;
  EXPECT_TRUE(sign_in->begin("10.9.9.9").ok());
}

TEST(Pending, TheOldestGoesWhereThereAreTooMany) {
  PendingStarts held(3);
  for (int i = 0; i < 5; ++i) held.put("s" + std::to_string(i), {.made_ms = i});
  EXPECT_EQ(held.size(), 3u);
  EXPECT_FALSE(held.take("s0", 10));
  EXPECT_FALSE(held.take("s1", 10));
  EXPECT_TRUE(held.take("s2", 10));
  EXPECT_FALSE(held.take("s2", 10));
  // taken and expired ones make room
  for (int i = 0; i < 1000; ++i) {
    held.put("t" + std::to_string(i), {.made_ms = 100 + i});
    EXPECT_TRUE(held.take("t" + std::to_string(i), 100 + i));
  }
  EXPECT_EQ(held.size(), 2u);
}

TEST_F(SignInTest, ManyAtOnceUseAStateOnce) {
  const auto back = visit(begin());
  std::atomic<int> in{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      auto mine = back;
      in += sign_in->finish(mine).ok();
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(in, 1);
}

TEST_F(SignInTest, LogoutLeadsToTheProviderWhereAskedFor) {
  EXPECT_EQ(*sign_in->logout_url(), "");
  make([](Settings& s) { s.logout_at_provider = true; });
  EXPECT_EQ(*sign_in->logout_url(), "https://login.bank.test/end?client_id=heng&post_logout_redirect_uri=https%3A%2F%2Fheng.bank.test%2F");
}

TEST_F(SignInTest, BadSettingsAreNamed) {
  const auto param = [&](std::function<void(Settings&)> change) {
    Settings s;
    s.issuer = "https://login.bank.test";
    s.client_id = "heng";
    s.redirect = "https://heng.bank.test/sign-in";
    s.map = {{.claim = "groups", .value = "x"}};
    change(s);
    const auto made = OidcSignIn::create(s, users, [this](const Fetch& call) { return provider(call); }, clock);
    return made.ok() ? std::string("taken") : made.error().param;
  };
  EXPECT_EQ(param([](Settings&) {}), "taken");
  for (const char* bad : {"", "http://login.bank.test", "https://", "ftp://x", "https://a@b", "https://x?y", "http://127.0.0.1.evil.test"}) EXPECT_EQ(param([&](Settings& s) { s.issuer = bad; }), "issuer") << bad;
  for (const char* bad : {"", "https://heng.bank.test/", "https://heng.bank.test/other/sign-in", "http://heng.bank.test/sign-in", "https://x/sign-in?y"}) EXPECT_EQ(param([&](Settings& s) { s.redirect = bad; }), "redirect") << bad;
  EXPECT_EQ(param([](Settings& s) { s.issuer = "http://127.0.0.1:3000"; s.redirect = "http://localhost:8460/sign-in"; }), "taken");
  EXPECT_EQ(param([](Settings& s) { s.client_id = ""; }), "client_id");
  for (const char* bad : {"none", "HS256", "RS512", ""}) EXPECT_EQ(param([&](Settings& s) { s.algorithms = {"RS256", bad}; }), "algorithms") << bad;
  EXPECT_EQ(param([](Settings& s) { s.algorithms.clear(); }), "algorithms");
  EXPECT_EQ(param([](Settings& s) { s.scopes = {"profile"}; }), "scopes");
  EXPECT_EQ(param([](Settings& s) { s.skew_s = 301; }), "skew_s");
  EXPECT_EQ(param([](Settings& s) { s.map.clear(); }), "map");
}

}  // namespace
}  // namespace heng::oidc
