#include "heng/store/database.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "heng/store/pool.h"
#include "temporary.h"

namespace heng::store {
namespace {

const std::vector<Migration> schema = {
    {.version = 1, .name = "first", .sql = "CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, data BLOB) STRICT;"},
    {.version = 2, .name = "child", .sql = "CREATE TABLE child(item INTEGER NOT NULL REFERENCES item(id)) STRICT;"}};

struct Opened {
  Temporary folder;
  SecretKey key = SecretKey::random();
  std::unique_ptr<Database> db;
};

void open(Opened& opened) {
  auto db = Database::open({.path = opened.folder / "t.db", .key = opened.key});
  ASSERT_OK(db);
  opened.db = std::move(*db);
  ASSERT_OK(opened.db->migrate(schema));
}

TEST(Database, BindsAndReadsEveryType) {
  Opened o;
  open(o);
  const std::string blob("\0\xff\x01", 3);
  {
    auto insert = o.db->prepare("INSERT INTO item(id, name, data) VALUES (?, ?, ?)");
    ASSERT_OK(insert);
    insert->bind(1, std::int64_t{1} << 60).bind(2, "衡").bind_blob(3, blob);
    ASSERT_OK(insert->run());
    insert->reset();
    insert->bind(1, 2).bind(2, std::string_view{}).bind_null(3);
    ASSERT_OK(insert->run());
  }
  EXPECT_EQ(o.db->changes(), 1);
  auto select = o.db->prepare("SELECT id, name, data, 0.5 FROM item ORDER BY id DESC");
  ASSERT_OK(select);
  ASSERT_TRUE(*select->step());
  EXPECT_EQ(select->columns(), 4);
  EXPECT_EQ(select->integer(0), std::int64_t{1} << 60);
  EXPECT_EQ(select->text(1), "衡");
  EXPECT_EQ(select->blob(2), blob);
  EXPECT_EQ(select->real(3), 0.5);
  EXPECT_EQ(select->column_name(1), "name");
  ASSERT_TRUE(*select->step());
  EXPECT_FALSE(select->is_null(1));
  EXPECT_TRUE(select->is_null(2));
  EXPECT_FALSE(*select->step());
}

TEST(Database, ErrorsAreTyped) {
  Opened o;
  open(o);
  ASSERT_OK(o.db->run("INSERT INTO item(name) VALUES (?)", "a"));
  EXPECT_EQ(o.db->run("INSERT INTO item(name) VALUES (?)", "a").error().code, ErrorCode::already_exists);
  EXPECT_EQ(o.db->run("INSERT INTO item(name) VALUES (NULL)").error().code, ErrorCode::conflict);
  EXPECT_EQ(o.db->run("INSERT INTO child(item) VALUES (?)", 99).error().code, ErrorCode::conflict);
  EXPECT_EQ(o.db->prepare("SELEC 1").error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(o.db->prepare("").error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(o.db->run("SELECT ?1", 1, 2).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(o.db->query_integer("SELECT id FROM item WHERE id = ?", 77).error().code, ErrorCode::not_found);
  EXPECT_EQ(Database::open({.path = o.folder / "absent.db", .key = o.key, .create = false}).error().code, ErrorCode::not_found);
  EXPECT_EQ(Database::open({.path = o.folder / "x.db"}).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(Database::open({.path = o.folder / "no" , .key = o.key, .access = Access::read_only}).error().code, ErrorCode::not_found);
}

TEST(Database, SettingsAreInForce) {
  Opened o;
  open(o);
  const auto pragma = [&](const char* name) {
    auto statement = o.db->prepare(std::string("PRAGMA ") + name);
    EXPECT_TRUE(statement.ok() && *statement->step());
    return statement->string(0);
  };
  EXPECT_EQ(pragma("journal_mode"), "wal");
  EXPECT_EQ(pragma("foreign_keys"), "1");
  EXPECT_EQ(pragma("secure_delete"), "1");
  EXPECT_EQ(pragma("synchronous"), "2");
  EXPECT_EQ(pragma("temp_store"), "2");
  EXPECT_EQ(pragma("cipher"), "chacha20");
}

TEST(Database, SameStatementMayNest) {
  Opened o;
  open(o);
  for (int i = 0; i < 3; ++i) ASSERT_OK(o.db->run("INSERT INTO item(name) VALUES (?)", std::to_string(i)));
  int pairs = 0;
  auto outer = o.db->prepare("SELECT id FROM item");
  ASSERT_OK(outer);
  while (*outer->step()) {
    auto inner = o.db->prepare("SELECT id FROM item");
    ASSERT_OK(inner);
    while (*inner->step()) ++pairs;
  }
  EXPECT_EQ(pairs, 9);
}

TEST(Database, ManyDifferentStatementsStayBounded) {
  Opened o;
  open(o);
  for (int i = 0; i < 2000; ++i) ASSERT_EQ(*o.db->query_integer("SELECT " + std::to_string(i)), i);
}

TEST(Transaction, RollsBackUnlessCommitted) {
  Opened o;
  open(o);
  {
    auto transaction = Transaction::begin(*o.db);
    ASSERT_OK(transaction);
    ASSERT_OK(o.db->run("INSERT INTO item(name) VALUES ('gone')"));
  }
  EXPECT_EQ(*o.db->query_integer("SELECT count(*) FROM item"), 0);
  {
    auto outer = Transaction::begin(*o.db);
    ASSERT_OK(o.db->run("INSERT INTO item(name) VALUES ('kept')"));
    {
      auto inner = Transaction::begin(*o.db);
      ASSERT_OK(inner);
      ASSERT_OK(o.db->run("INSERT INTO item(name) VALUES ('inner')"));
    }
    ASSERT_OK(outer->commit());
    EXPECT_FALSE(outer->commit().ok());
  }
  EXPECT_EQ(*o.db->query_integer("SELECT count(*) FROM item"), 1);
  EXPECT_FALSE(o.db->in_transaction());
}

TEST(Migration, IsOrderedAtomicAndRefusesNewerFiles) {
  Opened o;
  open(o);
  EXPECT_EQ(*o.db->schema_version(), 2);
  auto broken = schema;
  broken.push_back({.version = 3, .name = "broken", .sql = "CREATE TABLE half(x); SELECT no_such_function();"});
  EXPECT_FALSE(o.db->migrate(broken).ok());
  EXPECT_EQ(*o.db->schema_version(), 2);
  EXPECT_EQ(*o.db->query_integer("SELECT count(*) FROM sqlite_schema WHERE name = 'half'"), 0);
  auto newer = o.db->migrate({schema[0]});
  ASSERT_FALSE(newer.ok());
  EXPECT_EQ(newer.error().code, ErrorCode::unsupported);
  EXPECT_NE(newer.error().message.find("newer Heng (schema 2, this program knows 1)"), std::string::npos) << newer.error().message;
  EXPECT_FALSE(o.db->migrate({schema[1]}).ok());
}

TEST(Migration, TwoStartAtOnce) {
  Temporary folder;
  const SecretKey key = SecretKey::random();
  std::atomic<int> good = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      auto db = Database::open({.path = folder / "t.db", .key = key});
      if (db.ok() && (*db)->migrate(schema).ok()) ++good;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, 4);
}

TEST(Pool, ReadersSeeCommittedRowsWhileOneWrites) {
  Temporary folder;
  auto pool = Pool::open({.database = {.path = folder / "t.db", .key = SecretKey::random(),
                                       .synchronous = DatabaseSettings::Synchronous::normal}, .readers = 3}, schema);
  ASSERT_OK(pool);
  std::atomic<bool> stop = false;
  std::atomic<int> bad = 0;
  std::vector<std::thread> readers;
  for (int i = 0; i < 6; ++i) {
    readers.emplace_back([&] {
      std::int64_t last = 0;
      while (!stop) {
        auto lease = (*pool)->reader();
        if (!lease.ok()) { ++bad; continue; }
        auto count = (*lease)->query_integer("SELECT count(*) FROM item");
        if (!count.ok() || *count < last || *count % 2 != 0) ++bad;
        if (count.ok()) last = *count;
      }
    });
  }
  for (int i = 0; i < 100; ++i) {
    auto lease = (*pool)->writer();
    ASSERT_OK(lease);
    auto transaction = Transaction::begin(**lease);
    ASSERT_OK((*lease)->run("INSERT INTO item(name) VALUES (?)", "a" + std::to_string(i)));
    ASSERT_OK((*lease)->run("INSERT INTO item(name) VALUES (?)", "b" + std::to_string(i)));
    ASSERT_OK(transaction->commit());
  }
  stop = true;
  for (auto& reader : readers) reader.join();
  EXPECT_EQ(bad, 0);
}

TEST(Pool, ReadersCannotWriteAndWaitingIsBounded) {
  Temporary folder;
  auto pool = Pool::open({.database = {.path = folder / "t.db", .key = SecretKey::random()}, .readers = 1,
                          .wait = std::chrono::milliseconds(30)}, schema);
  ASSERT_OK(pool);
  auto reader = (*pool)->reader();
  ASSERT_OK(reader);
  EXPECT_EQ((*reader)->run("INSERT INTO item(name) VALUES ('x')").error().code, ErrorCode::permission_denied);
  EXPECT_EQ((*pool)->reader().error().code, ErrorCode::overloaded);
  auto writer = (*pool)->writer();
  ASSERT_OK(writer);
  EXPECT_EQ((*pool)->writer().error().code, ErrorCode::overloaded);
}

TEST(Database, InterruptStopsALongStatement) {
  Opened o;
  open(o);
  std::thread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    o.db->interrupt();
  });
  auto result = o.db->query_integer("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n");
  stopper.join();
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::cancelled);
}

// The child commits numbered rows and reports each through a pipe; it is killed at some moment; every reported row must be there.
TEST(Database, KilledWriterLosesNothingAcknowledged) {
  for (int round = 0; round < 8; ++round) {
    Opened o;
    open(o);
    o.db.reset();
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      close(ends[0]);
      auto db = Database::open({.path = o.folder / "t.db", .key = o.key});
      for (std::int64_t i = 1; db.ok(); ++i) {
        if (!(*db)->run("INSERT INTO item(id, name) VALUES (?, ?)", i, std::to_string(i)).ok()) break;
        if (write(ends[1], &i, sizeof i) != sizeof i) break;
      }
      _exit(0);
    }
    close(ends[1]);
    std::this_thread::sleep_for(std::chrono::milliseconds(20 + 17 * round));
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    std::int64_t acknowledged = 0, read_id = 0;
    while (read(ends[0], &read_id, sizeof read_id) == sizeof read_id) acknowledged = read_id;
    close(ends[0]);
    open(o);
    ASSERT_OK(o.db->check_integrity());
    const auto rows = *o.db->query_integer("SELECT count(*) FROM item");
    EXPECT_GE(rows, acknowledged);
    EXPECT_LE(rows, acknowledged + 1);
  }
}

}  // namespace
}  // namespace heng::store
