#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <memory>
#include <set>

#include "fixture.h"

namespace heng::audit {
namespace {

// The n-th call fails with an error number, and those after it too while `sticky`.
class FailAt : public Syscalls {
 public:
  int left = -1;
  int number = ENOSPC;
  bool sticky = false;
  int open(const char* path, int flags, mode_t mode) override { return fails() ? -1 : Syscalls::open(path, flags, mode); }
  ssize_t pwrite(int descriptor, const void* data, std::size_t size, off_t offset) override {
    if (!fails()) return Syscalls::pwrite(descriptor, data, size, offset);
    // a full disk takes a part first
    if (size > 1 && Syscalls::pwrite(descriptor, data, size / 2, offset) < 0) return -1;
    errno = number;
    return -1;
  }
  int ftruncate(int descriptor, off_t size) override { return fails() ? -1 : Syscalls::ftruncate(descriptor, size); }
  int fsync(int descriptor) override { return fails() ? -1 : Syscalls::fsync(descriptor); }
  int fsync_all(const std::vector<int>& descriptors) override {
    for (const int descriptor : descriptors) {
      if (fsync(descriptor) != 0) return -1;
    }
    return 0;
  }
  int rename(const char* from, const char* to) override { return fails() ? -1 : Syscalls::rename(from, to); }
  int mkdir(const char* path, mode_t mode) override { return fails() ? -1 : Syscalls::mkdir(path, mode); }

 private:
  bool fails() {
    if (left < 0 || left-- > 0) return false;
    if (sticky) left = 0;
    errno = number;
    return true;
  }
};

TEST(Failure, EachCallMayFailOnceAndNothingAcknowledgedIsLost) {
  for (const int number : {ENOSPC, EIO}) {
    bool reached_end = false;
    for (int call = 0; !reached_end; ++call) {
      Fixture f;
      FailAt syscalls;
      auto ledger = f.ledger(syscalls);
      for (int i = 0; i < 254; ++i) ledger->note_async(opening("a"), {}, [](auto) {});
      ASSERT_OK(ledger->note(opening("b"), {}));
      syscalls.number = number;
      syscalls.left = call;
      std::int64_t good = ledger->size();
      int failed = 0;
      for (int i = 0; i < 3; ++i) {
        auto ticket = ledger->note(opening("c"), closing("output"));
        if (ticket.ok()) {
          EXPECT_GE(ticket->index, good);
          good = ticket->index + 1;
        } else {
          ++failed;
          EXPECT_EQ(ticket.error().code, number == ENOSPC ? ErrorCode::storage_full : ErrorCode::corrupt) << ticket.error().message;
        }
      }
      reached_end = failed == 0;
      EXPECT_LE(failed, 1);
      syscalls.left = -1;
      ASSERT_OK(ledger->note(opening("after"), {}));
      const auto size = static_cast<std::uint64_t>(ledger->size());
      EXPECT_GE(size, static_cast<std::uint64_t>(good) + 1);
      ledger.reset();
      f.expect_whole(size);
      if (HasFailure()) FAIL() << "call " << call;
    }
  }
}

TEST(Failure, AFullDiskRefusesUntilThereIsSpaceAgain) {
  Fixture f;
  FailAt syscalls;
  auto ledger = f.ledger(syscalls);
  ASSERT_OK(ledger->note(opening("a"), {}));
  syscalls.sticky = true;
  syscalls.left = 2;
  for (int i = 0; i < 5; ++i) EXPECT_EQ(ledger->note(opening("b"), {}).error().code, ErrorCode::storage_full);
  EXPECT_EQ(ledger->size(), 1);
  syscalls.sticky = false;
  syscalls.left = -1;
  ASSERT_OK(ledger->note(opening("c"), {}));
  f.expect_whole(2);
}

// Remembers what a power cut would leave: file contents as of their last fsync, names as of their folder's last fsync.
class PowerCut : public Syscalls {
 public:
  int open(const char* path, int flags, mode_t mode) override {
    const int descriptor = Syscalls::open(path, flags, mode);
    if (descriptor < 0) return descriptor;
    const std::string name = path;
    if ((flags & O_DIRECTORY) == 0) {
      auto& file = names_[name];
      if (file == nullptr) file = std::make_shared<File>();
      if ((flags & O_TRUNC) != 0) file->now.clear();
    }
    open_[descriptor] = name;
    return descriptor;
  }
  int close(int descriptor) override { return open_.erase(descriptor), Syscalls::close(descriptor); }
  ssize_t pwrite(int descriptor, const void* data, std::size_t size, off_t offset) override {
    auto& bytes = names_[open_[descriptor]]->now;
    if (bytes.size() < static_cast<std::size_t>(offset) + size) bytes.resize(static_cast<std::size_t>(offset) + size);
    bytes.replace(static_cast<std::size_t>(offset), size, static_cast<const char*>(data), size);
    return Syscalls::pwrite(descriptor, data, size, offset);
  }
  int ftruncate(int descriptor, off_t size) override { return names_[open_[descriptor]]->now.resize(static_cast<std::size_t>(size)), Syscalls::ftruncate(descriptor, size); }
  int fsync(int descriptor) override {
    const std::string name = open_[descriptor];
    if (const auto file = names_.find(name); file != names_.end()) {
      file->second->durable = file->second->now;
    } else {
      sync_folder(name);
    }
    return Syscalls::fsync(descriptor);
  }
  int fsync_all(const std::vector<int>& descriptors) override {
    for (const int descriptor : descriptors) {
      if (fsync(descriptor) != 0) return -1;
    }
    return 0;
  }
  int rename(const char* from, const char* to) override {
    names_[to] = names_[from];
    names_.erase(from);
    return Syscalls::rename(from, to);
  }
  int mkdir(const char* path, mode_t mode) override {
    const int result = Syscalls::mkdir(path, mode);
    if (result == 0) folders_.insert(path);
    return result;
  }
  int unlink(const char* path) override { return names_.erase(path), Syscalls::unlink(path); }

