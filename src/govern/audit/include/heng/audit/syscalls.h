#pragma once

#include <sys/types.h>

#include <cstddef>
#include <vector>

namespace heng::audit {

/// The system calls the ledger's writer makes, as on POSIX (errno set on failure). A seam for failure injection: tests
/// fail, tear or kill at each of them. Threads: called by one thread at a time.
class Syscalls {
 public:
  virtual ~Syscalls() = default;
  virtual int open(const char* path, int flags, mode_t mode);
  virtual int close(int descriptor);
  virtual ssize_t pwrite(int descriptor, const void* data, std::size_t size, off_t offset);
  virtual int ftruncate(int descriptor, off_t size);
  virtual int fsync(int descriptor);
  /// fsync of each, side by side: a journaling file system then commits them together. -1 and errno where one failed.
  virtual int fsync_all(const std::vector<int>& descriptors);
  virtual int rename(const char* from, const char* to);
  virtual int mkdir(const char* path, mode_t mode);
  virtual int unlink(const char* path);
  virtual int rmdir(const char* path);
};

Syscalls& posix();

}  // namespace heng::audit
