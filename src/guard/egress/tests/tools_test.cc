#include <gtest/gtest.h>

#include "heng/guard_egress/tools.h"

namespace heng::guard_egress {
namespace {

const ToolPolicy& policy() {
  static const auto made = [] {
    auto out = ToolPolicy::create(default_tool_policy_text(), "tools.toml");
    EXPECT_TRUE(out.ok()) << out.error().message;
    return std::move(*out);
  }();
  return *made;
}
LabelledValue user(std::string v) { return {std::move(v), {.source = "user", .integrity = Integrity::user}}; }
LabelledValue document(std::string v) { return {std::move(v), {.source = "document:7", .integrity = Integrity::untrusted}}; }
Principal teller() { return {.tenant = TenantId("t"), .user = UserId("u"), .roles = {"teller"}}; }
ToolCall transfer() {
  return {.tool = "transfer", .arguments = {{"amount", user("100.50")}, {"payee", user("DE89370400440532013000")}}, .intent = {.source = "user", .integrity = Integrity::user}};
}

TEST(Tools, MoneyNeedsAPerson) {
  EXPECT_EQ(policy().decide(teller(), transfer()).decision, Decision::confirm);
  auto call = transfer();
  call.arguments["payee"] = document("DE89370400440532013000");
  const auto verdict = policy().decide(teller(), call);
  EXPECT_EQ(verdict.decision, Decision::confirm);
  EXPECT_EQ(verdict.untrusted, std::vector<std::string>{"payee"});
}

TEST(Tools, DeniesWhatNoRuleAllows) {
  const auto denied = [](const ToolCall& call, const Principal& who = teller()) { return policy().decide(who, call).decision == Decision::deny; };
  auto call = transfer();
  EXPECT_TRUE(denied(call, Principal{.roles = {"intern"}}));
  call.quarantined = true;
  EXPECT_TRUE(denied(call));
  call = transfer();
  call.tool = "drop_tables";
  EXPECT_TRUE(denied(call));
  call = transfer();
  call.in_request = 1;
  EXPECT_TRUE(denied(call));
  call = transfer();
  call.in_day = 20;
  EXPECT_TRUE(denied(call));
  call = transfer();
  call.arguments["amount"] = user("1e9");
  EXPECT_TRUE(denied(call));
  call = transfer();
  call.arguments["extra"] = user("x");
  EXPECT_TRUE(denied(call));
  call = transfer();
  call.arguments.erase("payee");
  EXPECT_TRUE(denied(call));
  call = transfer();
  call.arguments["note"] = {"card 4111", {.source = "user", .integrity = Integrity::user, .data_class = DataClass::c2}};
  EXPECT_TRUE(denied(call));
}

TEST(Tools, LinksOnlyToListedHosts) {
  std::string text(default_tool_policy_text());
  const std::string from = "hosts = []";
  text.replace(text.find(from), from.size(), "hosts = [\"bank.example\"]");
  const auto made = std::move(*ToolPolicy::create(text, "t"));
  const auto decide = [&](LabelledValue url) { return made->decide(teller(), {.tool = "open_link", .arguments = {{"url", std::move(url)}}, .intent = {.source = "user", .integrity = Integrity::user}}).decision; };
  EXPECT_EQ(decide(user("https://www.bank.example/x")), Decision::allow);
  for (const char* url : {"http://bank.example/", "https://169.254.169.254/", "https://bank.example@evil.example/", "https://bank.example.evil.example/", "file:///etc/passwd", "https://localhost/"}) EXPECT_EQ(decide(user(url)), Decision::deny) << url;
  EXPECT_EQ(decide(document("https://www.bank.example/x")), Decision::deny);
}

/// A caller that obeys every injected instruction: every tool, every mixture of values from the user and from documents, every wish.
/// Nothing with an effect may happen without a person, whatever it does.
TEST(Tools, WorstCaseCallerDoesNothingByItself) {
  const std::vector<std::string> tools = {"calculator", "search", "transfer", "send_message", "open_link", "grant_access", "shell", "http_post"};
  const std::vector<std::string> names = {"expression", "query", "amount", "payee", "note", "to", "body", "url", "user", "role", "command"};
  const std::vector<std::string> values = {"1+1", "9999.00", "GB82WEST12345698765432", "attacker@evil.example", "https://evil.example/?d=secret", "admin", "rm -rf /", "all customers", "mallory"};
  int tried = 0, unauthorised = 0, confirmed = 0;
  for (const auto& tool : tools)
    for (std::size_t a = 0; a < names.size(); ++a)
      for (std::size_t b = 0; b < names.size(); ++b)
        for (const auto& x : values)
          for (const auto& y : values)
            for (int taint = 0; taint < 4; ++taint) {
              ToolCall call{.tool = tool, .intent = {.source = "document:7", .integrity = Integrity::untrusted}};
              call.arguments[names[a]] = taint & 1 ? document(x) : user(x);
              call.arguments[names[b]] = taint & 2 ? document(y) : user(y);
              const auto verdict = policy().decide({.roles = {"teller", "admin", "customer"}}, call);
              ++tried;
              confirmed += verdict.decision == Decision::confirm;
              const bool has_effect = tool != "calculator" && tool != "search";
              unauthorised += has_effect && verdict.decision == Decision::allow;
            }
  std::printf("worst-case caller: %d calls, %d unauthorised actions, %d put before a person\n", tried, unauthorised, confirmed);
  EXPECT_EQ(unauthorised, 0);
}

TEST(Tools, RefusesDangerousPolicies) {
  const std::string text(default_tool_policy_text());
  const auto refusal = [&](const std::string& from, const std::string& to) {
    std::string changed = text;
    const auto at = changed.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    changed.replace(at, from.size(), to);
    auto made = ToolPolicy::create(changed, "t.toml");
    return made.ok() ? std::string() : made.error().message;
  };
  EXPECT_NE(refusal("per_day = 20\nconfirm = true", "per_day = 20").find("wants no confirmation"), std::string::npos);
  EXPECT_NE(refusal("type = \"account\"\n  required = true\n  least_integrity = \"user\"", "type = \"account\"\n  required = true\n  least_integrity = \"untrusted\"").find("may not come from untrusted"), std::string::npos);
  EXPECT_NE(refusal("name = \"search\"", "name = \"calculator\"").find("twice"), std::string::npos);
  EXPECT_NE(refusal("highest_class = \"C2\"", "highest_class = \"C3\"").find("C3 never goes"), std::string::npos);
}

}  // namespace
}  // namespace heng::guard_egress
