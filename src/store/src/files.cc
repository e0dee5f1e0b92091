#include "heng/store/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace heng::store {

namespace {

struct Descriptor {
  int value = -1;
  ~Descriptor() {
    if (value >= 0) ::close(value);
  }
};

Result<void> write_all(int descriptor, std::string_view bytes, const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return file_error(errno, "cannot write", path);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

}  // namespace

Error file_error(int error_number, std::string_view what, const std::filesystem::path& path) {
  ErrorCode code = ErrorCode::unavailable;
  std::string_view advice;
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      code = ErrorCode::storage_full;
      advice = "; free some space and try again";
      break;
    case ENOENT:
    case ENOTDIR:
      code = ErrorCode::not_found;
      break;
    case EACCES:
    case EPERM:
    case EROFS:
      code = ErrorCode::permission_denied;
      advice = "; check the rights of the file and its folder";
      break;
    case EIO:
      code = ErrorCode::corrupt;
      advice = "; the disk reports an error";
      break;
    default:
      break;
  }
  return Error(code, fmt::format("{}: {} ({}{})", path.string(), what, std::strerror(error_number), advice));
}

Result<std::string> read_whole_file(const std::filesystem::path& path, std::uint64_t limit_bytes) {
  Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.value < 0) return file_error(errno, "cannot open", path);
  struct stat status {};
  if (::fstat(file.value, &status) != 0) return file_error(errno, "cannot read", path);
  if (S_ISDIR(status.st_mode)) return Error(ErrorCode::invalid_argument, fmt::format("{}: is a folder", path.string()));
  if (static_cast<std::uint64_t>(status.st_size) > limit_bytes) {
    return Error(ErrorCode::too_large, fmt::format("{}: {} bytes, at most {} are read", path.string(), status.st_size, limit_bytes));
  }
  std::string bytes;
  char buffer[65536];
  while (true) {
    const ssize_t got = ::read(file.value, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return file_error(errno, "cannot read", path);
    if (got == 0) return bytes;
    bytes.append(buffer, static_cast<std::size_t>(got));
    if (bytes.size() > limit_bytes) return Error(ErrorCode::too_large, fmt::format("{}: more than {} bytes", path.string(), limit_bytes));
  }
}

Result<void> sync_file(const std::filesystem::path& path) {
  Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.value < 0) return file_error(errno, "cannot open", path);
  if (::fsync(file.value) != 0) return file_error(errno, "cannot sync", path);
  return {};
}

Result<void> sync_folder(const std::filesystem::path& folder) {
  const auto& name = folder.empty() ? std::filesystem::path(".") : folder;
  Descriptor directory{::open(name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (directory.value < 0) return file_error(errno, "cannot open", name);
  if (::fsync(directory.value) != 0) return file_error(errno, "cannot sync", name);
  return {};
}

Result<void> write_file_durably(const std::filesystem::path& path, std::string_view bytes, unsigned mode) {
  const std::filesystem::path temporary = path.string() + fmt::format(".{}.new", ::getpid());
  {
    Descriptor file{::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, static_cast<mode_t>(mode))};
    if (file.value < 0) return file_error(errno, "cannot write", temporary);
    auto written = write_all(file.value, bytes, temporary);
    if (written.ok() && ::fsync(file.value) != 0) written = file_error(errno, "cannot sync", temporary);
    if (!written.ok()) {
      ::unlink(temporary.c_str());
      return written;
    }
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    const int number = errno;
    ::unlink(temporary.c_str());
    return file_error(number, "cannot replace", path);
  }
  return sync_folder(path.parent_path());
}

Result<FileLock> FileLock::take(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return file_error(errno, "cannot open the lock file", path);
  while (::flock(descriptor, LOCK_EX) != 0) {
    if (errno == EINTR) continue;
    const int number = errno;
    ::close(descriptor);
    return file_error(number, "cannot lock", path);
  }
  return FileLock(descriptor);
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace heng::store
