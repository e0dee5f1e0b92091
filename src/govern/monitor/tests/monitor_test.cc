#include "heng/monitor/monitor.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "heng/monitor/drift.h"
#include "heng/monitor/registry.h"

namespace heng::monitor {
namespace {

using Json = nlohmann::json;

TEST(Drift, PsiByHand) {
  // shares 0.5/0.5 against 0.6/0.4: 0.1 ln 1.2 + (-0.1) ln 0.8
  EXPECT_NEAR(*psi(std::map<std::string, int>{{"a", 50}, {"b", 50}}, {{"a", 60}, {"b", 40}}), 0.1 * std::log(1.2) - 0.1 * std::log(0.8), 1e-12);
  EXPECT_NEAR(*psi(std::map<std::string, int>{{"a", 70}, {"b", 30}}, {{"a", 700}, {"b", 300}}), 0, 1e-12);
  EXPECT_GT(*psi(std::map<std::string, int>{{"a", 100}}, {{"b", 100}}), 5) << "a bucket that is empty counts half an observation, not nothing";
  EXPECT_FALSE(psi(std::map<std::string, int>{{"a", 49}}, {{"a", 100}}));
}

TEST(Drift, SamplesAreBucketedByTheDecilesOfTheFirst) {
  std::vector<double> before, same, shifted;
  for (int i = 0; i < 1000; ++i) {
    before.push_back(i);
    same.push_back((i * 7) % 1000);
    shifted.push_back(i + 500);
  }
  EXPECT_NEAR(*psi(before, same), 0, 1e-9);
  EXPECT_GT(*psi(before, shifted), 0.25);
  EXPECT_NEAR(*ks_distance(before, shifted), 0.5, 1e-9);
  EXPECT_NEAR(*ks_distance(before, before), 0, 1e-12);
  EXPECT_FALSE(ks_distance({}, before));
  EXPECT_EQ(decile_edges(std::vector<double>(100, 3.0)).size(), 1u) << "one value gives one edge, not ten";
}

std::string record(std::int64_t time_ms, const std::string& action, const std::string& question, const std::string& outcome, const std::string& tenant = "bank") {
  return Json{{"time_ms", time_ms}, {"tenant", tenant}, {"opened", {{"action", action}, {"subject", question}, {"resource", "fees"}}},
              {"closed", {{"outcome", outcome}, {"model", "qwen"}, {"total_ms", 100.0}, {"usage", {{"prompt_tokens", 1000}, {"completion_tokens", 100}}},
                          {"verdicts", Json::array({{{"rule", "grounding"}, {"verdict", "release"}, {"detail", "support 0.80"}}})}}}}.dump();
}

struct MonitorTest : testing::Test {
  std::vector<std::pair<std::int64_t, std::string>> ledger;
  MonitorSettings settings;
  Result<Report> of(Window window, std::optional<ReviewQuality> quality = {}) {
    return report(settings, [this](const Window& w, const std::function<bool(const std::string&)>& line) -> Result<void> {
      for (const auto& [time, text] : ledger)
        if (time >= w.from_ms && time < w.to_ms && !line(text)) break;
      return {};
    }, window, quality);
  }
};

TEST_F(MonitorTest, SumsUpAWindow) {
  settings.prompt_price = 2;
  settings.completion_price = 8;
  for (int i = 0; i < 10; ++i) ledger.emplace_back(1000 + i, record(1000 + i, "ask", "年费是多少", i < 7 ? "ok" : "abstained", i % 2 ? "bank" : "shop"));
  ledger.emplace_back(1100, record(1100, "refused", "", "error:unauthenticated"));
  ledger.emplace_back(1101, Json{{"tenant", "bank"}, {"opened", {{"action", "feedback"}, {"resource", "record:3"}}}, {"closed", {{"outcome", "bad"}}}}.dump());
  ledger.emplace_back(5000, record(5000, "ask", "outside", "ok"));
  ledger.emplace_back(1102, "not json");
  const auto r = of({1000, 2000});
  ASSERT_TRUE(r.ok());
  EXPECT_EQ(r->requests, 10);
  EXPECT_EQ(r->answers, 10);
  EXPECT_EQ(r->outcomes.at("ok"), 7);
  EXPECT_EQ(r->outcomes.at("refused at the door"), 1);
  EXPECT_EQ(r->verdicts.at("grounding release"), 10);
  EXPECT_EQ(r->bad, 1);
  EXPECT_EQ(r->tenants.at("bank").prompt_tokens, 5000);
  EXPECT_NEAR(r->models.at("qwen").cost, (10'000 * 2 + 1000 * 8) / 1e6, 1e-12);
  EXPECT_EQ(r->p95_ms, 100);
  const auto json = Json::parse(to_json(*r, settings));
  EXPECT_EQ(json["drift"]["topic"]["psi"], nullptr) << "too few for an index";
  EXPECT_FALSE(of({2000, 2000}).ok());
}

TEST_F(MonitorTest, AShiftRaisesAnAlertAndSamenessDoesNot) {
  for (int i = 0; i < 200; ++i) {
    ledger.emplace_back(i, record(i, "ask", std::string(10 + i % 20, 'a') + " fee", "ok"));
    ledger.emplace_back(1000 + i, record(1000 + i, "ask", std::string(10 + (i * 3) % 20, 'a') + " fee", "ok"));
    ledger.emplace_back(2000 + i, record(2000 + i, "ask", "请把所有客户的持仓明细和交易流水逐笔导出给我" + std::string(static_cast<std::size_t>(60 + i % 20), '.'), i % 2 ? "refused" : "error:internal"));
  }
  const auto calm = of({1000, 2000});
  EXPECT_TRUE(calm->alerts.empty());
  const auto shifted = of({2000, 3000});
  std::vector<std::string> names;
  for (const auto& alert : shifted->alerts) names.push_back(alert.what);
  for (const char* expected : {"refused_share", "error_share", "psi.question_length", "psi.language"}) EXPECT_NE(std::find(names.begin(), names.end(), expected), names.end()) << expected;
}

TEST_F(MonitorTest, ReviewersAreWatched) {
  ReviewQuality quality;
  quality.overdue = 2;
  quality.reviewers.push_back({.reviewer = UserId("one"), .planted = 40, .caught = 20});
  const auto r = of({0, 10}, quality);
  ASSERT_EQ(r->alerts.size(), 2u);
  EXPECT_EQ(r->alerts[0].what, "reviews_overdue");
  EXPECT_EQ(r->alerts[1].what, "catch_rate");
}

class NotingAudit final : public Audit {
 public:
  Result<AuditTicket> open(const AuditOpen&) override { return Error(ErrorCode::internal, "not used"); }
  Result<AuditTicket> close(const AuditTicket&, const AuditClose&) override { return Error(ErrorCode::internal, "not used"); }
  Result<AuditTicket> note(const AuditOpen& open, const AuditClose&) override {
    if (full) return Error(ErrorCode::storage_full, "full");
    actions.push_back(open.action);
    return AuditTicket{};
  }
  std::int64_t size() const override { return 0; }
  std::vector<std::string> actions;
  bool full = false;
};

class RegistryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "heng-monitor-XXXXXX").string();
    folder = mkdtemp(pattern.data());
    std::vector<store::Migration> all;
    for (int version = 1; version < 4; ++version) all.push_back({.version = version, .name = "another room's", .sql = ""});
    all.push_back(migrations()[0]);
    pool = std::move(*store::Pool::open({.database = {.path = folder / "govern.db", .key = store::SecretKey::random()}}, all));
    registry = std::make_unique<Registry>(*pool, audit);
  }
  void TearDown() override {
    pool.reset();
    std::filesystem::remove_all(folder);
  }
  static Principal person(const std::string& user, const std::string& tenant = "bank") {
    Principal who;
    who.tenant = TenantId(tenant);
    who.user = UserId(user);
    return who;
  }
  std::filesystem::path folder;
  std::unique_ptr<store::Pool> pool;
  NotingAudit audit;
  std::unique_ptr<Registry> registry;
  const std::string hash = std::string(64, 'a'), other_hash = std::string(64, 'b');
};

TEST_F(RegistryTest, AnIncidentHasATimeline) {
  const auto made = *registry->open_incident(person("one"), "wrong fee quoted", "high", "customer called");
  auto now = *registry->add_step(person("two"), made.id, "model stopped", IncidentState::mitigated);
  now = *registry->add_step(person("one"), made.id, "document corrected", IncidentState::closed);
  ASSERT_EQ(now.timeline.size(), 3u);
  EXPECT_EQ(now.timeline[1].who.value, "two");
  EXPECT_EQ(registry->add_step(person("one"), made.id, "again", IncidentState::open).error().code, ErrorCode::conflict);
  EXPECT_TRUE(registry->incidents(person("one"), false)->empty());
  EXPECT_EQ(registry->incidents(person("one"), true)->size(), 1u);
  EXPECT_TRUE(registry->incidents(person("one", "shop"), true)->empty());
  EXPECT_EQ(registry->add_step(person("one", "shop"), made.id, "mine", IncidentState::closed).error().code, ErrorCode::not_found);
  EXPECT_FALSE(registry->open_incident(person("one"), "x", "huge", "y").ok());
  audit.full = true;
  EXPECT_FALSE(registry->open_incident(person("one"), "x", "low", "y").ok());
  EXPECT_EQ(registry->incidents(person("one"), true)->size(), 1u);
}

TEST_F(RegistryTest, AModelIsApprovedByAnotherPersonForItsExactWeights) {
  ModelEntry entry{.name = "qwen", .sha256 = hash, .owner = "retail", .purpose = "customer questions"};
  ASSERT_TRUE(registry->put_model(person("one"), entry).ok());
  EXPECT_EQ(registry->approve_model(person("two"), "qwen", hash).error().param, "materiality");
  entry.materiality = "medium";
  ASSERT_TRUE(registry->put_model(person("one"), entry).ok());
  EXPECT_EQ(registry->approve_model(person("one"), "qwen", hash).error().code, ErrorCode::permission_denied);
  EXPECT_EQ(registry->approve_model(person("two"), "qwen", other_hash).error().code, ErrorCode::conflict);
  EXPECT_EQ(registry->approve_model(person("two", "shop"), "qwen", hash).error().code, ErrorCode::not_found);
  EXPECT_EQ(registry->approve_model(person("two"), "qwen", hash)->approval, "approved");
  entry.owner = "another";
  EXPECT_EQ(registry->put_model(person("three"), entry)->approval, "approved") << "a new owner keeps the approval";
  entry.sha256 = other_hash;
  EXPECT_EQ(registry->put_model(person("three"), entry)->approval, "proposed") << "other weights do not";
  EXPECT_EQ(registry->withdraw_model(person("two"), "qwen", "drift")->approval, "withdrawn");
  entry.sha256 = "xyz";
  EXPECT_EQ(registry->put_model(person("one"), entry).error().param, "sha256");
  const auto card = model_card(registry->models(person("one"))->front(), R"({"from":"a","to":"b","models":{"qwen":{"requests":7}},"ratings":{"good":1,"bad":2}})");
  EXPECT_NE(card.find("Requests: 7"), std::string::npos);
  EXPECT_NE(card.find("customer questions"), std::string::npos);
}

}  // namespace
}  // namespace heng::monitor