  /// Writes what survived of `folder` into `target`.
  void leave(const std::filesystem::path& folder, const std::filesystem::path& target) const {
    for (const auto& [name, file] : durable_names_) {
      const std::filesystem::path path = name;
      if (!reachable(path.parent_path(), folder)) continue;
      const auto copy = target / path.lexically_relative(folder);
      std::filesystem::create_directories(copy.parent_path());
      write_file(copy, file->durable);
    }
  }

 private:
  struct File {
    std::string now, durable;
  };
  void sync_folder(const std::string& folder) {
    const auto inside = [&](const std::string& name) { return std::filesystem::path(name).parent_path() == folder; };
    std::erase_if(durable_names_, [&](const auto& item) { return inside(item.first) && !names_.contains(item.first); });
    for (const auto& [name, file] : names_) {
      if (inside(name)) durable_names_[name] = file;
    }
    for (const auto& name : folders_) {
      if (inside(name)) durable_folders_.insert(name);
    }
  }
  bool reachable(const std::filesystem::path& folder, const std::filesystem::path& top) const {
    return folder == top || (durable_folders_.contains(folder.string()) && reachable(folder.parent_path(), top));
  }
  std::map<std::string, std::shared_ptr<File>> names_, durable_names_;
  std::set<std::string> folders_, durable_folders_;
  std::map<int, std::string> open_;
};

TEST(Failure, APowerCutLeavesEverythingAcknowledged) {
  Fixture f;
  PowerCut disk;
  auto ledger = f.ledger(disk);
  int cuts = 0;
  for (int i = 0; i < 530; ++i) {
    ASSERT_OK(ledger->note(opening(std::to_string(i)), closing(std::string(static_cast<std::size_t>(i % 50), 'x'))));
    if (i > 3 && i % 256 > 2 && i % 256 < 253 && i % 37 != 0) continue;
    // nothing runs between two appends, so this is what a cut just after the acknowledgement leaves
    const auto survived = f.folder / ("cut" + std::to_string(i));
    disk.leave(f.settings.folder, survived);
    auto settings = f.settings;
    settings.folder = survived;
    auto reader = LedgerReader::open(settings, *f.keyring);
    ASSERT_OK(reader);
    auto report = (*reader)->verify();
    ASSERT_OK(report);
    ASSERT_EQ(report->problem_count, 0U) << i << ": " << report->problems[0].message;
    ASSERT_EQ(report->size, static_cast<std::uint64_t>(i) + 1);
    ASSERT_OK(Ledger::create(settings, *f.keyring));
    std::filesystem::remove_all(survived);
    ++cuts;
  }
  EXPECT_GT(cuts, 20);
}

}  // namespace
}  // namespace heng::audit
