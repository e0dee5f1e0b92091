#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include <sqlite3.h>

#include "heng/store/backup.h"
#include "heng/store/database.h"
#include "heng/store/pool.h"
#include "temporary.h"

namespace heng::store {
namespace {

const std::vector<Migration> schema = {{.version = 1, .name = "first", .sql =
    "CREATE TABLE document(id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;"
    "CREATE VIRTUAL TABLE words USING fts5(body);"}};

// Counts occurrences of `needle` in every file of the folder.
int occurrences(const std::filesystem::path& folder, const std::string& needle) {
  int found = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    const std::string bytes = read_file(entry.path());
    for (std::size_t at = bytes.find(needle); at != std::string::npos; at = bytes.find(needle, at + 1)) ++found;
  }
  return found;
}

TEST(Encryption, NoPlaintextInAnyFileIndexAndWalIncluded) {
  Temporary folder;
  const SecretKey key = SecretKey::random();
  auto db = Database::open({.path = folder / "t.db", .key = key});
  ASSERT_OK(db);
  ASSERT_OK((*db)->migrate(schema));
  auto transaction = Transaction::begin(**db);
  for (int i = 0; i < 3000; ++i) {
    const std::string body = "zyzzyvadistinct 机密客户张三丰 " + std::to_string(i);
    ASSERT_OK((*db)->run("INSERT INTO document(body) VALUES (?)", body));
    ASSERT_OK((*db)->run("INSERT INTO words(body) VALUES (?)", body));
  }
  ASSERT_OK(transaction->commit());
  ASSERT_EQ(*(*db)->query_integer("SELECT count(*) FROM words WHERE words MATCH 'zyzzyvadistinct'"), 3000);
  ASSERT_GT(std::filesystem::file_size(folder / "t.db-wal"), 100'000U);
  for (const char* needle : {"zyzzyvadistinct", "zyzzyva", "机密客户", "张三丰", "CREATE TABLE", "SQLite format 3"}) {
    EXPECT_EQ(occurrences(folder.path(), needle), 0) << needle << " with a WAL";
  }
  EXPECT_EQ(occurrences(folder.path(), std::string(key.bytes())), 0);
  ASSERT_OK((*db)->checkpoint());
  ASSERT_OK((*db)->execute("INSERT INTO words(words) VALUES ('optimize'); VACUUM"));
  ASSERT_OK((*db)->backup_to(folder / "copy.db"));
  db->reset();
  for (const char* needle : {"zyzzyvadistinct", "zyzzyva", "机密客户", "张三丰", "CREATE TABLE", "SQLite format 3"}) {
    EXPECT_EQ(occurrences(folder.path(), needle), 0) << needle;
  }
  // the search itself works: a plain file with the text is found
  write_file(folder / "plain.txt", "zyzzyvadistinct");
  EXPECT_EQ(occurrences(folder.path(), "zyzzyvadistinct"), 1);
}

// A database whose index needs a tokenizer that this program did not register is still backed up and re-encrypted.
TEST(Encryption, CopiesWithoutTheTokenizer) {
  Temporary folder;
  const SecretKey key = SecretKey::random(), new_key = SecretKey::random();
  const auto with_tokenizer = [](Database& db) -> Result<void> {
    auto* handle = static_cast<sqlite3*>(db.native_handle());
    fts5_api* api = nullptr;
    sqlite3_stmt* statement = nullptr;
    sqlite3_prepare_v2(handle, "SELECT fts5(?1)", -1, &statement, nullptr);
    sqlite3_bind_pointer(statement, 1, static_cast<void*>(&api), "fts5_api_ptr", nullptr);
    sqlite3_step(statement);
    sqlite3_finalize(statement);
    void* context = nullptr;
    fts5_tokenizer tokenizer;
    if (api == nullptr || api->xFindTokenizer(api, "unicode61", &context, &tokenizer) != SQLITE_OK ||
        api->xCreateTokenizer(api, "special", context, &tokenizer, nullptr) != SQLITE_OK) {
      return Error(ErrorCode::internal, "no tokenizer");
    }
    return {};
  };
  {
    auto db = Database::open({.path = folder / "t.db", .key = key, .on_open = with_tokenizer});
    ASSERT_OK(db);
    ASSERT_OK((*db)->execute("CREATE VIRTUAL TABLE special_words USING fts5(body, tokenize = 'special'); INSERT INTO special_words VALUES ('needle')"));
    ASSERT_OK((*db)->check_integrity());
  }
  ASSERT_OK(backup(folder / "backup", {database_part("t.db", folder / "t.db", key)}, 0, "x"));
  ASSERT_OK(Database::reencrypt(folder / "t.db", key, new_key));
  for (const auto& [path, path_key] : {std::pair{folder / "t.db", new_key}, std::pair{folder / "backup" / "t.db", key}}) {
    auto db = Database::open({.path = path, .key = path_key, .on_open = with_tokenizer});
    ASSERT_OK(db);
    EXPECT_EQ(*(*db)->query_integer("SELECT count(*) FROM special_words WHERE special_words MATCH 'needle'"), 1);
    ASSERT_OK((*db)->check_integrity());
  }
}

TEST(Encryption, WrongKeyAndForeignFilesSayWhatIsWrong) {
  Temporary folder;
  const SecretKey key = SecretKey::random();
  {
    auto db = Database::open({.path = folder / "t.db", .key = key});
    ASSERT_OK(db);
    ASSERT_OK((*db)->migrate(schema));
  }
  auto wrong = Database::open({.path = folder / "t.db", .key = SecretKey::random()});
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().code, ErrorCode::permission_denied);
  EXPECT_NE(wrong.error().message.find("wrong key or not a Heng database"), std::string::npos) << wrong.error().message;
  write_file(folder / "text.db", std::string(8192, 'x'));
  EXPECT_EQ(Database::open({.path = folder / "text.db", .key = key}).error().code, ErrorCode::permission_denied);
  ASSERT_OK(Database::open({.path = folder / "t.db", .key = key}));
}

TEST(Encryption, AFlippedByteIsFound) {
  Temporary folder;
  const SecretKey key = SecretKey::random();
  {
    auto db = Database::open({.path = folder / "t.db", .key = key});
    ASSERT_OK((*db)->migrate(schema));
    for (int i = 0; i < 400; ++i) ASSERT_OK((*db)->run("INSERT INTO document(body) VALUES (?)", std::string(500, 'a')));
  }
  const std::string good = read_file(folder / "t.db");
  for (const std::size_t offset : {std::size_t{100}, std::size_t{4096 * 3 + 17}, good.size() / 2, good.size() - 5}) {
    std::string bad = good;
    bad[offset] = static_cast<char>(bad[offset] ^ 0x40);
    write_file(folder / "t.db", bad);
    auto db = Database::open({.path = folder / "t.db", .key = key});
    ErrorCode code = ErrorCode::internal;
    if (!db.ok()) {
      code = db.error().code;
    } else {
      auto checked = (*db)->check_integrity();
      ASSERT_FALSE(checked.ok()) << "offset " << offset;
      code = checked.error().code;
    }
    EXPECT_TRUE(code == ErrorCode::corrupt || code == ErrorCode::permission_denied) << offset << " " << to_string(code);
  }
}

TEST(Rekey, OldKeyStopsNewKeyOpens) {
  Temporary folder;
  const SecretKey old_key = SecretKey::random(), new_key = SecretKey::random();
  auto pool = Pool::open({.database = {.path = folder / "t.db", .key = old_key}}, schema);
  ASSERT_OK(pool);
  {
    auto reader = (*pool)->reader();
    ASSERT_OK((*reader)->query_integer("SELECT count(*) FROM document"));
    auto writer = (*pool)->writer();
    for (int i = 0; i < 200; ++i) ASSERT_OK((*writer)->run("INSERT INTO document(body) VALUES (?)", std::string(300, 'q')));
  }
  ASSERT_OK((*pool)->rekey(new_key));
  {
    auto reader = (*pool)->reader();
    ASSERT_OK(reader);
    EXPECT_EQ(*(*reader)->query_integer("SELECT count(*) FROM document"), 200);
  }
  pool->reset();
  EXPECT_EQ(Database::open({.path = folder / "t.db", .key = old_key}).error().code, ErrorCode::permission_denied);
  auto db = Database::open({.path = folder / "t.db", .key = new_key});
  ASSERT_OK(db);
  EXPECT_EQ(*(*db)->query_integer("SELECT count(*) FROM document"), 200);
  ASSERT_OK((*db)->check_integrity());
}

TEST(Rekey, RefusesWhileAnotherConnectionIsOpen) {
  Temporary folder;
  const SecretKey key = SecretKey::random();
  auto open_elsewhere = Database::open({.path = folder / "t.db", .key = key});
  ASSERT_OK((*open_elsewhere)->migrate(schema));
  auto refused = Database::reencrypt(folder / "t.db", key, SecretKey::random());
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::conflict) << refused.error().message;
  ASSERT_OK((*open_elsewhere)->query_integer("SELECT count(*) FROM document"));
  EXPECT_EQ(Database::reencrypt(folder / "t.db", SecretKey::random(), key).error().code, ErrorCode::permission_denied);
}

