#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "heng/base/result.h"

namespace heng::store {

/// An errno as an Error: ENOSPC, EDQUOT, EFBIG → storage_full, ENOENT → not_found, EACCES, EPERM, EROFS →
/// permission_denied, EIO → corrupt, else unavailable.
Error file_error(int error_number, std::string_view what, const std::filesystem::path& path);

/// Reads a whole file. Errors: too_large (past `limit_bytes`), and those of file_error.
Result<std::string> read_whole_file(const std::filesystem::path& path, std::uint64_t limit_bytes);

/// Writes beside the target, fsyncs, renames over it, fsyncs the folder: after a crash the old or the new, never half.
Result<void> write_file_durably(const std::filesystem::path& path, std::string_view bytes, unsigned mode = 0600);

Result<void> sync_file(const std::filesystem::path& path);
/// fsync of a folder, so that the names made in it survive a power cut.
Result<void> sync_folder(const std::filesystem::path& folder);

/// An exclusive lock between processes (flock), held for the object's life.
class FileLock {
 public:
  /// Waits. Errors: those of file_error.
  static Result<FileLock> take(const std::filesystem::path& path);
  FileLock(FileLock&& other) noexcept : descriptor_(other.descriptor_) { other.descriptor_ = -1; }
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock();

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace heng::store
