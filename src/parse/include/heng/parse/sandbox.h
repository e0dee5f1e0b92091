#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "heng/base/result.h"

namespace heng::parse {

struct ResourceLimits {
  std::int64_t max_memory_bytes = 1LL << 30;
  int max_cpu_s = 60;
  int max_open_files = 64;
  std::int64_t max_file_bytes = 0;  ///< Of a file that is written; 0: none. Pipes are not files.
};

/// Limits of this process and its children: address space, processor time, file size, no core dump, few descriptors,
/// no new privileges, not traceable, killed when its parent ends. Errors: internal (the kernel refused).
Result<void> apply_limits(const ResourceLimits& limits);

/// What a confined process may still do.
enum class Confinement {
  compute,  ///< Read and write descriptors it has, and memory. No opening, no starting of programs.
  tool,     ///< Besides: start one named program and read system libraries, fonts and character maps.
};

/// What to do where the kernel lacks a part of the confinement.
enum class Lacking {
  fail,      ///< Nothing is applied, `unavailable` is returned.
  continue_  ///< The rest is applied.
};

/// Confines this process for good: Landlock for files, a seccomp filter for everything else. Network, ptrace, new
/// processes and (outside `tool`) execve end the process with SIGSYS; other calls that are not on the list fail with EPERM.
/// `programs`: with `tool`, what may be executed. Call once, single-threaded, before reading untrusted bytes.
/// Errors: unavailable (the kernel has no seccomp filters or no Landlock).
Result<void> confine(Confinement confinement, const std::vector<std::string>& programs = {}, Lacking lacking = Lacking::fail);

/// Empty where this kernel can confine a process, else what it lacks.
std::string missing_confinement();

}  // namespace heng::parse
