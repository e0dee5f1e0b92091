#include "heng/batches/engine.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "heng/batches/migrations.h"

namespace heng::batches {
namespace {

using nlohmann::json;

class SetClock final : public Clock {
 public:
  std::atomic<std::int64_t> now{1'780'000'000'000};
  std::int64_t unix_ms() const override { return now; }
  SteadyTime steady() const override { return std::chrono::steady_clock::now(); }
};

/// Answers a line with its own body; what it should do otherwise is said by the body.
class Echo final : public BatchExecutor {
 public:
  Result<void> may(const Principal& who, const std::string& endpoint) override {
    if (endpoint != "/v1/label") return Error(ErrorCode::unsupported, "no such endpoint", "endpoint");
    if (gone && who.user.value == "an") return Error(ErrorCode::unauthenticated, "the key is revoked");
    if (halted) return Error(ErrorCode::policy_denied, "stopped by a button");
    return {};
  }
  BatchAnswer run(const BatchCall& call, std::stop_token stop) override {
    const auto body = json::parse(call.body);
    while (hold && !stop.stop_requested()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    if (stop.stop_requested()) return {499, "{}", 0, 0};
    const std::lock_guard lock(mutex);
    const int n = body.value("n", -1);
    ++asked[n];
    users.insert(call.principal.tenant.value + "/" + call.principal.user.value);
    if (body.contains("status")) return {body["status"].get<int>(), R"({"error":{"code":"invalid_argument"}})", 0, 0};
    if (body.contains("busy") && asked[n] <= body["busy"].get<int>()) return {429, "{}", 50, 0};
    if (body.contains("away")) return {503, R"({"error":{"code":"unavailable"}})", 50, 3};
    return {200, fmt::format(R"({{"n":{},"usage":{{"prompt_tokens":3,"completion_tokens":2}}}})", n), 0, 0};
  }
  Result<void> ending(const Principal&, const BatchInfo& batch) override {
    const std::lock_guard lock(mutex);
    if (unrecorded > 0) {
      --unrecorded;
      return Error(ErrorCode::unavailable, "the ledger is full");
    }
    ended.push_back(batch.id + " " + std::string(to_string(batch.status)));
    return {};
  }
  std::mutex mutex;
  std::map<int, int> asked;
  std::set<std::string> users;
  std::vector<std::string> ended;
  std::atomic<bool> hold{false}, gone{false}, halted{false};
  int unrecorded = 0;
};

Principal person(const std::string& user = "an", const std::string& tenant = "default", std::vector<std::string> roles = {"analyst"}) {
  Principal who;
  who.tenant = TenantId(tenant);
  who.user = UserId(user);
  who.key = KeyId("k1");
  who.roles = std::move(roles);
  return who;
}

class BatchTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "heng-batches-XXXXXX").string();
    folder = mkdtemp(pattern.data());
    settings.worker_niceness = 0;
    settings.save_interval_ms = 0;
    open();
  }
  void TearDown() override {
    engine.reset();
    pool.reset();
    std::filesystem::remove_all(folder);
  }
  void open() {
    engine.reset();
    pool.reset();
    auto made = store::Pool::open({.database = {.path = folder / "batches.db", .key = key}}, migrations());
    ASSERT_TRUE(made.ok()) << made.error().message;
    pool = std::move(*made);
    engine = std::make_unique<BatchEngine>(settings, *pool, clock);
    ASSERT_TRUE(engine->serve(echo).ok());
  }
  static std::string line(int n, const std::string& more = "") { return fmt::format(R"({{"custom_id":"c{}","method":"POST","url":"/v1/label","body":{{"n":{}{}}}}})", n, n, more) + "\n"; }
  static std::string lines(int count) {
    std::string out;
    for (int n = 0; n < count; ++n) out += line(n);
    return out;
  }
  std::string upload(const std::string& bytes, const Principal& who = person()) {
    const auto file = engine->add_file(who, {"in.jsonl", "batch", bytes, 0});
    EXPECT_TRUE(file.ok()) << file.error().message;
    return file.ok() ? file->id : "";
  }
  std::string start(const std::string& bytes, const std::string& window = "24h", const Principal& who = person()) {
    const auto batch = engine->create(who, {.endpoint = "/v1/label", .input_file = upload(bytes, who), .window = window});
    EXPECT_TRUE(batch.ok()) << batch.error().message;
    return batch.ok() ? batch->id : "";
  }
  BatchInfo info(const std::string& id) { return engine->batch(person("root", "default", {"admin"}), id).value(); }
  bool eventually(const std::function<bool()>& holds) {
    for (int i = 0; i < 2000 && !holds(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    return holds();
  }
  BatchInfo over(const std::string& id) {
    EXPECT_TRUE(eventually([&] { return is_over(info(id).status); })) << to_string(info(id).status);
    return info(id);
  }
  std::vector<json> read(const std::string& file, const Principal& who = person()) {
    std::string bytes;
    const auto done = engine->content(who, file, [&](std::string_view piece) { return bytes += piece, true; });
    EXPECT_TRUE(done.ok());
    std::vector<json> out;
    for (std::size_t at = 0; at < bytes.size();) {
      const auto end = bytes.find('\n', at);
      out.push_back(json::parse(bytes.substr(at, end - at)));
      at = end + 1;
    }
    return out;
  }

  std::filesystem::path folder;
  store::SecretKey key = store::SecretKey::random();
  SetClock clock;
  BatchSettings settings;
  Echo echo;
  std::unique_ptr<store::Pool> pool;
  std::unique_ptr<BatchEngine> engine;
};

TEST_F(BatchTest, AnswersEveryLineOnceInOrder) {
  const auto batch = over(start(lines(500)));
  EXPECT_EQ(batch.status, BatchStatus::completed);
  EXPECT_EQ(batch.total, 500);
  EXPECT_EQ(batch.completed, 500);
  EXPECT_EQ(batch.failed, 0);
  EXPECT_EQ(batch.usage.prompt_tokens, 1500);
  EXPECT_TRUE(batch.error_file.empty());
  const auto out = read(batch.output_file);
  ASSERT_EQ(out.size(), 500u);
  for (int n = 0; n < 500; ++n) {
    EXPECT_EQ(out[static_cast<std::size_t>(n)]["custom_id"], "c" + std::to_string(n));
    EXPECT_EQ(out[static_cast<std::size_t>(n)]["response"]["body"]["n"], n);
    EXPECT_EQ(echo.asked[n], 1);
  }
  const auto file = engine->file(person(), batch.output_file).value();
  EXPECT_EQ(file.purpose, "batch_output");
  EXPECT_GT(file.bytes, 0);
  EXPECT_EQ(echo.ended, std::vector<std::string>{batch.id + " completed"});
}

TEST_F(BatchTest, BadLinesGetTheirPlaceInTheErrorFile) {
  const auto batch = over(start(line(0) + "{\"broken\n" + "\n" + line(1, ",\"status\":400") + line(0) + "{\"custom_id\":\"u\",\"x\":\"\xff\"}\n" + line(2)));
  EXPECT_EQ(batch.status, BatchStatus::completed);
  EXPECT_EQ(batch.total, 6);
  EXPECT_EQ(batch.completed, 2);
  EXPECT_EQ(batch.failed, 4);
  ASSERT_EQ(batch.problems.size(), 3u);
  EXPECT_EQ(batch.problems[0].line, 2);
  EXPECT_EQ(batch.problems[1].line, 5);
  EXPECT_NE(batch.problems[1].message.find("line 1 already"), std::string::npos);
  EXPECT_EQ(batch.problems[2].line, 6);
  const auto failed = read(batch.error_file);
  ASSERT_EQ(failed.size(), 4u);
  EXPECT_EQ(failed[0]["error"]["line"], 2);
  EXPECT_EQ(failed[1]["response"]["status_code"], 400);
  EXPECT_EQ(failed[1]["custom_id"], "c1");
  EXPECT_EQ(read(batch.output_file).size(), 2u);
  EXPECT_EQ(echo.asked[0], 1);
}

TEST_F(BatchTest, AFileWithoutAUsableLineFails) {
  const auto batch = over(start("{\n[]\n"));
  EXPECT_EQ(batch.status, BatchStatus::failed);
  EXPECT_EQ(batch.problems.at(0).code, "no_usable_line");
  EXPECT_EQ(read(batch.error_file).size(), 2u);
  EXPECT_TRUE(batch.output_file.empty());
}

TEST_F(BatchTest, TooManyLinesAreRefusedBeforeAnyIsAsked) {
  settings.lines = 10;
  open();
  const auto batch = over(start(lines(11)));
  EXPECT_EQ(batch.status, BatchStatus::failed);
  EXPECT_EQ(batch.problems.at(0).code, "too_many_lines");
  EXPECT_TRUE(echo.asked.empty());
}

TEST_F(BatchTest, GoesOnBehindWhatIsAnswered) {
  settings.parallel = 2;
  open();
  std::string bytes;
  for (int n = 0; n < 200; ++n) bytes += line(n);
  const auto id = start(bytes);
  ASSERT_TRUE(eventually([&] { return info(id).completed >= 20; }));
  open();   // the process ends and another begins
  open();
  const auto batch = over(id);
  EXPECT_EQ(batch.status, BatchStatus::completed);
  EXPECT_EQ(batch.completed, 200);
  EXPECT_EQ(batch.total, 200);
  const auto out = read(batch.output_file);
  ASSERT_EQ(out.size(), 200u);
  for (int n = 0; n < 200; ++n) EXPECT_EQ(out[static_cast<std::size_t>(n)]["custom_id"], "c" + std::to_string(n));
}

TEST_F(BatchTest, CancelKeepsWhatIsAnsweredAndSaysSoOfTheRest) {
  settings.parallel = 2;
  open();
  const auto id = start(lines(100));
  ASSERT_TRUE(eventually([&] { return info(id).completed >= 5; }));
  echo.hold = true;
  ASSERT_TRUE(engine->cancel(person(), id).ok());
  const auto batch = over(id);
  EXPECT_EQ(batch.status, BatchStatus::cancelled);
  EXPECT_EQ(batch.completed + batch.failed, 100);
  EXPECT_GT(batch.cancelled_ms, 0);
  EXPECT_EQ(read(batch.output_file).size(), static_cast<std::size_t>(batch.completed));
  const auto failed = read(batch.error_file);
  EXPECT_EQ(failed.size(), static_cast<std::size_t>(batch.failed));
  EXPECT_EQ(failed[0]["error"]["code"], "batch_cancelled");
  EXPECT_EQ(engine->cancel(person(), id).error().code, ErrorCode::conflict);
}

TEST_F(BatchTest, CancelHoldsAcrossARestart) {
  echo.hold = true;
  const auto id = start(lines(10));
  ASSERT_TRUE(eventually([&] { return info(id).status == BatchStatus::in_progress; }));
  engine->close();
  EXPECT_EQ(engine->cancel(person(), id)->status, BatchStatus::cancelling);
  echo.hold = false;
  open();
  EXPECT_EQ(over(id).status, BatchStatus::cancelled);
  EXPECT_TRUE(echo.asked.empty());
}

TEST_F(BatchTest, ExpiresWithTheRestInTheErrorFile) {
  const auto id = start(line(0) + line(1, ",\"busy\":1000000"), "30s");
  ASSERT_TRUE(eventually([&] { return info(id).completed == 1; }));
  clock.now += 31'000;
  const auto batch = over(id);
  EXPECT_EQ(batch.status, BatchStatus::expired);
  EXPECT_EQ(batch.completed, 1);
  EXPECT_EQ(read(batch.error_file).at(0)["error"]["code"], "batch_expired");
}

TEST_F(BatchTest, WaitsWhereAQuotaIsUsedUpAndGivesUpOnWhatStaysAway) {
  const auto id = start(line(0, ",\"busy\":2") + line(1, ",\"away\":1"));
  ASSERT_TRUE(eventually([&] {
    clock.now += 40'000;   // pauses go by; the window does not
    return is_over(info(id).status);
  }));
  const auto batch = info(id);
  EXPECT_EQ(batch.status, BatchStatus::completed);
  EXPECT_EQ(batch.completed, 1);
  EXPECT_EQ(echo.asked[0], 3);
  EXPECT_EQ(echo.asked[1], 3);
  EXPECT_EQ(read(batch.error_file).at(0)["response"]["status_code"], 503);
}

TEST_F(BatchTest, ALostKeyEndsItsBatchesOnly) {
  echo.hold = true;
  const auto mine = start(lines(50)), other = start(lines(3), "24h", person("bo"));
  ASSERT_TRUE(eventually([&] { return info(mine).status == BatchStatus::in_progress; }));
  echo.gone = true;
  echo.hold = false;
  const auto batch = over(mine);
  EXPECT_EQ(batch.status, BatchStatus::failed);
  EXPECT_EQ(batch.problems.at(0).code, "unauthenticated");
  EXPECT_EQ(batch.completed + batch.failed, 50);
  EXPECT_EQ(over(other).status, BatchStatus::completed);
}

TEST_F(BatchTest, AStopButtonHoldsItUntilItIsLifted) {
  echo.hold = true;
  const auto id = start(lines(20));
  ASSERT_TRUE(eventually([&] { return info(id).status == BatchStatus::in_progress; }));
  echo.halted = true;
  echo.hold = false;
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  EXPECT_LE(info(id).completed, settings.parallel);
  echo.halted = false;
  clock.now += 10'000;
  EXPECT_EQ(over(id).completed, 20);
}

TEST_F(BatchTest, TenantsAndUsersAreApart) {
  const auto id = start(lines(3));
  const auto batch = over(id);
  const Principal colleague = person("bo"), elsewhere = person("an", "other"), foreign_admin = person("an", "other", {"admin"}), admin = person("root", "default", {"admin"});
  for (const auto& who : {colleague, elsewhere, foreign_admin}) {
    EXPECT_EQ(engine->file(who, batch.input_file).error().code, ErrorCode::not_found);
    EXPECT_EQ(engine->content(who, batch.output_file, [](std::string_view) { return true; }).error().code, ErrorCode::not_found);
    EXPECT_EQ(engine->remove_file(who, batch.input_file).error().code, ErrorCode::not_found);
    EXPECT_EQ(engine->batch(who, id).error().code, ErrorCode::not_found);
    EXPECT_EQ(engine->cancel(who, id).error().code, ErrorCode::not_found);
    EXPECT_EQ(engine->create(who, {.endpoint = "/v1/label", .input_file = batch.input_file}).error().code, ErrorCode::not_found);
    EXPECT_TRUE(engine->files(who, {}).value().items.empty());
    EXPECT_TRUE(engine->batches(who, "", 20).value().items.empty());
    EXPECT_EQ(engine->batches(who, id, 20).error().code, ErrorCode::not_found);
  }
  EXPECT_EQ(engine->files(admin, {}).value().items.size(), 2u);
  EXPECT_EQ(echo.users, std::set<std::string>{"default/an"}) << "lines are asked by who made the batch";
}

TEST_F(BatchTest, LimitsAndKinds) {
  settings.file_bytes = 2000;
  settings.tenant_bytes = 3000;
  settings.tenant_files = 3;
  settings.tenant_batches = 1;
  open();
  EXPECT_EQ(engine->add_file(person(), {"a.jsonl", "batch", std::string(2001, 'x'), 0}).error().code, ErrorCode::too_large);
  EXPECT_EQ(engine->add_file(person(), {"a.jsonl", "fine-tune", "{}", 0}).error().param, "purpose");
  EXPECT_EQ(engine->add_file(person(), {"a.exe", "batch", "{}", 0}).error().param, "file");
  EXPECT_EQ(engine->add_file(person(), {"a.jsonl", "batch", "{}", 5}).error().param, "expires_after");
  upload("{" + std::string(1900, ' ') + "}");
  EXPECT_EQ(engine->add_file(person("bo"), {"b.jsonl", "batch", "{" + std::string(1900, ' ') + "}", 0}).error().code, ErrorCode::rate_limited);
  upload("{}", person("an", "other"));
  echo.hold = true;
  const auto id = start(line(1));
  EXPECT_EQ(engine->create(person(), {.endpoint = "/v1/label", .input_file = info(id).input_file}).error().code, ErrorCode::rate_limited);
  EXPECT_EQ(engine->remove_file(person(), info(id).input_file).error().code, ErrorCode::conflict);
  for (const char* window : {"", "24", "h", "-1h", "8d", "0s", "1y", "99999999h"})
    EXPECT_EQ(engine->create(person(), {.endpoint = "/v1/label", .input_file = info(id).input_file, .window = window}).error().param, "completion_window") << window;
  EXPECT_EQ(engine->create(person(), {.endpoint = "/v1/audit", .input_file = info(id).input_file}).error().param, "endpoint");
  echo.hold = false;
  over(id);
  EXPECT_EQ(engine->create(person(), {.endpoint = "/v1/label", .input_file = info(id).output_file}).error().param, "input_file_id");
  EXPECT_EQ(engine->add_file(person(), {"c.jsonl", "batch", "{}", 0}).error().code, ErrorCode::rate_limited) << "the number of files";
  EXPECT_TRUE(engine->remove_file(person(), info(id).output_file).ok());
  EXPECT_EQ(engine->file(person(), info(id).output_file).error().code, ErrorCode::not_found);
}

TEST_F(BatchTest, PagesGoOnBehindAnId) {
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(upload("{}"));
  const auto first = engine->files(person(), {.limit = 2}).value();
  EXPECT_TRUE(first.more);
  EXPECT_EQ(first.items[0].id, ids[4]);
  const auto second = engine->files(person(), {.after = first.items[1].id, .limit = 3}).value();
  EXPECT_FALSE(second.more);
  EXPECT_EQ(second.items[2].id, ids[0]);
  EXPECT_EQ(engine->files(person(), {.limit = 1, .oldest_first = true}).value().items[0].id, ids[0]);
  EXPECT_TRUE(engine->files(person(), {.purpose = "batch_output"}).value().items.empty());
}

TEST_F(BatchTest, FilesExpireUnlessABatchReadsThem) {
  echo.hold = true;
  const auto lonely = upload("{}");
  const auto id = start(lines(2), "7d");
  const auto input = info(id).input_file;
  ASSERT_TRUE(eventually([&] { return info(id).status == BatchStatus::in_progress; }));
  {
    auto writer = pool->writer().value();
    ASSERT_TRUE(writer->run("UPDATE file SET expires_ms = ?", clock.now.load() + 1).ok());
  }
  clock.now += 100'000;
  EXPECT_TRUE(eventually([&] { return !engine->file(person(), lonely).ok(); }));
  EXPECT_TRUE(engine->file(person(), input).ok());
  echo.hold = false;
  const auto batch = over(id);
  EXPECT_EQ(batch.completed, 2);
  clock.now += 31LL * 86'400'000;
  EXPECT_TRUE(eventually([&] { return !engine->file(person(), batch.output_file).ok() && !engine->file(person(), input).ok(); }));
}

TEST_F(BatchTest, DoesNotEndBeforeItsEndIsOnRecord) {
  echo.unrecorded = 1;
  const auto id = start(lines(3));
  ASSERT_TRUE(eventually([&] { const std::lock_guard lock(echo.mutex); return echo.unrecorded == 0; }));
  EXPECT_FALSE(is_over(info(id).status));
  clock.now += 10'000;
  EXPECT_EQ(over(id).completed, 3);
}

TEST_F(BatchTest, ErasesASubject) {
  Principal who = person();
  who.data_subject = "C-1";
  const auto id = start(lines(3), "24h", who);
  const auto kept = start(lines(2));
  over(id);
  over(kept);
  engine->close();
  EXPECT_EQ(erase_subject(*pool, who.tenant, "C-1").value(), 3);   // input, output, batch
  EXPECT_FALSE(engine->batch(person(), id).ok());
  EXPECT_TRUE(engine->batch(person(), kept).ok());
  auto reader = pool->reader().value();
  EXPECT_EQ(reader->query_integer("SELECT COUNT(*) FROM line").value(), 2);
  EXPECT_EQ(reader->query_integer("SELECT COUNT(*) FROM part").value(), 1);
}

TEST_F(BatchTest, WhatIsErasedWhileItRunsLeavesNothing) {
  Principal who = person();
  who.data_subject = "C-2";
  echo.hold = true;
  const auto id = start(lines(20), "24h", who);
  ASSERT_TRUE(eventually([&] { return info(id).status == BatchStatus::in_progress; }));
  EXPECT_EQ(erase_subject(*pool, who.tenant, "C-2").value(), 2);
  echo.hold = false;
  EXPECT_EQ(over(start(lines(3))).completed, 3);
  engine->close();
  auto reader = pool->reader().value();
  EXPECT_EQ(reader->query_integer("SELECT COUNT(*) FROM line").value(), 3);
  EXPECT_EQ(reader->query_integer("SELECT COUNT(*) FROM file").value(), 2);
}

TEST_F(BatchTest, TwoProcessesDoNotWorkOnTheSame) {
  BatchEngine second(settings, *pool, clock);
  EXPECT_EQ(second.serve(echo).error().code, ErrorCode::conflict);
  EXPECT_EQ(second.create(person(), {.endpoint = "/v1/label", .input_file = upload(line(1))}).error().code, ErrorCode::unavailable);
}

TEST_F(BatchTest, NothingIsReadableOnDisk) {
  over(start(line(1, ",\"secret\":\"MARKER-4711\"")));
  engine.reset();
  pool.reset();
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string bytes(std::istreambuf_iterator<char>(in), {});
    EXPECT_EQ(bytes.find("MARKER-4711"), std::string::npos) << entry.path();
  }
}

}  // namespace
}  // namespace heng::batches
