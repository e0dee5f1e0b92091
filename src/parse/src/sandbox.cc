#include "heng/parse/sandbox.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>

namespace heng::parse {
namespace {

std::string reason(const char* what) { return fmt::format("{}: {}", what, std::strerror(errno)); }

Result<void> set_limit(int resource, const char* name, rlim_t value) {
  rlimit limit{value, value};
  if (setrlimit(static_cast<__rlimit_resource>(resource), &limit) != 0) {
    return Error(ErrorCode::internal, reason(name));
  }
  return {};
}

// --- Landlock ---------------------------------------------------------------------------------------------------------

// The kernel may know newer rights than the header; what it knows of these is handled, and so denied unless allowed.
constexpr std::uint64_t rights_abi_1 = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;
constexpr std::uint64_t right_refer = 1ULL << 13, right_truncate = 1ULL << 14, right_ioctl = 1ULL << 15;
constexpr std::uint64_t net_rights = 3, scopes = 3;

// As in newer kernels' headers, which add a field per ABI.
struct RulesetAttributes {
  std::uint64_t handled_access_fs = 0, handled_access_net = 0, scoped = 0;
};

int landlock_abi() {
  return static_cast<int>(syscall(__NR_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION));
}

Result<void> allow_path(int ruleset, const char* path, std::uint64_t rights) {
  int file = open(path, O_PATH | O_CLOEXEC);
  if (file < 0) return {};  // what is not there needs no permission
  struct stat status {};
  if (fstat(file, &status) == 0 && !S_ISDIR(status.st_mode)) rights &= ~std::uint64_t{LANDLOCK_ACCESS_FS_READ_DIR};
  landlock_path_beneath_attr rule{};
  rule.allowed_access = rights;
  rule.parent_fd = file;
  long failed = syscall(__NR_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
  close(file);
  if (failed != 0) return Error(ErrorCode::unavailable, reason("landlock_add_rule"));
  return {};
}

Result<void> restrict_files(Confinement confinement, const std::vector<std::string>& programs) {
  int abi = landlock_abi();
  if (abi < 1) return Error(ErrorCode::unavailable, reason("this kernel has no Landlock"));
  RulesetAttributes attributes;
  attributes.handled_access_fs = rights_abi_1;
  std::size_t size = sizeof(attributes.handled_access_fs);
  if (abi >= 2) attributes.handled_access_fs |= right_refer;
  if (abi >= 3) attributes.handled_access_fs |= right_truncate;
  if (abi >= 4) attributes.handled_access_net = net_rights, size = 16;
  if (abi >= 5) attributes.handled_access_fs |= right_ioctl;
  if (abi >= 6) attributes.scoped = scopes, size = 24;
  int ruleset = static_cast<int>(syscall(__NR_landlock_create_ruleset, &attributes, size, 0));
  if (ruleset < 0) return Error(ErrorCode::unavailable, reason("landlock_create_ruleset"));
  if (confinement == Confinement::tool) {
    constexpr std::uint64_t read = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
    constexpr std::uint64_t run = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_EXECUTE;
    for (const std::string& program : programs) HENG_TRY(allow_path(ruleset, program.c_str(), run));
    for (const char* loader : {"/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"}) {
      HENG_TRY(allow_path(ruleset, loader, run));
    }
    // libraries for the loader, character maps for poppler
    for (const char* path : {"/lib", "/usr/lib", "/lib64", "/etc/ld.so.cache", "/usr/share/poppler"}) {
      HENG_TRY(allow_path(ruleset, path, read));
    }
  }
  long failed = syscall(__NR_landlock_restrict_self, ruleset, 0);
  close(ruleset);
  if (failed != 0) return Error(ErrorCode::unavailable, reason("landlock_restrict_self"));
  return {};
}

// --- seccomp ----------------------------------------------------------------------------------------------------------

// Attempts at these are attacks, not portability quirks: the process ends.
constexpr int deadly_calls[] = {
    SCMP_SYS(socket), SCMP_SYS(socketpair), SCMP_SYS(connect), SCMP_SYS(bind), SCMP_SYS(listen), SCMP_SYS(accept),
    SCMP_SYS(accept4), SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev), SCMP_SYS(fork),
    SCMP_SYS(vfork), SCMP_SYS(clone), SCMP_SYS(clone3), SCMP_SYS(execveat), SCMP_SYS(kill), SCMP_SYS(tkill),
    SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(pivot_root), SCMP_SYS(chroot), SCMP_SYS(unshare), SCMP_SYS(setns),
    SCMP_SYS(bpf), SCMP_SYS(userfaultfd), SCMP_SYS(perf_event_open), SCMP_SYS(init_module), SCMP_SYS(finit_module),
    SCMP_SYS(kexec_load), SCMP_SYS(keyctl), SCMP_SYS(add_key), SCMP_SYS(request_key), SCMP_SYS(io_uring_setup)};

constexpr int plain_calls[] = {
    SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(close),
    SCMP_SYS(lseek), SCMP_SYS(fstat), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(brk), SCMP_SYS(madvise),
    SCMP_SYS(futex), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack),
    SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(time),
    SCMP_SYS(getrandom), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(wait4), SCMP_SYS(getpid), SCMP_SYS(gettid),
    SCMP_SYS(sched_yield), SCMP_SYS(sysinfo), SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(restart_syscall)};

constexpr int tool_calls[] = {
    SCMP_SYS(execve), SCMP_SYS(arch_prctl), SCMP_SYS(set_tid_address), SCMP_SYS(access), SCMP_SYS(faccessat),
    SCMP_SYS(newfstatat), SCMP_SYS(getdents64), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(mmap),
    SCMP_SYS(mprotect), SCMP_SYS(fadvise64), SCMP_SYS(uname), SCMP_SYS(getcwd)};

class Filter {
 public:
  explicit Filter(std::uint32_t default_action) : context_(seccomp_init(default_action), &seccomp_release) {}
  bool valid() const { return context_ != nullptr; }

