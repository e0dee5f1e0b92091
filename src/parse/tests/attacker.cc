// Stands in for heng-parse in tests: confines itself the same way and then does what a taken-over parser would. The attack
// comes as --name=ATTACK. Says {"error"} with what happened where it lives on; the parent sees the signal where it does not.

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <new>
#include <string>

#include "heng/parse/sandbox.h"
#include "heng/parse/wire.h"

namespace {

using heng::Error;
using heng::ErrorCode;

void say(const std::string& text) {
  std::string line = heng::parse::encode_error(Error(ErrorCode::unsupported, text));
  if (write(1, line.data(), line.size()) < 0) _exit(9);
}

void report(const char* what, long result) { say(fmt::format("{}: {}", what, result < 0 ? std::strerror(errno) : "SUCCEEDED")); }

void run_shell() {
  const char* const arguments[] = {"/bin/sh", "-c", "echo owned", nullptr};
  execv("/bin/sh", const_cast<char* const*>(arguments));
  report("exec", -1);
}

void connect_home() {
  int file = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(80);
  inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
  report("connect", file < 0 ? -1 : connect(file, reinterpret_cast<sockaddr*>(&address), sizeof address));
}

void allocate() {
  std::string all;
  try {
    for (int i = 0; i < 10; ++i) all.append(1u << 30, 'x');
    say("memory: SUCCEEDED");
  } catch (const std::bad_alloc&) {
    say("memory: refused");
  }
}

const std::map<std::string, std::function<void()>> attacks = {
    {"read-file", [] { report("open", open("/etc/passwd", O_RDONLY)); }},
    {"write-file", [] { report("open", open("heng-attack", O_WRONLY | O_CREAT, 0600)); }},
    {"write-input", [] { report("write", pwrite(0, "x", 1, 0)); }},
    {"delete-file", [] { report("unlink", unlink("heng-attack")); }},
    {"list-folder", [] { report("open", open("/", O_RDONLY | O_DIRECTORY)); }},
    {"connect", connect_home},
    {"unix-socket", [] { report("socket", socket(AF_UNIX, SOCK_STREAM, 0)); }},
    {"fork-bomb", [] { for (;;) if (fork() < 0) return report("fork", -1); }},
    {"shell", run_shell},
    {"ptrace", [] { report("ptrace", ptrace(PTRACE_ATTACH, getppid(), nullptr, nullptr)); }},
    {"kill-parent", [] { report("kill", kill(getppid(), SIGKILL)); }},
    {"code", [] { report("mmap", mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0); }},
    {"memory", allocate},
    {"spin", [] { static volatile bool forever = true; while (forever) {} }},
    {"sleep", [] { for (;;) read(2, nullptr, 0), poll(nullptr, 0, 100); }},
    {"print", [] { std::string text(1 << 16, 'x'); while (write(1, text.data(), text.size()) > 0) {} }},
    {"complain", [] { std::string text(1 << 16, 'x'); for (int i = 0; i < 200; ++i) if (write(2, text.data(), text.size()) < 0) break; say("complained"); }},
    {"crash", [] { *static_cast<volatile int*>(nullptr) = 1; }},
    {"abort", [] { abort(); }},
    {"nothing", [] { _exit(0); }},
    {"garbage", [] { if (write(1, "\xFF\xFE{]\n", 5) < 0) _exit(9); _exit(0); }},
    {"half", [] { std::string text = "{\"document\":{\"title\":\"x\"}}\n{\"kind\":\"parag"; if (write(1, text.data(), text.size()) < 0) _exit(9); _exit(0); }},
    {"environment", [] { say(fmt::format("environment: {}", *environ == nullptr ? "empty" : *environ)); }},
};

}  // namespace

int main(int count, char** arguments) {
  using namespace heng::parse;
  std::string attack;
  ResourceLimits limits;
  for (int i = 1; i < count; ++i) {
    std::string argument = arguments[i];
    if (argument.starts_with("--name=")) attack = argument.substr(7);
    if (argument.starts_with("--max-cpu=")) limits.max_cpu_s = std::stoi(argument.substr(10));
    if (argument.starts_with("--max-memory=")) limits.max_memory_bytes = std::stoll(argument.substr(13));
  }
  Confinement confinement = Confinement::compute;
  if (attack.starts_with("tool:")) {
    confinement = Confinement::tool;
    attack = attack.substr(5);
  }
  auto found = attacks.find(attack);
  if (found == attacks.end()) _exit(8);
  if (!apply_limits(limits) || !confine(confinement, {"/usr/bin/pdftotext"})) _exit(7);
  found->second();
  _exit(1);
}
