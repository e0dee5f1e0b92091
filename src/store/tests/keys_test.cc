#include "heng/store/keys.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "heng/base/hash.h"
#include "heng/store/database.h"
#include "temporary.h"

namespace heng::store {
namespace {

// RFC 4231, test case 2.
TEST(Hmac, PublishedVector) {
  const std::string mac = hmac_sha256("Jefe", "what do ya want for nothing?");
  EXPECT_EQ(to_hex(mac.data(), mac.size()), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(DeriveKey, PurposesAreSeparateAndStable) {
  const auto master = *SecretKey::from_hex(std::string(64, '1'));
  EXPECT_EQ(derive_key(master, "ledger"), derive_key(master, "ledger"));
  EXPECT_FALSE(derive_key(master, "ledger") == derive_key(master, "database"));
  EXPECT_FALSE(derive_key(master, "ledger") == derive_key(*SecretKey::from_hex(std::string(64, '2')), "ledger"));
  // files on disk depend on this value: computed with Python's hmac module (RFC 5869 with the salt "heng/key/1")
  EXPECT_EQ(derive_key(master, "ledger").hex(), "aa2c2d8856fda4b64d212061df7404d099a9a6e2221d3ff9afc0803dffa714f0");
}

TEST(Seal, RoundTripAndEveryFlipIsFound) {
  const auto key = SecretKey::random();
  const std::string sealed = seal(key, "hello 衡", "context");
  EXPECT_EQ(*unseal(key, sealed, "context"), "hello 衡");
  EXPECT_EQ(*unseal(key, seal(key, "", ""), ""), "");
  EXPECT_EQ(unseal(key, sealed, "other").error().code, ErrorCode::corrupt);
  EXPECT_FALSE(unseal(SecretKey::random(), sealed, "context").ok());
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string bad = sealed;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    EXPECT_FALSE(unseal(key, bad, "context").ok()) << i;
    EXPECT_FALSE(unseal(key, sealed.substr(0, i), "context").ok()) << i;
  }
  EXPECT_NE(seal(key, "same", ""), seal(key, "same", ""));
}

TEST(MasterKey, FileAndEnvironment) {
  Temporary folder;
  const auto key = SecretKey::random();
  const MasterKeySource source{.file = folder / "master.key", .environment = "HENG_TEST_MASTER_KEY"};
  EXPECT_EQ(load_master_key(source).error().code, ErrorCode::not_found);
  ASSERT_OK(write_master_key(source.file, key));
  EXPECT_EQ(write_master_key(source.file, key).error().code, ErrorCode::already_exists);
  EXPECT_TRUE(*load_master_key(source) == key);
  chmod(source.file.c_str(), 0644);
  auto open_to_others = load_master_key(source);
  EXPECT_EQ(open_to_others.error().code, ErrorCode::permission_denied);
  EXPECT_NE(open_to_others.error().message.find("chmod 600"), std::string::npos);
  const auto other = SecretKey::random();
  setenv("HENG_TEST_MASTER_KEY", other.hex().c_str(), 1);
  EXPECT_TRUE(*load_master_key(source) == other);
  setenv("HENG_TEST_MASTER_KEY", "deadbeef", 1);
  auto bad = load_master_key(source);
  EXPECT_EQ(bad.error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(bad.error().message.find("deadbeef"), std::string::npos) << "a message never holds key material";
  unsetenv("HENG_TEST_MASTER_KEY");
}

TEST(Keyring, KeysPerTenantDestroyAndReopen) {
  Temporary folder;
  const auto master = SecretKey::random();
  SecretKey first;
  {
    auto ring = Keyring::open(folder / "keyring", master);
    ASSERT_OK(ring);
    auto a = (*ring)->current(TenantId("a"));
    ASSERT_OK(a);
    first = a->key;
    EXPECT_TRUE((*ring)->current(TenantId("a"))->key == first);
    EXPECT_FALSE((*ring)->current(TenantId("b"))->key == first);
  }
  EXPECT_EQ(Keyring::open(folder / "keyring", SecretKey::random()).error().code, ErrorCode::permission_denied);
  auto ring = Keyring::open(folder / "keyring", master);
  ASSERT_OK(ring);
  EXPECT_TRUE(*(*ring)->by_id(1) == first);
  EXPECT_EQ((*ring)->by_id(9).error().code, ErrorCode::not_found);
  EXPECT_EQ(*(*ring)->destroy(TenantId("a")), 1);
  EXPECT_EQ(*(*ring)->destroy(TenantId("a")), 0);
  auto gone = (*ring)->by_id(1);
  EXPECT_EQ(gone.error().code, ErrorCode::permission_denied);
  EXPECT_NE(gone.error().message.find("erased"), std::string::npos);
  auto next = (*ring)->current(TenantId("a"));
  EXPECT_EQ(next->id, 3U);
  ASSERT_EQ((*ring)->entries().size(), 3U);
  EXPECT_EQ(read_file(folder / "keyring").find(to_hex(first.bytes().data(), 32)), std::string::npos);
}

TEST(Keyring, PurposesAndAgesGoApartAndASubjectGoesAltogether) {
  class SetClock final : public Clock {
   public:
    std::int64_t now = 1'780'000'000'000;
    std::int64_t unix_ms() const override { return now; }
    SteadyTime steady() const override { return {}; }
  } clock;
  Temporary folder;
  const auto master = SecretKey::random();
  const TenantId bank("bank");
  std::uint32_t plain = 0, vault = 0, old_talk = 0, talk = 0, of_subject = 0;
  {
    auto ring = std::move(*Keyring::open(folder / "keyring", master, clock));
    plain = ring->current(bank)->id;
    vault = ring->current(bank, "", {.purpose = "vault"})->id;
    old_talk = ring->current(bank, "", {.purpose = "talk"})->id;
    of_subject = ring->current(bank, "C-1", {.purpose = "talk"})->id;
    EXPECT_EQ(ring->current(bank, "", {.purpose = "talk", .not_before_ms = clock.now})->id, old_talk);
    clock.now += 1000;
    talk = ring->current(bank, "", {.purpose = "talk", .not_before_ms = clock.now})->id;
    EXPECT_NE(talk, old_talk);
    EXPECT_EQ(ring->current(bank, "", {.purpose = "talk"})->id, talk) << "the newest serves";
  }
  auto ring = std::move(*Keyring::open(folder / "keyring", master, clock));
  EXPECT_EQ(ring->current(bank)->id, plain);
  EXPECT_EQ(ring->current(bank, "", {.purpose = "vault"})->id, vault);
  int purposes = 0;
  const auto entries = *parse_keyring(read_file(folder / "keyring"));
  for (const auto& entry : entries) purposes += entry.tenant == bank && !entry.purpose.empty();
  EXPECT_EQ(purposes, 4);
  const std::string before = read_file(folder / "keyring");
  EXPECT_EQ(*ring->destroy_keys({old_talk, 999}), 1);
  EXPECT_EQ(*ring->destroy_keys({old_talk}), 0);
  EXPECT_EQ(ring->by_id(old_talk).error().code, ErrorCode::permission_denied);
  for (const auto id : {plain, vault, talk, of_subject}) EXPECT_TRUE(ring->by_id(id).ok()) << id;
  ASSERT_OK(ring->current(bank, "C-1"));
  ASSERT_OK(ring->current(bank, "C-1", {.purpose = "vault"}));
  EXPECT_EQ(*ring->destroy_subject(bank, "C-1"), 3);
  EXPECT_EQ(*ring->destroy(bank), 3);
  // a purpose that is empty or holds a separator is damage
  for (const std::string owner : {"bank\x1f\x1f", "bank\x1fT\x1f", "bank\x1fT\x1fp\x1fq"}) {
    const auto line = before.substr(0, before.find('\n', 20) + 1) + "destroyed 1 " + to_base64(owner) + " 5 6\n";
    EXPECT_EQ(parse_keyring(line).error().code, ErrorCode::corrupt) << to_base64(owner);
  }
}

TEST(Keyring, ProcessesSeeEachOthersChanges) {
  Temporary folder;
  const auto master = SecretKey::random();
  auto ring = Keyring::open(folder / "keyring", master);
  const pid_t child = fork();
  if (child == 0) {
    auto other = Keyring::open(folder / "keyring", master);
    int good = 0;
    for (int i = 0; i < 20; ++i) good += (*other)->current(TenantId("t" + std::to_string(i))).ok();
    _exit(good == 20 ? 0 : 1);
  }
  for (int i = 19; i >= 0; --i) ASSERT_OK((*ring)->current(TenantId("t" + std::to_string(i))));
  int status = 1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ((*ring)->entries().size(), 20U) << "one key per tenant, whoever made it";
}

TEST(Keyring, DamageIsNamed) {
  Temporary folder;
  const auto master = SecretKey::random();
  { auto ring = Keyring::open(folder / "keyring", master); ASSERT_OK((*ring)->current(TenantId("a"))); }
  const std::string good = read_file(folder / "keyring");
  write_file(folder / "keyring", good.substr(0, good.size() - 10));
  EXPECT_EQ(Keyring::open(folder / "keyring", master).error().code, ErrorCode::corrupt);
  std::string flipped = good;
  flipped[flipped.size() - 20] = flipped[flipped.size() - 20] == 'A' ? 'B' : 'A';
  write_file(folder / "keyring", flipped);
  auto ring = Keyring::open(folder / "keyring", master);
  ASSERT_OK(ring);
  EXPECT_EQ((*ring)->by_id(1).error().code, ErrorCode::corrupt);
}

TEST(Rotate, MovesDatabasesAndKeyringAndMayBeRepeated) {
  Temporary folder;
  const auto old_master = SecretKey::random(), new_master = SecretKey::random();
  RotationPlan plan{.keyring = folder / "keyring"};
  for (const char* name : {"a", "b"}) {
    const std::string purpose = std::string("database/") + name;
    plan.databases.push_back({folder / name, purpose});
    auto db = Database::open({.path = folder / name, .key = derive_key(old_master, purpose)});
    ASSERT_OK((*db)->execute("CREATE TABLE t(x); INSERT INTO t VALUES (7)"));
  }
  SecretKey data_key;
  { auto ring = Keyring::open(folder / "keyring", old_master); data_key = (*ring)->current(TenantId("x"))->key; }
  // interrupted after the first database
  ASSERT_OK(rotate({.databases = {plan.databases[0]}}, old_master, new_master));
  ASSERT_OK(rotate(plan, old_master, new_master));
  ASSERT_OK(rotate(plan, old_master, new_master));
  for (const auto& file : plan.databases) {
    auto db = Database::open({.path = file.path, .key = derive_key(new_master, file.purpose)});
    ASSERT_OK(db);
    EXPECT_EQ(*(*db)->query_integer("SELECT x FROM t"), 7);
    EXPECT_FALSE(Database::open({.path = file.path, .key = derive_key(old_master, file.purpose)}).ok());
  }
  EXPECT_FALSE(Keyring::open(folder / "keyring", old_master).ok());
  auto ring = Keyring::open(folder / "keyring", new_master);
  ASSERT_OK(ring);
  EXPECT_TRUE(*(*ring)->by_id(1) == data_key) << "the ledger's records stay readable";
}

}  // namespace
}  // namespace heng::store
