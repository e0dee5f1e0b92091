#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <random>
#include <thread>

#include "fixture.h"

namespace heng::audit {
namespace {

// A child appends from several threads and reports each acknowledged index and subject through a pipe; it is killed at a
// random moment. Then: every reported record is there with its contents, and the ledger is whole.
TEST(Crash, KilledWriterLosesNothingAcknowledged) {
  Fixture f;
  f.ledger();
  std::mt19937 random(20261124);
  const int kills = std::getenv("HENG_KILLS") != nullptr ? std::atoi(std::getenv("HENG_KILLS")) : 30;
  std::map<std::int64_t, std::uint64_t> acknowledged;
  std::uint64_t serial = 0;
  for (int round = 0; round < kills; ++round) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const std::uint64_t base = serial += 1'000'000;
    const pid_t child = fork();
    if (child == 0) {
      ::close(ends[0]);
      auto keyring = store::Keyring::open(f.folder / "keyring", f.master);
      auto ledger = Ledger::create(f.settings, **keyring);
      if (!ledger.ok()) _exit(3);
      std::atomic<std::uint64_t> next = base;
      std::vector<std::thread> threads;
      for (int t = 0; t < 8; ++t) {
        threads.emplace_back([&] {
          while (true) {
            const std::uint64_t mine = ++next;
            auto ticket = (*ledger)->note(opening(std::to_string(mine)), closing(std::string(mine % 3000, 'x')));
            const std::int64_t message[2] = {ticket.ok() ? ticket->index : -1, static_cast<std::int64_t>(mine)};
            if (!ticket.ok() || write(ends[1], message, sizeof message) != sizeof message) _exit(4);
          }
        });
      }
      for (auto& thread : threads) thread.join();
    }
    ::close(ends[1]);
    std::thread killer([&] {
      std::this_thread::sleep_for(std::chrono::microseconds(5'000 + random() % 45'000));
      kill(child, SIGKILL);
    });
    std::int64_t message[2];
    while (read(ends[0], message, sizeof message) == sizeof message) {
      ASSERT_TRUE(acknowledged.emplace(message[0], static_cast<std::uint64_t>(message[1])).second) << "index " << message[0] << " given twice";
    }
    killer.join();
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself with " << WEXITSTATUS(status);
    ::close(ends[0]);
  }
  auto report = f.reader()->verify();
  ASSERT_OK(report);
  for (const auto& problem : report->problems) ADD_FAILURE() << problem.message;
  ASSERT_GT(acknowledged.size(), static_cast<std::size_t>(kills));
  EXPECT_GE(report->size, acknowledged.size());
  std::size_t found = 0;
  ASSERT_OK(f.reader()->export_lines(0, report->size, [&](const std::string& line) {
    const auto index = std::stoll(line.substr(line.find("\"index\":") + 8));
    const auto it = acknowledged.find(index);
    if (it != acknowledged.end() && line.find("\"subject\":\"" + std::to_string(it->second) + "\"") != std::string::npos) ++found;
    return true;
  }));
  EXPECT_EQ(found, acknowledged.size()) << "acknowledged records lost";
  std::printf("  %d kills, %zu acknowledged, %llu in the ledger, %zu lost\n", kills, acknowledged.size(),
              static_cast<unsigned long long>(report->size), acknowledged.size() - found);
}

// Ends the process at the n-th call, after half of a write.
class KillAt : public Syscalls {
 public:
  explicit KillAt(int call) : left_(call) {}
  int open(const char* path, int flags, mode_t mode) override { return tick(), Syscalls::open(path, flags, mode); }
  ssize_t pwrite(int descriptor, const void* data, std::size_t size, off_t offset) override {
    if (--left_ == 0) {
      if (Syscalls::pwrite(descriptor, data, size / 2, offset) < 0) _exit(8);
      _exit(7);
    }
    return Syscalls::pwrite(descriptor, data, size, offset);
  }
  int ftruncate(int descriptor, off_t size) override { return tick(), Syscalls::ftruncate(descriptor, size); }
  int fsync(int descriptor) override { return tick(), Syscalls::fsync(descriptor); }
  int fsync_all(const std::vector<int>& descriptors) override {
    for (const int descriptor : descriptors) {
      if (fsync(descriptor) != 0) return -1;
    }
    return 0;
  }
  int rename(const char* from, const char* to) override { return tick(), Syscalls::rename(from, to); }
  int mkdir(const char* path, mode_t mode) override { return tick(), Syscalls::mkdir(path, mode); }
  int unlink(const char* path) override { return tick(), Syscalls::unlink(path); }

 private:
  void tick() {
    if (--left_ == 0) _exit(7);
  }
  int left_;
};

// Creation, first records, and a group that crosses a bundle's end: killed at every single system call.
TEST(Crash, KilledAtEveryWrite) {
  bool finished = false;
  int calls = 0;
  for (int call = 1; !finished; ++call) {
    Fixture f;
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
      KillAt syscalls(call);
      auto ledger = Ledger::create(f.settings, *f.keyring, syscalls);
      if (!ledger.ok()) _exit(5);
      std::int64_t acknowledged = 0;
      const auto report = [&](Result<AuditTicket> ticket) {
        if (!ticket.ok() || ticket->index != acknowledged) _exit(6);
        ++acknowledged;
        if (write(ends[1], &acknowledged, sizeof acknowledged) != sizeof acknowledged) _exit(6);
      };
      report((*ledger)->note(opening("a"), {}));
      for (int i = 0; i < 270; ++i) (*ledger)->note_async(opening("b"), {}, report);
      ledger->reset();
      _exit(0);
    }
    ::close(ends[1]);
    std::int64_t acknowledged = 0, message = 0;
    while (read(ends[0], &message, sizeof message) == sizeof message) acknowledged = message;
    ::close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    finished = WEXITSTATUS(status) == 0;
    ASSERT_TRUE(finished || WEXITSTATUS(status) == 7) << "call " << call << " status " << WEXITSTATUS(status);
    auto ledger = f.ledger();
    ASSERT_NE(ledger, nullptr) << "call " << call;
    ASSERT_GE(ledger->size(), acknowledged) << "call " << call;
    ASSERT_OK(ledger->note(opening("after"), {}));
    f.expect_whole(static_cast<std::uint64_t>(ledger->size()));
    if (HasFailure()) FAIL() << "call " << call;
    calls = call;
  }
  EXPECT_GT(calls, 40);
}

}  // namespace
}  // namespace heng::audit