TEST(Rekey, KilledAtAnyMomentTheOldOrTheNewKeyOpens) {
  Temporary folder;
  const SecretKey old_key = SecretKey::random(), new_key = SecretKey::random();
  int old_opens = 0, new_opens = 0;
  for (int round = 0; round < 12; ++round) {
    const auto path = folder / ("t" + std::to_string(round));
    {
      auto db = Database::open({.path = path, .key = old_key, .synchronous = DatabaseSettings::Synchronous::normal});
      ASSERT_OK((*db)->migrate(schema));
      auto transaction = Transaction::begin(**db);
      for (int i = 0; i < 2000; ++i) ASSERT_OK((*db)->run("INSERT INTO document(body) VALUES (?)", std::string(1000, 'r')));
      ASSERT_OK(transaction->commit());
    }
    const pid_t child = fork();
    if (child == 0) {
      (void)Database::reencrypt(path, old_key, new_key);
      _exit(0);
    }
    usleep(static_cast<useconds_t>(1000 * (1 << (round / 2))));
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    for (const auto& key : {new_key, old_key}) {
      auto db = Database::open({.path = path, .key = key, .create = false});
      if (!db.ok()) continue;
      ASSERT_OK((*db)->check_integrity());
      EXPECT_EQ(*(*db)->query_integer("SELECT count(*) FROM document"), 2000);
      ++(key == new_key ? new_opens : old_opens);
    }
  }
  EXPECT_EQ(old_opens + new_opens, 12);
  EXPECT_GT(old_opens, 0);
}

// A file-size limit stands for a full disk: in a child, because the limit is the process's.
TEST(DiskFull, IsTypedAndTheFileStaysWhole) {
  Temporary folder;
  const SecretKey key = SecretKey::random();
  { auto db = Database::open({.path = folder / "t.db", .key = key}); ASSERT_OK((*db)->migrate(schema)); }
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    rlimit limit{400'000, 400'000};
    setrlimit(RLIMIT_FSIZE, &limit);
    auto db = Database::open({.path = folder / "t.db", .key = key});
    if (!db.ok()) _exit(10);
    for (int i = 0; i < 10'000; ++i) {
      auto result = (*db)->run("INSERT INTO document(body) VALUES (?)", std::string(2000, 'd'));
      if (!result.ok()) _exit(result.error().code == ErrorCode::storage_full ? 0 : 11);
    }
    _exit(12);
  }
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  auto db = Database::open({.path = folder / "t.db", .key = key});
  ASSERT_OK(db);
  ASSERT_OK((*db)->check_integrity());
  EXPECT_GT(*(*db)->query_integer("SELECT count(*) FROM document"), 0);
  ASSERT_OK((*db)->run("INSERT INTO document(body) VALUES ('again')"));
}

}  // namespace
}  // namespace heng::store
