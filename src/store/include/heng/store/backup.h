#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "heng/base/result.h"
#include "heng/store/secret.h"

namespace heng::store {

/// Something that a backup holds. Parts are written in order: what is pointed at goes after what points at it.
struct BackupPart {
  std::string name;                                                         ///< Folder or file name in the backup.
  /// Writes it at `target` (not there yet), consistent while others go on writing.
  std::function<Result<void>(const std::filesystem::path& target)> write;
};

/// A part that copies a database with SQLite's backup interface. Works while it is served.
BackupPart database_part(std::string name, std::filesystem::path database, SecretKey key);
/// A part that copies one file as it is, e.g. the keyring.
BackupPart file_part(std::string name, std::filesystem::path file);

struct BackupFile {
  std::string path;            ///< Relative, with '/'.
  std::uint64_t size_bytes = 0;
  std::string sha256;
};

struct BackupManifest {
  std::int64_t created_ms = 0;
  std::string program_version;
  std::vector<BackupFile> files;
};

/// Writes all parts and then `manifest.json` (path, size, sha256 of each file) into `target`, which must be absent or
/// empty. Without a manifest a backup is unfinished and is refused by restore(). The master key is not in it.
/// Errors: already_exists, storage_full, and those of the parts.
Result<BackupManifest> backup(const std::filesystem::path& target, const std::vector<BackupPart>& parts, std::int64_t now_ms,
                              const std::string& program_version);

/// Checks every file against the manifest. Errors: not_found (no manifest), corrupt (names the file: missing, changed or
/// not listed).
Result<BackupManifest> verify_backup(const std::filesystem::path& source);

/// Verifies, copies into `target` (absent or empty) through a folder beside it, verifies the copy and renames it in place:
/// afterwards the target is whole or was never touched. Errors: as verify_backup, already_exists, storage_full.
Result<BackupManifest> restore(const std::filesystem::path& source, const std::filesystem::path& target);

/// The manifest's text. Errors: corrupt.
Result<BackupManifest> parse_manifest(std::string_view json);

}  // namespace heng::store
