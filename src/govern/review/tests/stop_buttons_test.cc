#include "heng/review/stop_buttons.h"

#include "fixture.h"

namespace heng::review {
namespace {

class StopTest : public GovernTest {
 protected:
  std::unique_ptr<StopButtons> make(store::Pool& from) { return std::move(*StopButtons::create(from, audit, std::chrono::milliseconds(250), clock)); }
  static StopQuestion asks(const std::string& tenant, const std::string& desk = "", const std::string& model = "", const std::string& tool = "") {
    return {TenantId(tenant), desk, model, tool};
  }
  const Principal root = person("root", {"admin"}, "default"), second = person("second", {"admin"}, "default");
  const Principal chief = person("chief", {"supervisor"}), clerk = person("clerk", {"analyst"}), admin = person("admin", {"admin"});
};

TEST_F(StopTest, HaltsWhatItNamesAndNothingElse) {
  auto stops = make(*pool);
  EXPECT_TRUE(stops->check(asks("bank", "loans", "qwen", "calculator")).ok());
  ASSERT_TRUE(stops->stop(root, StopKind::model, "qwen", "wrong figures").ok());
  const auto halted = stops->check(asks("bank", "loans", "qwen"));
  ASSERT_FALSE(halted.ok());
  EXPECT_EQ(halted.error().code, ErrorCode::policy_denied);
  EXPECT_NE(halted.error().message.find("wrong figures"), std::string::npos);
  EXPECT_TRUE(stops->check(asks("bank", "loans", "other")).ok());
  ASSERT_TRUE(stops->stop(root, StopKind::desk, "loans", "x").ok());
  EXPECT_FALSE(stops->check(asks("bank", "loans", "other")).ok());
  EXPECT_TRUE(stops->check(asks("bank", "cards", "other")).ok());
  ASSERT_TRUE(stops->stop(root, StopKind::tool, "transfer", "x").ok());
  EXPECT_FALSE(stops->check(asks("bank", "", "", "transfer")).ok());
  ASSERT_TRUE(stops->stop(root, StopKind::tenant, "shop", "x").ok());
  EXPECT_FALSE(stops->check(asks("shop")).ok());
  EXPECT_TRUE(stops->check(asks("bank")).ok());
  ASSERT_TRUE(stops->stop(root, StopKind::everything, "", "x").ok());
  EXPECT_FALSE(stops->check(asks("bank")).ok());
  EXPECT_FALSE(stops->check(asks("")).ok());
  EXPECT_EQ(audit.count("stop"), 5);
}

TEST_F(StopTest, ATenantCannotHaltAnother) {
  auto stops = make(*pool);
  EXPECT_EQ(stops->stop(admin, StopKind::everything, "", "x").error().code, ErrorCode::permission_denied);
  EXPECT_EQ(stops->stop(admin, StopKind::tenant, "shop", "x").error().code, ErrorCode::permission_denied);
  EXPECT_EQ(stops->stop(clerk, StopKind::model, "qwen", "x").error().code, ErrorCode::permission_denied);
  auto own = stops->stop(chief, StopKind::model, "qwen", "x");
  ASSERT_TRUE(own.ok());
  EXPECT_FALSE(stops->check(asks("bank", "", "qwen")).ok());
  EXPECT_TRUE(stops->check(asks("shop", "", "qwen")).ok());
  EXPECT_TRUE(stops->list(person("x", {"admin"}, "shop"), true)->empty());
  EXPECT_EQ(stops->resume(person("x", {"admin"}, "shop"), own->id, "mine now").error().code, ErrorCode::not_found);
  EXPECT_EQ(stops->stop(chief, StopKind::model, "qwen", " ").error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(stops->stop(chief, StopKind::model, "", "x").error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(stops->stop(chief, StopKind::model, "\xff", "x").error().code, ErrorCode::invalid_argument);
}

TEST_F(StopTest, OnePersonAloneNeverLiftsIt) {
  auto stops = make(*pool);
  const auto id = stops->stop(root, StopKind::everything, "", "drill")->id;
  auto asked = stops->resume(root, id, "over");
  ASSERT_TRUE(asked.ok());
  EXPECT_EQ(asked->resumed_ms, 0);
  EXPECT_FALSE(stops->check(asks("bank")).ok());
  EXPECT_EQ(stops->resume(root, id, "over").error().code, ErrorCode::conflict);
  EXPECT_EQ(stops->resume(admin, id, "over").error().code, ErrorCode::permission_denied);
  ASSERT_TRUE(stops->resume(second, id, "seen").ok());
  EXPECT_TRUE(stops->check(asks("bank")).ok());
  EXPECT_EQ(stops->resume(second, id, "again").error().code, ErrorCode::conflict);
  EXPECT_EQ(audit.count("resume.ask"), 1);
  EXPECT_EQ(audit.count("resume"), 1);
  EXPECT_TRUE(stops->list(root, false)->empty());
  EXPECT_EQ(stops->list(root, true)->size(), 1u);
}

TEST_F(StopTest, CountsInOtherProcessesAndAfterARestart) {
  auto here = make(*pool);
  auto other_pool = open_pool();
  auto there = make(*other_pool);
  ASSERT_TRUE(here->stop(root, StopKind::everything, "", "x").ok());
  clock.now += 250;
  EXPECT_FALSE(there->check(asks("bank")).ok());
  here.reset();
  here = make(*pool);
  EXPECT_FALSE(here->check(asks("bank")).ok());
}

TEST_F(StopTest, AFullLedgerNeitherLiftsNorPreventsAStop) {
  auto stops = make(*pool);
  audit.full = true;
  const auto made = stops->stop(root, StopKind::everything, "", "x");
  EXPECT_EQ(made.error().code, ErrorCode::unavailable);
  EXPECT_FALSE(stops->check(asks("bank")).ok());
  audit.full = false;
  const auto id = stops->list(root, false)->front().id;
  ASSERT_TRUE(stops->resume(root, id, "x").ok());
  audit.full = true;
  EXPECT_FALSE(stops->resume(second, id, "x").ok());
  EXPECT_FALSE(stops->check(asks("bank")).ok());
}

TEST_F(StopTest, AListThatCannotBeReadHalts) {
  auto stops = make(*pool);
  {
    auto writer = *pool->writer();
    ASSERT_TRUE(writer->execute("DROP TABLE stop").ok());
  }
  clock.now += 1000;
  EXPECT_FALSE(stops->check(asks("bank")).ok());
}

}  // namespace
}  // namespace heng::review
