#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "heng/audit/entry.h"
#include "heng/audit/syscalls.h"
#include "heng/contracts/audit.h"
#include "heng/store/backup.h"
#include "heng/store/keys.h"

namespace heng::audit {

struct LedgerSettings {
  std::filesystem::path folder;
  std::string origin = "heng.local/ledger";     ///< Names the log and its key; no spaces, no '+'.
  std::size_t group_records = 4096;             ///< Most records in one fsync.
  std::size_t group_bytes = 32u << 20;          ///< Most bytes of contents in one fsync.
  std::size_t queue_records = 65'536;           ///< Waiting records before `overloaded`.
  std::size_t queue_bytes = 256u << 20;
  std::size_t record_bytes = 64u << 20;         ///< Largest record; more is `too_large`.
  std::int64_t key_period_ms = 0;               ///< A new key for conversations after this long, so that old ones can be destroyed; 0: one for ever.
};

/// Whether a record of this action holds what people asked and were told (its term of retention may end), rather than how the
/// institution was run.
bool holds_conversation(std::string_view action);

/// The ledger's writer: a Merkle log on disk (C2SP tlog-tiles) with encrypted contents beside it. Appends from any number
/// of threads are put on disk together, one group after another, by one thread of its own; each waits until its group is
/// fsynced.
///
/// Lifetime: create → append… → destruction (waits for what is queued). The keyring and the clock must outlive it.
/// Threads: safe. Processes: several may append to one folder. Ownership: its thread and its file descriptors.
///
///     auto ledger = HENG_TRY(audit::Ledger::create({.folder = "data/ledger"}, *keyring));
///     auto ticket = HENG_TRY(ledger->open(opened));      // durable
///     HENG_TRY(ledger->close(ticket, closed));
class Ledger : public Audit {
 public:
  using Done = std::function<void(Result<AuditTicket>)>;

  /// Errors: corrupt (names the record), permission_denied (another master key's ledger), storage_full.
  static Result<std::unique_ptr<Ledger>> create(const LedgerSettings& settings, store::Keyring& keyring, Syscalls& calls = posix());
  ~Ledger() override;

  Result<AuditTicket> open(const AuditOpen&) override;
  Result<AuditTicket> close(const AuditTicket& opened, const AuditClose&) override;
  Result<AuditTicket> note(const AuditOpen&, const AuditClose&) override;
  std::int64_t size() const override;

  /// note() without waiting. `done` is called once, on the ledger's thread; it must be quick and must not append.
  void note_async(const AuditOpen&, const AuditClose&, Done done);

  /// The log's public key, "NAME+KEYID+BASE64": keep it outside the machine, for heng-audit-check.
  const std::string& verifier_key() const;
  /// Groups written since creation, for metrics.
  std::uint64_t groups() const;

 private:
  struct Impl;
  explicit Ledger(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// For store::backup: copies the ledger as of its checkpoint, while others append. Put it after the databases.
store::BackupPart ledger_part(std::string name, std::filesystem::path folder);

}  // namespace heng::audit
