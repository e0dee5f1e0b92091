#include "heng/vault/sealed_vault.h"

#include <fmt/format.h>

#include <algorithm>

#include "heng/base/hash.h"
#include "heng/base/text.h"
#include "rows.h"

namespace heng::vault {
namespace {

constexpr std::int64_t day_ms = 86'400'000;
constexpr int most_listed = 500;
constexpr std::size_t most_value_bytes = 64 * 1024;
const store::Keyring::Use vault_key{.purpose = "vault"};

Result<void> check(const VaultItem& item) {
  if (item.token.empty() || item.token.size() > 200 || item.type.empty() || item.type.size() > 64) return Error(ErrorCode::internal, "a masked value has no proper token or type");
  if (item.value.empty() || item.value.size() > most_value_bytes) return Error(ErrorCode::too_large, fmt::format("a masked value has {} bytes; the vault keeps 1 to {}", item.value.size(), most_value_bytes));
  return {};
}

}  // namespace

const std::vector<store::Migration>& migrations() {
  static const std::vector<store::Migration> list = {{.version = 6, .name = "vault", .sql = R"(
    CREATE TABLE vault_item (
      tenant TEXT NOT NULL, token TEXT NOT NULL, subject_tag TEXT NOT NULL, type TEXT NOT NULL, key INTEGER NOT NULL, sealed BLOB NOT NULL,
      first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL, PRIMARY KEY (tenant, token, subject_tag)) STRICT, WITHOUT ROWID;
    CREATE INDEX vault_item_age ON vault_item(last_ms);
    CREATE TABLE unmask_request (
      id TEXT PRIMARY KEY, tenant TEXT NOT NULL, requester TEXT NOT NULL, token TEXT NOT NULL, subject_tag TEXT NOT NULL, type TEXT NOT NULL, reason TEXT NOT NULL,
      review TEXT NOT NULL, created_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL, shown_ms INTEGER NOT NULL DEFAULT 0) STRICT;
    CREATE INDEX unmask_request_of ON unmask_request(tenant, created_ms);)"}};
  return list;
}

Result<std::unique_ptr<SealedVault>> SealedVault::create(VaultSettings settings, store::Pool& pool, store::Keyring& keyring, Reviews& reviews, Audit& audit, const Clock& clock, Random& random) {
  if (settings.valid.count() < 1 || settings.valid.count() > 525'600)
    return Error(ErrorCode::invalid_argument, fmt::format("vault.valid_minutes is {}; it must be 1 to 525600", settings.valid.count()), "valid_minutes");
  return std::unique_ptr<SealedVault>(new SealedVault(settings, pool, keyring, reviews, audit, clock, random));
}

Result<void> SealedVault::keep(const Principal& who, const std::vector<VaultItem>& items) {
  if (items.empty()) return {};
  if (who.tenant.empty()) return Error(ErrorCode::internal, "a value without a tenant cannot be kept");
  for (const auto& item : items) HENG_TRY(check(item));
  std::string tag;
  if (!who.data_subject.empty()) tag = HENG_TRY(keyring_.subject_tag(who.tenant, who.data_subject));
  const auto key = HENG_TRY(keyring_.current(who.tenant, who.data_subject, vault_key));
  const std::int64_t now = clock_.unix_ms();
  // what is there already under the key in force, and was met today, needs no write
  const auto kept = [&](store::Database& db, const VaultItem& item) -> Result<bool> {
    const auto row = HENG_TRY(find_row(db, who.tenant, item.token, tag));
    return row && row->key == key.id && row->last_ms > now - day_ms;
  };
  bool all = true;
  {
    auto reader = HENG_TRY(pool_.reader());
    for (const auto& item : items) all = all && HENG_TRY(kept(*reader, item));
  }
  if (all) return {};
  auto writer = HENG_TRY(pool_.writer());
  auto transaction = HENG_TRY(store::Transaction::begin(*writer));
  for (const auto& item : items) {
    if (HENG_TRY(kept(*writer, item))) continue;
    const std::string sealed = store::seal(key.key, item.value, seal_context(who.tenant, item.token, tag, item.type));
    auto row = HENG_TRY(writer->prepare("INSERT INTO vault_item (tenant, token, subject_tag, type, key, sealed, first_ms, last_ms) VALUES (?1,?2,?3,?4,?5,?6,?7,?7) "
                                        "ON CONFLICT (tenant, token, subject_tag) DO UPDATE SET type = excluded.type, key = excluded.key, sealed = excluded.sealed, last_ms = excluded.last_ms"));
    row.bind(1, who.tenant.value).bind(2, item.token).bind(3, tag).bind(4, item.type).bind(5, static_cast<std::int64_t>(key.id)).bind_blob(6, sealed).bind(7, now);
    HENG_TRY(row.run());
  }
  return transaction.commit();
}

Result<std::vector<VaultEntry>> SealedVault::list(const Principal& who, const VaultQuery& query) {
  auto reader = HENG_TRY(pool_.reader());
  std::vector<VaultEntry> out;
  for (auto& row : HENG_TRY(select_rows(*reader, who.tenant, query.token, query.type, std::clamp(query.limit, 1, most_listed))))
    out.push_back({std::move(row.token), std::move(row.type), !row.subject_tag.empty(), row.first_ms, row.last_ms});
  return out;
}

}  // namespace heng::vault
