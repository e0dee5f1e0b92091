#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "heng/audit/entry.h"
#include "heng/audit/reader.h"
#include "heng/store/keys.h"
#include "layout.h"

namespace heng::audit {

/// Reads entries and contents as of one checkpoint, keeping the last bundle. Threads: one.
class RecordSource {
 public:
  RecordSource(std::filesystem::path folder, store::Keyring& keyring) : files_(std::move(folder)), keyring_(keyring) {}

  /// Takes the latest checkpoint; with a key it is verified. Errors: not_found, corrupt.
  Result<void> refresh(const tlog::VerifierKey* key = nullptr);
  std::uint64_t size() const { return checkpoint_.size; }
  const tlog::Checkpoint& checkpoint() const { return checkpoint_; }
  const std::string& checkpoint_note() const { return note_; }
  LedgerFiles& files() { return files_; }

  Result<Entry> entry(std::uint64_t index);
  Result<std::string> entry_bytes(std::uint64_t index);
  /// The encrypted contents, checked against the entry's hash. Errors: corrupt (names the record).
  Result<std::string> content(std::uint64_t index);
  /// Decrypted, checked against the leaf hash and the salted commitment.
  Result<Record> record(std::uint64_t index);
  Result<TenantId> tenant_of(std::uint32_t key_id);

 private:
  Result<void> load(std::uint64_t index);

  LedgerFiles files_;
  store::Keyring& keyring_;
  tlog::Checkpoint checkpoint_;
  std::string note_;
  std::map<std::uint32_t, TenantId> tenants_;
  // the bundle read last
  std::uint64_t bundle_ = ~std::uint64_t{0};
  unsigned width_ = 0;
  std::string bytes_;
  std::string tile_;
  std::vector<std::string_view> entries_;
  std::vector<Entry> decoded_;
  std::vector<std::uint64_t> offsets_;
};

/// Re-hashes the whole ledger; see LedgerReader::verify.
Result<VerifyReport> verify_ledger(const LedgerSettings& settings, store::Keyring& keyring, const tlog::VerifierKey& key, const VerifyOptions& options);

}  // namespace heng::audit