  template <class... Conditions>
  void add(std::uint32_t action, int call, Conditions... conditions) {
    if (!valid()) return;
    int failed = seccomp_rule_add(context_.get(), action, call, sizeof...(conditions), conditions...);
    if (failed != 0 && failed != -EDOM) failed_ = failed;  // EDOM: no such call on this machine
  }

  Result<void> load() {
    if (valid() && failed_ == 0) failed_ = seccomp_load(context_.get());
    if (!valid() || failed_ != 0) {
      return Error(ErrorCode::unavailable, fmt::format("seccomp filter: {}", std::strerror(-failed_)));
    }
    return {};
  }

 private:
  std::unique_ptr<void, decltype(&seccomp_release)> context_;
  int failed_ = 0;
};

Result<void> restrict_calls(Confinement confinement) {
  Filter filter(SCMP_ACT_ERRNO(EPERM));
  for (int call : plain_calls) filter.add(SCMP_ACT_ALLOW, call);
  for (int call : deadly_calls) filter.add(SCMP_ACT_KILL_PROCESS, call);
  // abort() signals its own process
  filter.add(SCMP_ACT_ALLOW, SCMP_SYS(tgkill), SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(getpid())));
  if (confinement == Confinement::tool) {
    for (int call : tool_calls) filter.add(SCMP_ACT_ALLOW, call);
    constexpr scmp_datum_t writing = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND;
    filter.add(SCMP_ACT_ALLOW, SCMP_SYS(openat), SCMP_A2(SCMP_CMP_MASKED_EQ, writing, 0));
    filter.add(SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), SCMP_A2(SCMP_CMP_EQ, 0));
  } else {
    constexpr scmp_datum_t executable = 4;  // PROT_EXEC
    filter.add(SCMP_ACT_ALLOW, SCMP_SYS(mmap), SCMP_A2(SCMP_CMP_MASKED_EQ, executable, 0));
    filter.add(SCMP_ACT_ALLOW, SCMP_SYS(mprotect), SCMP_A2(SCMP_CMP_MASKED_EQ, executable, 0));
    filter.add(SCMP_ACT_ALLOW, SCMP_SYS(newfstatat), SCMP_A3(SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, AT_EMPTY_PATH));
    filter.add(SCMP_ACT_KILL_PROCESS, SCMP_SYS(execve));
  }
  return filter.load();
}

}  // namespace

Result<void> apply_limits(const ResourceLimits& limits) {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return Error(ErrorCode::internal, reason("no_new_privs"));
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return Error(ErrorCode::internal, reason("parent death signal"));
  if (prctl(PR_SET_DUMPABLE, 0) != 0) return Error(ErrorCode::internal, reason("dumpable"));
  HENG_TRY(set_limit(RLIMIT_CORE, "core limit", 0));
  HENG_TRY(set_limit(RLIMIT_FSIZE, "file size limit", static_cast<rlim_t>(limits.max_file_bytes)));
  HENG_TRY(set_limit(RLIMIT_CPU, "processor time limit", static_cast<rlim_t>(limits.max_cpu_s)));
  HENG_TRY(set_limit(RLIMIT_NOFILE, "open file limit", static_cast<rlim_t>(limits.max_open_files)));
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // sanitizers reserve terabytes of address space
  HENG_TRY(set_limit(RLIMIT_AS, "memory limit", static_cast<rlim_t>(limits.max_memory_bytes)));
#endif
  return {};
}

Result<void> confine(Confinement confinement, const std::vector<std::string>& programs, Lacking lacking) {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return Error(ErrorCode::unavailable, reason("no_new_privs"));
  Result<void> files = restrict_files(confinement, programs);
  if (!files && lacking == Lacking::fail) return files;
  Result<void> calls = restrict_calls(confinement);
  return lacking == Lacking::fail ? calls : Result<void>();
}

std::string missing_confinement() {
  if (landlock_abi() < 1) return "Landlock (Linux 5.13 or newer, lsm=landlock)";
  if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0) return "seccomp filters";
  return "";
}

}  // namespace heng::parse
