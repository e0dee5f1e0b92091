#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "heng/base/clock.h"
#include "heng/base/ids.h"
#include "heng/base/result.h"
#include "heng/store/secret.h"

namespace heng::store {

struct MasterKeySource {
  std::filesystem::path file;                       ///< Holds 64 hexadecimal digits; refused when others may read it.
  std::string environment = "HENG_MASTER_KEY";      ///< Taken first where it is set; 64 hexadecimal digits.
};

/// Errors: not_found (neither is there: says both names), invalid_argument (not a key), permission_denied (readable by
/// group or others: says the chmod to run).
Result<SecretKey> load_master_key(const MasterKeySource& source);
/// Writes a new file with mode 0600, durable. Errors: already_exists, storage_full, unavailable.
Result<void> write_master_key(const std::filesystem::path& file, const SecretKey& key);

/// HKDF-SHA256 (RFC 5869) of the master key; `purpose` is the info, e.g. "database/kb", "ledger". The same purpose gives
/// the same key for ever.
SecretKey derive_key(const SecretKey& master, std::string_view purpose);

/// HMAC-SHA256 (RFC 2104).
std::string hmac_sha256(std::string_view key, std::string_view message);

/// AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce: nonce ‖ ciphertext ‖ 128-bit tag. `context` is
/// authenticated, not encrypted.
std::string seal(const SecretKey& key, std::string_view plaintext, std::string_view context);
/// Errors: corrupt (wrong key, wrong context or changed bytes).
Result<std::string> unseal(const SecretKey& key, std::string_view sealed, std::string_view context);

/// Purpose of the keys of conversations in the ledger.
inline constexpr const char* conversation_keys = "conversation";

/// Data keys, one at a time per tenant, wrapped by the master key in one small text file. Destroying a key erases, for
/// ever, everything it encrypted.
///
/// Lifetime: none of what it returns depends on it. Threads: safe. Processes: safe; each change takes a file lock and
/// reads what others wrote. Ownership: of the file.
class Keyring {
 public:
  struct DataKey {
    std::uint32_t id = 0;
    SecretKey key;
  };
  struct Entry {
    std::uint32_t id = 0;
    TenantId tenant;
    std::string subject_tag;        ///< Keyed hash of the data subject whose key it is; empty: the tenant's own.
    std::string purpose;            ///< Empty: records of the ledger; else what the key is kept apart for.
    std::int64_t created_ms = 0;
    std::int64_t destroyed_ms = 0;  ///< 0: alive.
  };

  /// Which of an owner's keys is wanted.
  struct Use {
    std::string purpose = {};        ///< Letters; keys of different purposes are destroyed apart, except with their owner.
    std::int64_t not_before_ms = 0;  ///< A key made before this is left alone and a new one made: so keys can be destroyed by age.
  };

  /// Makes the file where it is absent. Errors: permission_denied (another master key), corrupt, storage_full.
  static Result<std::unique_ptr<Keyring>> open(const std::filesystem::path& file, const SecretKey& master,
                                               const Clock& clock = system_clock());
  ~Keyring();
  Keyring(const Keyring&) = delete;
  Keyring& operator=(const Keyring&) = delete;

  /// The current key of the tenant, or of one data subject of it, made at first use. The file is written anew with each new
  /// key and searched from its end: meant for up to some ten thousand subjects.
  Result<DataKey> current(const TenantId& tenant, const std::string& subject, const Use& use);
  Result<DataKey> current(const TenantId& tenant, const std::string& subject = {}) { return current(tenant, subject, Use()); }
  /// What stands for a subject in the file and in records of its erasure: 128 bits of an HMAC under a key of this file, so that
  /// the id cannot be read nor guessed without it. Stays the same under a new master key.
  Result<std::string> subject_tag(const TenantId& tenant, const std::string& subject);
  /// Errors: not_found (no such id), permission_denied (destroyed: the message says when).
  Result<SecretKey> by_id(std::uint32_t id);
  /// Erases all keys of the tenant, its subjects' too; a later current() makes a new one. Returns how many.
  Result<int> destroy(const TenantId& tenant);
  /// Erases the keys of one data subject, of every purpose.
  Result<int> destroy_subject(const TenantId& tenant, const std::string& subject);
  /// Erases single keys, by id; those that are gone already or unknown are passed over. Returns how many.
  Result<int> destroy_keys(const std::vector<std::uint32_t>& ids);
  std::vector<Entry> entries();

  /// Wraps every key by another master key, in one atomic step.
  Result<void> rewrap(const SecretKey& new_master);

 private:
  struct Impl;
  explicit Keyring(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// The text of a keyring file, checked for form only (no key needed). For the fuzzer and the tools.
/// Errors: corrupt (names the line).
Result<std::vector<Keyring::Entry>> parse_keyring(std::string_view text);

struct RotationPlan {
  struct File {
    std::filesystem::path path;
    std::string purpose;                             ///< As given to derive_key.
  };
  std::vector<File> databases;
  std::filesystem::path keyring;                     ///< Empty: none.
};

/// Re-encrypts every database and re-wraps the keyring from the old master key to the new one. Nothing else may have the
/// files open. May be repeated after an interruption with the same two keys: what is done already is recognised and kept.
/// Errors: conflict (in use), permission_denied (neither key fits a file), storage_full.
Result<void> rotate(const RotationPlan& plan, const SecretKey& old_master, const SecretKey& new_master);

}  // namespace heng::store
