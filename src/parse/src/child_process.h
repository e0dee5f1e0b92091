#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "heng/base/result.h"

namespace heng::parse {

struct ChildResult {
  std::string output;
  std::string errors;         ///< First 4 KiB of standard error.
  int exit_status = 0;        ///< Where `signal` is 0.
  int signal = 0;             ///< That ended the process.
  bool timed_out = false;     ///< Killed after `max_wall_ms`.
  bool output_limit = false;  ///< Killed because it wrote more than `max_output_bytes`.
};

struct ChildLimits {
  std::int64_t max_output_bytes = 0;
  int max_wall_ms = 0;
};

/// Runs a program in its own process group with an empty environment and no descriptors but 0 (a sealed memory file that
/// holds `input`), 1 and 2. When this returns, the whole group is gone. Errors: unavailable (it cannot be started).
Result<ChildResult> run_child(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                              std::string_view input, const ChildLimits& limits);

}  // namespace heng::parse
