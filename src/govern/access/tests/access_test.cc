#include "heng/access/access.h"

#include <gtest/gtest.h>

#include <set>

namespace heng::access {
namespace {

Principal who(const std::string& tenant, std::vector<std::string> roles, const std::string& desk = "", DataClass clearance = DataClass::c1) {
  Principal out;
  out.tenant = TenantId(tenant);
  out.user = UserId("u");
  out.roles = std::move(roles);
  out.desk = desk;
  out.clearance = clearance;
  return out;
}
Resource of(const std::string& tenant, std::vector<std::string> readers = {}) { return {TenantId(tenant), std::move(readers)}; }
const Policy policy = *make_policy({});

TEST(Access, DefaultIsDeny) {
  EXPECT_FALSE(Policy({}).decide(who("bank", {"admin"}), Action::ask, of("bank")));
  EXPECT_EQ(Policy({}).decide(who("bank", {"admin"}), Action::ask, of("bank")).rule, "no rule");
  EXPECT_FALSE(policy.decide(who("", {"admin"}), Action::ask, of("")));
  EXPECT_FALSE(policy.decide(who("bank", {"analyst"}), Action::key_manage, of("bank")));
}

/// The rows of the builtin table, written down a second time: who may do what beyond what everyone may.
TEST(Access, TheBuiltinTableIsAsWritten) {
  const std::set<Action> everyone = {Action::ask, Action::chat, Action::embed, Action::search, Action::kb_list, Action::document_read, Action::feedback, Action::me, Action::review_use};
  const std::vector<std::pair<std::string, std::set<Action>>> extra = {
      {"analyst", {}},
      {"curator", {Action::kb_manage, Action::document_manage}},
      {"reviewer", {Action::review_decide}},
      {"auditor", {Action::audit_read, Action::monitor_read, Action::metrics_read, Action::review_supervise, Action::vault_use}},
      {"privacy", {Action::erase, Action::vault_use, Action::review_decide}},
  };
  for (const auto& [role, actions] : extra)
    for (int i = 0; i < action_count; ++i) {
      const auto action = static_cast<Action>(i);
      EXPECT_EQ(bool(policy.decide(who("bank", {role}), action, of("bank"))), everyone.contains(action) || actions.contains(action)) << role << " " << to_string(action);
    }
  EXPECT_FALSE(policy.decide(who("bank", {"admin"}), Action::review_decide, of("bank")));
}

/// Every combination of tenant, role, desk and class: allowed exactly where all of them fit, computed here in another way.
TEST(Access, TheMatrixHasNoLeak) {
  const std::vector<std::string> tenants = {"bank", "shop"}, roles = {"analyst", "adviser", "board"}, desks = {"", "loans", "cards"};
  const std::vector<DataClass> classes = {DataClass::c1, DataClass::c2, DataClass::c3};
  const char* class_names[] = {"class=C1", "class=C2", "class=C3"};
  int cells = 0, allowed = 0;
  for (const auto& tenant : tenants)
    for (const auto& role : roles)
      for (const auto& desk : desks)
        for (const auto clearance : classes)
          for (const auto& owner : tenants)
            for (const auto& reader : {std::string(), std::string("analyst"), std::string("board")})
              for (const auto& place : desks)
                for (const auto data_class : classes) {
                  std::vector<std::string> labels = {class_names[static_cast<int>(data_class)]};
                  if (!reader.empty()) labels.push_back(reader);
                  if (!place.empty()) labels.push_back("desk=" + place);
                  const bool fits = tenant == owner && (reader.empty() || reader == role) && (place.empty() || place == desk) && clearance >= data_class;
                  const auto principal = who(tenant, {role}, desk, clearance);
                  ASSERT_EQ(bool(policy.decide(principal, Action::document_read, of(owner, labels))), fits);
                  if (tenant == owner) {
                    ASSERT_EQ(may_read(principal, labels), fits);
                  }
                  ++cells;
                  allowed += fits;
                }
  EXPECT_EQ(cells, 2 * 3 * 3 * 3 * 2 * 3 * 3 * 3);
  EXPECT_GT(allowed, 100);
}

TEST(Access, AnAdministratorIsBoundByDeskAndClassToo) {
  EXPECT_FALSE(may_read(who("bank", {"admin"}), {"class=C3"}));
  EXPECT_FALSE(may_read(who("bank", {"admin"}), {"desk=loans"}));
  EXPECT_FALSE(may_read(who("bank", {"admin"}), {"board"}));
}

TEST(Access, MalformedLabelsLock) {
  for (const char* label : {"class=C4", "class=", "desk=", "=x", "colour=red", "class=c3", "subject=", ""}) {
    EXPECT_FALSE(may_read(who("bank", {"admin", label}, "x", DataClass::c3), {label})) << label;
    EXPECT_FALSE(check_readers({label}).ok()) << label;
  }
  EXPECT_TRUE(check_readers({"analyst", "desk=loans", "class=C3", "subject=C-7"}).ok());
  EXPECT_EQ(class_of({"class=C2", "class=C3"}), DataClass::c3);
  EXPECT_EQ(class_of({"class=x"}), DataClass::c3);
  // a role that looks like a label gives nothing
  EXPECT_FALSE(may_read(who("bank", {"desk=loans", "class=C3"}), {"desk=loans", "class=C3"}));
}

TEST(Access, OwnRolesAreBoundByPurposeDeskAndClass) {
  const auto made = make_policy({{.role = "teller", .actions = {Action::kb_manage}, .desks = DeskScope::own, .most_class = DataClass::c2, .purposes = {"customer_service"}}});
  ASSERT_TRUE(made.ok());
  auto teller = who("bank", {"teller"}, "loans", DataClass::c3);
  EXPECT_EQ(made->decide(teller, Action::kb_manage, of("bank")).rule, "purpose");
  teller.purpose = "customer_service";
  EXPECT_EQ(made->decide(teller, Action::kb_manage, of("bank")).rule, "teller");
  EXPECT_EQ(made->decide(teller, Action::kb_manage, of("bank", {"class=C3"})).rule, "class");
  EXPECT_FALSE(make_policy({{.role = "admin", .actions = {Action::ask}}}).ok());
  EXPECT_FALSE(make_policy({{.role = "*", .actions = {Action::erase}}}).ok());
  EXPECT_FALSE(make_policy({{.role = "x"}}).ok());
  EXPECT_TRUE(parse_action("audit.read").ok());
  EXPECT_FALSE(parse_action("audit.write").ok());
}

}  // namespace
}  // namespace heng::access
