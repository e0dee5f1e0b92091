#include "retaining.h"

#include <ctime>

#include <fmt/format.h>

#include "heng/base/log.h"
#include "heng/store/files.h"
#include "heng/streams/forget.h"
#include "heng/streams/migrations.h"

namespace heng::app {
namespace {

constexpr std::uint64_t most_policy_bytes = 1024 * 1024;

std::string today() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  return fmt::format("{:04}-{:02}-{:02}", local.tm_year + 1900, local.tm_mon + 1, local.tm_mday);
}

/// Opened for this alone: the streams' own pool belongs to the server.
Result<std::int64_t> stream_items(const std::filesystem::path& file, const store::SecretKey& key, const TenantId& tenant, std::int64_t before_ms, bool remove) {
  std::error_code none;
  if (!std::filesystem::exists(file, none)) return 0;
  auto pool = HENG_TRY(store::Pool::open({.database = {.path = file, .key = key}}, streams::migrations()));
  return streams::forget_before(*pool, tenant, before_ms, remove ? streams::Forget::remove : streams::Forget::count);
}

}  // namespace

Result<std::optional<erasure::RetentionPolicy>> retention_policy(const Config& config) {
  std::error_code none;
  const auto file = config.retention();
  if (!std::filesystem::exists(file, none)) return std::optional<erasure::RetentionPolicy>();
  const auto text = HENG_TRY(store::read_whole_file(file, most_policy_bytes));
  auto policy = HENG_TRY(erasure::read_retention(text, file.string()));
  if (guard_policy::in_force(policy.header, today())) return std::optional<erasure::RetentionPolicy>(std::move(policy));
  log::warn("policy_not_in_force", {{"file", file.string()}, {"from", policy.header.effective_from}, {"until", policy.header.effective_until}});
  return std::optional<erasure::RetentionPolicy>();
}

erasure::RetentionParts retention_parts(const Config& config, const store::SecretKey& master, store::Keyring& keyring, store::Pool& govern, store::Pool& ratings, audit::Ledger& ledger,
                                        audit::LedgerReader& reader, knowledge_sqlite::KnowledgeBase& knowledge) {
  erasure::RetentionParts parts{.keyring = keyring, .govern = govern, .ratings = ratings, .audit = ledger};
  parts.key_uses = [&reader]() -> Result<std::map<std::uint32_t, erasure::RetentionParts::KeyUse>> {
    std::map<std::uint32_t, erasure::RetentionParts::KeyUse> out;
    for (const auto& [key, use] : HENG_TRY(reader.key_uses())) out[key] = {use.records, use.newest_ms};
    return out;
  };
  parts.records_under = [&reader](const std::vector<std::uint32_t>& keys) { return reader.records_under(keys); };
  parts.key_of = [&reader](std::int64_t index) -> Result<std::uint32_t> {
    const auto record = HENG_TRY(reader.record(static_cast<std::uint64_t>(index)));
    return record.entry.key_id;
  };
  parts.stream_items = [file = config.database("streams"), key = store::derive_key(master, "database/streams")](const TenantId& tenant, std::int64_t before_ms, bool remove) {
    return stream_items(file, key, tenant, before_ms, remove);
  };
  parts.uploads = [&knowledge](const TenantId& tenant, std::int64_t before_ms, const std::vector<std::string>& held, bool remove) -> Result<std::int64_t> {
    return std::int64_t{HENG_TRY(knowledge.forget_uploads(tenant, before_ms, held, remove))};
  };
  return parts;
}

std::string retention_example() {
  return R"(# How long what is kept: a kind without a term is kept for ever. What a hold names stays (`heng hold`). `heng policy check FILE` says whether it
# holds, `heng retention plan` what it would delete, `heng retention run` deletes; run it daily.
#
# conversations: contents of the ledger's records of asking, chatting, labelling, searching, rating and reviewing. They become unreadable because their
# key is destroyed; the ledger goes on verifying. A key serves key_days, so contents go at most that much after their term.
# reviews: decided items of the review queue, requests to unmask · feedback: ratings · vault: masked values, from when they were met last
# stream_items: market messages and the alerts that quote them · uploads: documents with a data subject's label
kind = "retention"
id = "retention"
version = "1.0"
owner = "records"
clause = "of the institution's own schedule of records"
effective_from = 2026-01-01
key_days = 30

[[keep]]
name = "conversations"
days = 1825

[[keep]]
name = "vault"
days = 365

[[keep]]
name = "stream_items"
days = 730
)";
}

}  // namespace heng::app
