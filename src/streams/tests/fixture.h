#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "heng/base/set_clock.h"
#include "heng/store/pool.h"
#include "heng/streams/engine.h"
#include "heng/streams/migrations.h"

namespace heng::streams {

/// Labels by words: the heads' stand-in for tests of what stands around them.
class WordLabeller final : public Labeller {
 public:
  Result<LabelOutcomes> label(const LabelRequest& request, std::stop_token) override {
    ++calls;
    if (away) return Error(ErrorCode::unavailable, "the model is away");
    LabelOutcomes out;
    for (const auto& item : request.items) {
      const auto has = [&](const char* word) { return item.text.find(word) != std::string::npos; };
      LabelResult result;
      result.label = has("亏损") || has("造假") || has("loss") ? "negative" : has("增长") || has("profit") ? "positive" : "neutral";
      result.confidence = 0.9;
      if (has("unreadable")) out.emplace_back(Error(ErrorCode::invalid_argument, "cannot be read"));
      else out.emplace_back(std::move(result));
      texts.push_back(item.text);
    }
    return out;
  }
  int calls = 0;
  bool away = false;
  std::vector<std::string> texts;
};

/// Finds "造假" as an event whose company is what stands before it.
class WordExtractor final : public Extractor {
 public:
  Result<ExtractionOutcomes> extract(const ExtractRequest& request, std::stop_token) override {
    ExtractionOutcomes out;
    for (const auto& item : request.items) {
      ExtractionResult result;
      if (const auto at = item.text.find("造假"); at != std::string::npos)
        result.events.push_back({"fraud", 0.8, {{"造假", 0, 2, "trigger"}, {item.text.substr(0, at), 0, at / 3, "company"}}});
      out.emplace_back(std::move(result));
    }
    return out;
  }
};

class NotingAudit final : public Audit {
 public:
  Result<AuditTicket> open(const AuditOpen&) override { return Error(ErrorCode::internal, "not used"); }
  Result<AuditTicket> close(const AuditTicket&, const AuditClose&) override { return Error(ErrorCode::internal, "not used"); }
  Result<AuditTicket> note(const AuditOpen& open, const AuditClose& close) override {
    if (full) return Error(ErrorCode::storage_full, "no space left");
    notes.push_back(open.action + " " + open.resource + " " + close.output);
    return AuditTicket{static_cast<std::int64_t>(notes.size()) - 1, open.request, open.principal.tenant};
  }
  std::int64_t size() const override { return static_cast<std::int64_t>(notes.size()); }
  bool full = false;
  std::vector<std::string> notes;
};

inline Principal person(const std::string& user = "an", const std::string& tenant = "default", std::vector<std::string> roles = {"analyst"}) {
  Principal who;
  who.tenant = TenantId(tenant);
  who.user = UserId(user);
  who.roles = std::move(roles);
  return who;
}

class StreamTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "heng-streams-XXXXXX").string();
    folder = mkdtemp(pattern.data());
    open();
  }
  void TearDown() override {
    engine.reset();
    pool.reset();
    std::filesystem::remove_all(folder);
  }
  void open() {
    engine.reset();
    auto made = store::Pool::open({.database = {.path = folder / "streams.db", .key = key}}, migrations());
    ASSERT_TRUE(made.ok()) << made.error().message;
    pool = std::move(*made);
    setup = std::make_unique<SetupFile>(folder / "streams.toml", clock);
    EngineSettings settings;
    settings.resolve = [](const std::string& task) -> Result<TaskKind> {
      if (task == "tone") return TaskKind::label;
      if (task == "events") return TaskKind::events;
      return Error(ErrorCode::not_found, "no task " + task);
    };
    settings.alert_json = [](const Alert& alert) { return "{\"id\":" + std::to_string(alert.id) + "}"; };
    settings.deliver = false;
    auto created = StreamEngine::create(settings, *pool, *setup, &labeller, &extractor, &audit, clock);
    ASSERT_TRUE(created.ok());
    engine = std::move(*created);
  }
  void rules(const std::string& toml) {
    std::ofstream(folder / "streams.toml") << toml;
    open();
    ASSERT_EQ(setup->error(), "");
  }
  PushReport push(const std::string& body, const std::vector<std::string>& tasks = {"tone"}, const std::string& stream = "news", const Principal& who = person()) {
    auto report = engine->push(who, stream, tasks, body, {});
    EXPECT_TRUE(report.ok()) << report.error().message;
    return report.ok() ? *report : PushReport{};
  }
  std::vector<StreamItem> items(bool duplicates = false) {
    ItemQuery query;
    query.after = 0;
    query.limit = 100'000;
    query.duplicates = duplicates;
    return engine->items(person(), query).value();
  }
  std::vector<Alert> alerts() { return engine->alerts(person(), AlertQuery{.after = 0}).value(); }

  std::filesystem::path folder;
  store::SecretKey key = store::SecretKey::random();
  SetClock clock;
  WordLabeller labeller;
  WordExtractor extractor;
  NotingAudit audit;
  std::unique_ptr<store::Pool> pool;
  std::unique_ptr<SetupFile> setup;
  std::unique_ptr<StreamEngine> engine;
};

}  // namespace heng::streams
