#include "heng/audit/syscalls.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <thread>

namespace heng::audit {

int Syscalls::open(const char* path, int flags, mode_t mode) { return ::open(path, flags, mode); }
int Syscalls::close(int descriptor) { return ::close(descriptor); }
ssize_t Syscalls::pwrite(int descriptor, const void* data, std::size_t size, off_t offset) { return ::pwrite(descriptor, data, size, offset); }
int Syscalls::ftruncate(int descriptor, off_t size) { return ::ftruncate(descriptor, size); }
// fdatasync would do for contents, but new sizes and new files need their metadata too
int Syscalls::fsync(int descriptor) { return ::fsync(descriptor); }
int Syscalls::fsync_all(const std::vector<int>& descriptors) {
  constexpr std::size_t side_by_side = 8;
  const std::size_t workers = std::min(side_by_side, descriptors.size());
  std::atomic<int> number = 0;
  const auto work = [&](std::size_t first) {
    for (std::size_t i = first; i < descriptors.size(); i += workers) {
      if (::fsync(descriptors[i]) != 0) number = errno;
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t i = 1; i < workers; ++i) threads.emplace_back(work, i);
  if (workers > 0) work(0);
  for (auto& thread : threads) thread.join();
  if (number == 0) return 0;
  errno = number;
  return -1;
}
int Syscalls::rename(const char* from, const char* to) { return ::rename(from, to); }
int Syscalls::mkdir(const char* path, mode_t mode) { return ::mkdir(path, mode); }
int Syscalls::unlink(const char* path) { return ::unlink(path); }
int Syscalls::rmdir(const char* path) { return ::rmdir(path); }

Syscalls& posix() {
  static Syscalls calls;
  return calls;
}

}  // namespace heng::audit
