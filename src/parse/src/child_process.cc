#include "child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>

namespace heng::parse {
namespace {

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(other.number_) { other.number_ = -1; }
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor() { reset(); }
  void reset() {
    if (number_ >= 0) close(number_);
    number_ = -1;
  }
  int get() const { return number_; }
  bool open() const { return number_ >= 0; }

 private:
  int number_ = -1;
};

struct Pipe {
  Descriptor read_end, write_end;
};

Error cannot(const char* what) {
  return Error(ErrorCode::unavailable, fmt::format("the document parser cannot be started: {}: {}", what, std::strerror(errno)));
}

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return cannot("pipe");
  return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

Result<Descriptor> memory_file(std::string_view bytes) {
  Descriptor file(memfd_create("document", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file.open()) return cannot("memfd_create");
  while (!bytes.empty()) {
    ssize_t written = write(file.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return cannot("memory file");
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  // The child can neither change the document nor use it as scratch space.
  if (fcntl(file.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0) return cannot("seal");
  if (lseek(file.get(), 0, SEEK_SET) != 0) return cannot("memory file");
  return file;
}

Result<pid_t> spawn(const std::filesystem::path& program, const std::vector<std::string>& arguments, int input, int output,
                    int errors) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_adddup2(&actions, input, 0);
  posix_spawn_file_actions_adddup2(&actions, output, 1);
  posix_spawn_file_actions_adddup2(&actions, errors, 2);
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

  std::string path = program.string();
  std::vector<char*> argv{path.data()};
  std::vector<std::string> copies = arguments;
  for (std::string& argument : copies) argv.push_back(argument.data());
  argv.push_back(nullptr);
  std::array<char*, 1> environment{nullptr};
  pid_t child = 0;
  int failed = posix_spawn(&child, path.c_str(), &actions, &attributes, argv.data(), environment.data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (failed != 0) {
    return Error(ErrorCode::unavailable,
                 fmt::format("the document parser {} cannot be started: {}", path, std::strerror(failed)));
  }
  return child;
}

// Reads what there is; closes at the end of the stream. False when more than `limit` bytes came.
bool drain(Descriptor& source, std::string& into, std::size_t limit, std::array<char, 65536>& buffer) {
  ssize_t got = read(source.get(), buffer.data(), buffer.size());
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return true;
  if (got <= 0) {
    source.reset();
    return true;
  }
  std::size_t room = limit - std::min(limit, into.size());
  into.append(buffer.data(), std::min(room, static_cast<std::size_t>(got)));
  return static_cast<std::size_t>(got) <= room;
}

void collect(Descriptor output, Descriptor errors, const ChildLimits& limits, ChildResult& result) {
  using clock = std::chrono::steady_clock;
  constexpr std::size_t max_errors_bytes = 4096;
  auto deadline = clock::now() + std::chrono::milliseconds(limits.max_wall_ms);
  std::array<char, 65536> buffer{};
  while (output.open()) {
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - clock::now()).count();
    if (left <= 0) {
      result.timed_out = true;
      return;
    }
    std::array<pollfd, 2> waiting{pollfd{output.get(), POLLIN, 0}, pollfd{errors.get(), POLLIN, 0}};
    int ready = poll(waiting.data(), waiting.size(), static_cast<int>(left));
    if (ready <= 0) continue;
    if (waiting[0].revents != 0 &&
        !drain(output, result.output, static_cast<std::size_t>(limits.max_output_bytes), buffer)) {
      result.output_limit = true;
      return;
    }
    // what does not fit is read and dropped, so that the child does not block
    if (errors.open() && waiting[1].revents != 0) drain(errors, result.errors, max_errors_bytes, buffer);
  }
}

}  // namespace

Result<ChildResult> run_child(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                              std::string_view input, const ChildLimits& limits) {
  Descriptor document = HENG_TRY(memory_file(input));
  Pipe output = HENG_TRY(make_pipe());
  Pipe errors = HENG_TRY(make_pipe());
  auto started = std::chrono::steady_clock::now();
  pid_t child = HENG_TRY(spawn(program, arguments, document.get(), output.write_end.get(), errors.write_end.get()));
  output.write_end.reset();
  errors.write_end.reset();
  document.reset();

  ChildResult result;
  collect(std::move(output.read_end), std::move(errors.read_end), limits, result);
  // A child that has closed its output still has its time to end by itself; what is left of its group is killed.
  int status = 0;
  pid_t ended = 0;
  auto deadline = started + std::chrono::milliseconds(limits.max_wall_ms);
  if (!result.timed_out && !result.output_limit) {
    while ((ended = waitpid(child, &status, WNOHANG)) == 0 && std::chrono::steady_clock::now() < deadline) usleep(500);
    if (ended == 0) result.timed_out = true;
  }
  kill(-child, SIGKILL);
  while (ended == 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
  else result.exit_status = WEXITSTATUS(status);
  return result;
}

}  // namespace heng::parse
