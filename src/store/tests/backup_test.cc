#include "heng/store/backup.h"

#include <atomic>
#include <thread>

#include "heng/store/database.h"
#include "heng/store/pool.h"
#include "temporary.h"

namespace heng::store {
namespace {

struct Source {
  Temporary folder;
  SecretKey key = SecretKey::random();
  std::unique_ptr<Database> db;
  Source() {
    db = std::move(*Database::open({.path = folder / "kb.db", .key = key}));
    EXPECT_TRUE(db->execute("CREATE TABLE pair(a INTEGER PRIMARY KEY, b INTEGER)").ok());
    for (int i = 0; i < 500; ++i) EXPECT_TRUE(db->run("INSERT INTO pair VALUES (?, ?)", i, i).ok());
    write_file(folder / "keyring", "ring");
  }
  std::vector<BackupPart> parts() { return {database_part("data/kb.db", folder / "kb.db", key), file_part("keyring", folder / "keyring")}; }
};

TEST(Backup, RoundTrip) {
  Source s;
  auto manifest = backup(s.folder / "backup", s.parts(), 1'760'000'000'000, "0.1.0");
  ASSERT_OK(manifest);
  ASSERT_EQ(manifest->files.size(), 2U);
  ASSERT_OK(verify_backup(s.folder / "backup"));
  ASSERT_OK(restore(s.folder / "backup", s.folder / "restored"));
  auto db = Database::open({.path = s.folder / "restored" / "data" / "kb.db", .key = s.key, .create = false});
  ASSERT_OK(db);
  EXPECT_EQ(*(*db)->query_integer("SELECT count(*) FROM pair"), 500);
  ASSERT_OK((*db)->check_integrity());
  EXPECT_EQ(read_file(s.folder / "restored" / "keyring"), "ring");
  EXPECT_FALSE(std::filesystem::exists(s.folder / "restored" / "manifest.json"));
  EXPECT_EQ(restore(s.folder / "backup", s.folder / "restored").error().code, ErrorCode::already_exists);
  EXPECT_EQ(backup(s.folder / "backup", s.parts(), 0, "").error().code, ErrorCode::already_exists);
}

TEST(Backup, WorksWhileOthersWriteAndIsConsistent) {
  Source s;
  std::atomic<bool> stop = false;
  std::atomic<int> written = 0;
  std::thread writer([&] {
    for (int i = 1000; !stop; ++i) {
      auto transaction = Transaction::begin(*s.db);
      // the sum of b over a committed state is always 0 modulo 10
      if (transaction.ok() && s.db->run("INSERT INTO pair VALUES (?, 3)", 2 * i).ok() &&
          s.db->run("INSERT INTO pair VALUES (?, 7)", 2 * i + 1).ok() && transaction->commit().ok()) ++written;
    }
  });
  while (written < 5) std::this_thread::yield();
  for (int i = 0; i < 3; ++i) {
    const auto target = s.folder / ("backup" + std::to_string(i));
    ASSERT_OK(backup(target, s.parts(), 0, "x"));
    auto db = Database::open({.path = target / "data" / "kb.db", .key = s.key});
    ASSERT_OK(db);
    EXPECT_EQ(*(*db)->query_integer("SELECT sum(b) % 10 FROM pair WHERE a >= 2000"), 0);
    EXPECT_GT(*(*db)->query_integer("SELECT count(*) FROM pair WHERE a >= 2000"), 0);
  }
  stop = true;
  writer.join();
  EXPECT_GT(written, 5);
}

TEST(Backup, DamageIsNamed) {
  Source s;
  ASSERT_OK(backup(s.folder / "b", s.parts(), 0, "x"));
  const std::string good = read_file(s.folder / "b" / "keyring");
  write_file(s.folder / "b" / "keyring", "rinG");
  auto changed = restore(s.folder / "b", s.folder / "r");
  EXPECT_EQ(changed.error().code, ErrorCode::corrupt);
  EXPECT_NE(changed.error().message.find("keyring"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(s.folder / "r"));
  std::filesystem::remove(s.folder / "b" / "keyring");
  EXPECT_EQ(verify_backup(s.folder / "b").error().code, ErrorCode::corrupt);
  write_file(s.folder / "b" / "keyring", good);
  ASSERT_OK(verify_backup(s.folder / "b"));
  write_file(s.folder / "b" / "extra", "x");
  EXPECT_EQ(verify_backup(s.folder / "b").error().code, ErrorCode::corrupt);
  std::filesystem::remove(s.folder / "b" / "extra");
  std::filesystem::remove(s.folder / "b" / "manifest.json");
  EXPECT_EQ(restore(s.folder / "b", s.folder / "r").error().code, ErrorCode::not_found);
}

TEST(Backup, AFailingPartLeavesNoManifest) {
  Source s;
  auto parts = s.parts();
  parts.push_back({"late", [](const auto&) -> Result<void> { return Error(ErrorCode::storage_full, "no space"); }});
  EXPECT_EQ(backup(s.folder / "b", parts, 0, "x").error().code, ErrorCode::storage_full);
  EXPECT_EQ(verify_backup(s.folder / "b").error().code, ErrorCode::not_found);
  EXPECT_EQ(backup(s.folder / "c", {{"../out", nullptr}}, 0, "x").error().code, ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace heng::store
