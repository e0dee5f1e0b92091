#include "heng/audit/ledger.h"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <set>
#include <thread>

#include "fixture.h"

namespace heng::audit {
namespace {

TEST(Ledger, OpensAndClosesDurably) {
  Fixture f;
  auto ledger = f.ledger();
  auto opened = ledger->open(opening("what is the rate?"));
  ASSERT_OK(opened);
  EXPECT_EQ(opened->index, 0);
  auto closed = ledger->close(*opened, closing("3.5%"));
  ASSERT_OK(closed);
  EXPECT_EQ(closed->index, 1);
  ASSERT_OK(ledger->note(opening("refused"), closing("")));
  EXPECT_EQ(ledger->size(), 3);
  ledger.reset();
  f.expect_whole(3);
  auto again = f.ledger();
  EXPECT_EQ(again->size(), 3);
  EXPECT_EQ(again->close({.index = 9}, closing("")).error().code, ErrorCode::invalid_argument);
  // a ticket without a tenant: the ledger looks it up
  ASSERT_OK(again->close({.index = 0}, closing("again")));
}

TEST(Ledger, NoPlaintextOnDisk) {
  Fixture f;
  auto ledger = f.ledger();
  ASSERT_OK(ledger->note(opening("zyzzyvaquestion", "tenantzyzzyva"), closing("zyzzyvaanswer")));
  for (const auto& file : std::filesystem::recursive_directory_iterator(f.folder)) {
    if (file.is_regular_file()) {
      EXPECT_EQ(read_file(file.path()).find("zyzzyva"), std::string::npos) << file.path();
    }
  }
}

TEST(Ledger, ManyThreadsShareGroupsAndEachIndexIsGivenOnce) {
  Fixture f;
  auto ledger = f.ledger();
  constexpr int threads = 32, each = 40;
  std::mutex mutex;
  std::set<std::int64_t> indexes;
  std::vector<std::thread> pool;
  for (int t = 0; t < threads; ++t) {
    pool.emplace_back([&, t] {
      for (int i = 0; i < each; ++i) {
        auto ticket = ledger->note(opening(std::to_string(t) + "/" + std::to_string(i)), closing("x"));
        std::lock_guard lock(mutex);
        if (ticket.ok()) indexes.insert(ticket->index);
      }
    });
  }
  for (auto& thread : pool) thread.join();
  EXPECT_EQ(indexes.size(), static_cast<std::size_t>(threads * each));
  EXPECT_EQ(*indexes.rbegin(), threads * each - 1);
  EXPECT_LT(ledger->groups(), static_cast<std::uint64_t>(threads * each) / 2);
  ledger.reset();
  f.expect_whole(threads * each);
}

TEST(Ledger, GrowsPastTwoLevelsOfTiles) {
  Fixture f;
  auto ledger = f.ledger();
  std::atomic<int> done = 0;
  const int count = 66'000;
  for (int i = 0; i < count; ++i) {
    while (i - done > 50'000) std::this_thread::yield();
    ledger->note_async(opening("q"), {}, [&](Result<AuditTicket> ticket) { if (ticket.ok()) ++done; });
  }
  ledger.reset();
  EXPECT_EQ(done, count);
  EXPECT_TRUE(std::filesystem::exists(f.settings.folder / "tile/2/000.p/1"));
  auto again = f.ledger();
  ASSERT_OK(again->note(opening("one more"), {}));
  auto reader = f.reader();
  for (const std::uint64_t index : {0, 255, 256, 65'535, 65'536, 66'000}) ASSERT_OK(reader->prove(index));
  auto report = reader->verify({.decrypt = false});
  ASSERT_OK(report);
  EXPECT_EQ(report->problem_count, 0U) << report->problems[0].message;
}

TEST(Ledger, TwoProcessesAppendToOne) {
  Fixture f;
  f.ledger();
  std::vector<pid_t> children;
  for (int c = 0; c < 3; ++c) {
    const pid_t child = fork();
    if (child == 0) {
      auto keyring = store::Keyring::open(f.folder / "keyring", f.master);
      auto ledger = Ledger::create(f.settings, **keyring);
      int good = 0;
      for (int i = 0; ledger.ok() && i < 150; ++i) good += (*ledger)->note(opening(std::to_string(c) + "-" + std::to_string(i)), {}).ok();
      _exit(good == 150 ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 1;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  f.expect_whole(450);
  std::set<std::string> subjects;
  ASSERT_OK(f.reader()->export_lines(0, 1000, [&](const std::string& line) { return subjects.insert(line.substr(line.find("\"subject\""), 24)).second || true; }));
  EXPECT_EQ(subjects.size(), 450U);
}

TEST(Ledger, AnotherMasterKeyIsRefused) {
  Fixture f;
  ASSERT_OK(f.ledger()->note(opening("x"), {}));
  auto other = store::Keyring::open(f.folder / "other", store::SecretKey::random());
  auto refused = Ledger::create(f.settings, **other);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::corrupt);
}

TEST(Ledger, LimitsAreTyped) {
  Fixture f;
  f.settings.record_bytes = 2000;
  auto ledger = f.ledger();
  EXPECT_EQ(ledger->note(opening(std::string(3000, 'x')), {}).error().code, ErrorCode::too_large);
  EXPECT_EQ(ledger->note(opening("x", "heng:ledger-signing"), {}).error().code, ErrorCode::invalid_argument);
  f.settings.queue_records = 0;
  f.settings.folder = f.folder / "second";
  EXPECT_EQ(f.ledger()->note(opening("x"), {}).error().code, ErrorCode::overloaded);
  f.settings.origin = "has space";
  EXPECT_FALSE(Ledger::create(f.settings, *f.keyring).ok());
}

TEST(Ledger, DamageOfTheTailIsFoundAtOpen) {
  Fixture f;
  {
    auto ledger = f.ledger();
    for (int i = 0; i < 5; ++i) ASSERT_OK(ledger->note(opening("x"), {}));
  }
  const auto damage = [&](const char* file, auto change) {
    const auto path = f.settings.folder / file;
    const std::string good = read_file(path);
    std::string bad = good;
    change(bad);
    write_file(path, bad);
    auto refused = Ledger::create(f.settings, *f.keyring);
    EXPECT_FALSE(refused.ok()) << file;
    if (!refused.ok()) {
      EXPECT_EQ(refused.error().code, ErrorCode::corrupt) << refused.error().message;
    }
    write_file(path, good);
    return refused.ok() ? std::string() : refused.error().message;
  };
  const auto flip = [](std::string& bytes) { bytes[200] = static_cast<char>(bytes[200] ^ 1); };
  EXPECT_NE(damage("tile/entries/000.p/5", flip).find("record 2"), std::string::npos);
  damage("tile/0/000.p/5", [](std::string& bytes) { bytes[40] = static_cast<char>(bytes[40] ^ 1); });
  damage("tile/0/000.p/5", [](std::string& bytes) { bytes.resize(100); });
  damage("content/000", [](std::string& bytes) { bytes.resize(bytes.size() - 1); });
  damage("checkpoint", [](std::string& bytes) { bytes[25] = static_cast<char>(bytes[25] ^ 1); });
  damage("checkpoint", [](std::string& bytes) { bytes.clear(); });
  std::filesystem::rename(f.settings.folder / "checkpoint", f.settings.folder / "gone");
  EXPECT_EQ(Ledger::create(f.settings, *f.keyring).error().code, ErrorCode::corrupt);
}

TEST(Ledger, BackupWhileAppendingVerifies) {
  Fixture f;
  auto ledger = f.ledger();
  for (int i = 0; i < 300; ++i) ledger->note_async(opening("x"), closing("y"), [](auto) {});
  ASSERT_OK(ledger->note(opening("x"), {}));
  std::atomic<bool> stop = false;
  std::thread writer([&] { while (!stop) (void)ledger->note(opening("w"), closing("z")); });
  auto manifest = store::backup(f.folder / "backup", {ledger_part("ledger", f.settings.folder), store::file_part("keyring", f.folder / "keyring")}, 0, "x");
  stop = true;
  writer.join();
  ASSERT_OK(manifest);
  ASSERT_OK(store::restore(f.folder / "backup", f.folder / "restored"));
  auto keyring = store::Keyring::open(f.folder / "restored" / "keyring", f.master);
  ASSERT_OK(keyring);
  auto reader = LedgerReader::open({.folder = f.folder / "restored" / "ledger"}, **keyring);
  ASSERT_OK(reader);
  auto report = (*reader)->verify();
  ASSERT_OK(report);
  EXPECT_EQ(report->problem_count, 0U);
  EXPECT_GE(report->size, 301U);
  ASSERT_OK(Ledger::create({.folder = f.folder / "restored" / "ledger"}, **keyring));
}

}  // namespace
}  // namespace heng::audit
