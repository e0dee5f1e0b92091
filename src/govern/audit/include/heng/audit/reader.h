#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "heng/audit/entry.h"
#include "heng/audit/ledger.h"
#include "heng/audit/record.h"
#include "heng/contracts/audit_reader.h"

namespace heng::audit {

/// One decrypted record.
struct Record {
  std::uint64_t index = 0;
  Entry entry;
  TenantId tenant;
  bool erased = false;   ///< The tenant's key was destroyed: the proof stands, the contents are gone.
  std::string json;      ///< {"open":…} and/or {"close":…}; empty when erased.
};

struct VerifyOptions {
  std::string old_checkpoint;                                                ///< A signed note saved earlier, or empty.
  std::function<void(std::uint64_t done, std::uint64_t of)> progress;
  bool decrypt = true;                                                       ///< Check the salted commitments too.
};

struct VerifyReport {
  std::uint64_t size = 0;
  std::uint64_t erased = 0;
  std::string root_hex;
  struct Problem {
    std::optional<std::uint64_t> index;   ///< The record, where it is known.
    std::string message;
  };
  std::vector<Problem> problems;          ///< Empty: everything holds. At most 100 are kept.
  std::uint64_t problem_count = 0;
};

/// Reads a ledger that others may be appending to. Each call sees the checkpoint of its moment.
///
/// Lifetime: the keyring must outlive it. Threads: safe. Processes: reads only, takes no lock.
class LedgerReader : public AuditReader {
 public:
  /// Errors: not_found, corrupt, permission_denied.
  static Result<std::unique_ptr<LedgerReader>> open(const LedgerSettings& settings, store::Keyring& keyring);
  ~LedgerReader() override;

  // For principals (HTTP): only records of their tenant.
  Result<std::vector<std::string>> tail(const Principal&, int limit, std::int64_t before) override;
  Result<std::string> get(const Principal&, std::int64_t index) override;
  Result<std::string> checkpoint() override;
  Result<std::string> proof(const Principal&, std::int64_t index) override;

  // For whoever holds the master key (command line): all tenants.
  Result<std::vector<std::string>> tail(int limit, std::int64_t before);
  Result<std::string> get(std::int64_t index);
  Result<std::uint64_t> size();
  /// Records opened from `from_ms` to before `to_ms`, each once with its closing half and without tokens, newest first, of one
  /// tenant (with those of nobody for "default") or, without a name, of all. Stops at the first record older than the window.
  Result<void> between(const TenantId* tenant, std::int64_t from_ms, std::int64_t to_ms, const std::function<bool(const std::string&)>& line);
  /// Indices of the records whose contents are under one of these data keys, and of the openings they close.
  Result<std::vector<std::int64_t>> records_under(const std::vector<std::uint32_t>& keys);
  /// For each data key, how many records are under it and when the newest of them was made.
  struct KeyUse {
    std::int64_t records = 0, newest_ms = 0;
  };
  Result<std::map<std::uint32_t, KeyUse>> key_uses();
  Result<Record> record(std::uint64_t index);
  /// {"index","size","leaf","entry","hashes","root","checkpoint","verifier_key"}; `size` 0: of the latest checkpoint.
  Result<std::string> prove(std::uint64_t index, std::uint64_t size = 0);
  /// {"first","second","first_root","second_root","hashes","checkpoint"}.
  Result<std::string> prove_consistency(std::uint64_t first, std::uint64_t second = 0);
  /// Re-hashes everything. The Result is an error only where reading was impossible; findings are in the report.
  Result<VerifyReport> verify(const VerifyOptions& options = {});
  /// One JSON line per record from `first` up to `last` (exclusive): {"index","kind","time","tenant","erased","leaf","record"}.
  Result<void> export_lines(std::uint64_t first, std::uint64_t last, const std::function<bool(const std::string&)>& line);
  /// Of a close, note or open record (then of its close). Errors: not_found, unsupported, permission_denied (erased).
  Result<Replayable> replayable(std::uint64_t index);
  const std::string& verifier_key() const;

 private:
  struct Impl;
  explicit LedgerReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace heng::audit
