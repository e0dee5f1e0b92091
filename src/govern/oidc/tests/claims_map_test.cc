#include "claims_map.h"

#include <gtest/gtest.h>

namespace heng::oidc {
namespace {

Settings settings() {
  Settings out;
  out.issuer = "https://login.bank.test";
  out.user_claim = "preferred_username";
  out.map = {{.claim = "groups", .value = "heng-analysts", .roles = {"analyst"}, .desk = "loans", .clearance = DataClass::c2},
             {.claim = "groups", .value = "heng-reviewers", .roles = {"reviewer", "analyst"}, .clearance = DataClass::c3},
             {.claim = "groups", .value = "cards", .roles = {"analyst"}, .desk = "cards"},
             {.claim = "realm_access.roles", .value = "shop", .roles = {"analyst"}, .tenant = "shop"},
             {.claim = "realm_access.roles", .value = "bank", .roles = {"analyst"}, .tenant = "bank"},
             {.claim = "department", .value = "风险部", .roles = {"risk"}}};
  return out;
}

Json claims(Json more) {
  Json out{{"sub", "248289761001"}, {"preferred_username", "zhao"}, {"name", "赵敏"}};
  out.update(more);
  return out;
}

TEST(Map, AddsUpRolesAndTakesTheHighestClearance) {
  const auto got = map_claims(claims({{"groups", {"x", "heng-reviewers", "heng-analysts"}}}), settings());
  ASSERT_TRUE(got.ok()) << got.error().message;
  EXPECT_EQ(got->roles, (std::vector<std::string>{"analyst", "reviewer"}));
  EXPECT_EQ(got->desk, "loans");
  EXPECT_EQ(got->clearance, DataClass::c3);
  EXPECT_EQ(got->tenant.value, "default");
  EXPECT_EQ(got->user.value, "zhao");
  EXPECT_EQ(got->name, "赵敏");
  EXPECT_EQ(got->issuer + "|" + got->subject, "https://login.bank.test|248289761001");
  EXPECT_EQ(map_claims(claims({{"department", "风险部"}}), settings())->roles, std::vector<std::string>{"risk"});
  EXPECT_EQ(map_claims(claims({{"realm_access", {{"roles", {"shop"}}}}}), settings())->tenant.value, "shop");
}

TEST(Map, GivesNothingUnlessARowFits) {
  for (const Json& more : {Json::object(), Json{{"groups", Json::array()}}, Json{{"groups", {"heng-analyst", "HENG-ANALYSTS", "heng-analysts "}}}, Json{{"groups", "heng-analysts,heng-reviewers"}},
                           Json{{"groups", {{"heng-analysts", true}}}}, Json{{"groups", {{"heng-analysts"}}}}, Json{{"groups", 7}}, Json{{"roles", {"admin"}}}, Json{{"tenant", "shop"}}, Json{{"realm_access", "shop"}}}) {
    const auto got = map_claims(claims(more), settings());
    ASSERT_FALSE(got.ok()) << more;
    EXPECT_EQ(got.error().code, ErrorCode::permission_denied) << more;
  }
}

TEST(Map, RefusesWhatContradictsItself) {
  EXPECT_NE(map_claims(claims({{"groups", {"cards", "heng-analysts"}}}), settings()).error().message.find("two desks"), std::string::npos);
  EXPECT_NE(map_claims(claims({{"realm_access", {{"roles", {"shop", "bank"}}}}}), settings()).error().message.find("two tenants"), std::string::npos);
}

TEST(Map, RefusesOversizedAndMissingClaims) {
  const auto message = [](const Json& more) {
    const auto got = map_claims(claims(more), settings());
    return got.ok() ? std::string("taken") : got.error().message;
  };
  EXPECT_NE(message({{"groups", std::vector<std::string>(1001, "heng-analysts")}}).find("more than 1000 entries"), std::string::npos);
  EXPECT_NE(message({{"groups", {"heng-analysts", std::string(257, 'x')}}}).find("256 bytes"), std::string::npos);
  EXPECT_NE(message({{"groups", {"heng-analysts"}}, {"name", std::string(201, 'x')}}).find("200 bytes"), std::string::npos);
  for (const Json& odd : {Json("a b"), Json(""), Json(std::string(65, 'u')), Json(7), Json(nullptr), Json("' OR 1=1 --"), Json("王")})
    EXPECT_NE(message({{"groups", {"heng-analysts"}}, {"preferred_username", odd}}).find("preferred_username"), std::string::npos) << odd;
}

TEST(Map, ASubjectBecomesANameThatStays) {
  Settings by_subject = settings();
  by_subject.user_claim = "sub";
  const auto user = [&](const char* sub) { return map_claims(claims({{"sub", sub}, {"department", "风险部"}}), by_subject)->user.value; };
  EXPECT_EQ(user("248289761001"), "248289761001");
  EXPECT_EQ(user("auth0|5f7c").size(), 5u + 32u);
  EXPECT_EQ(user("auth0|5f7c"), user("auth0|5f7c"));
  EXPECT_NE(user("auth0|5f7c"), user("auth0|5f7d"));
}

TEST(Map, BadRowsAreNamed) {
  const auto why = [](MapRule rule) {
    const auto got = check_map({{.claim = "groups", .value = "x"}, std::move(rule)});
    return got.ok() ? std::string("taken") : got.error().message;
  };
  EXPECT_EQ(why({.claim = "groups", .value = "y", .roles = {"analyst"}}), "taken");
  EXPECT_NE(why({.claim = "groups"}).find("row 2"), std::string::npos);
  EXPECT_NE(why({.claim = "g", .value = "y", .roles = {"a,admin"}}).find("role"), std::string::npos);
  EXPECT_NE(why({.claim = "g", .value = "y", .tenant = "a b"}).find("tenant"), std::string::npos);
  EXPECT_FALSE(check_map({}).ok());
}

}  // namespace
}  // namespace heng::oidc
