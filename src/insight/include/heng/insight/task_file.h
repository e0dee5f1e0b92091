#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "heng/base/result.h"
#include "heng/contracts/insight.h"

namespace heng::insight {

/// One trained task in one file: "HENGTASK", format version, a JSON header (what TaskInfo says, settings, metrics,
/// calibration, the embedding model's hash), named sections of bytes, and the SHA-256 of all that. Written beside and renamed,
/// so a reader never sees half a file.
struct TaskFile {
  static constexpr std::uint32_t format_version = 1;
  TaskInfo info;
  std::string details_json = "{}";               ///< Settings, reports, calibration: what the heads' own code wants to keep.
  std::map<std::string, std::string> sections;   ///< "linear", "encoder", "events", …: the heads' weights.
};

/// Errors: storage_full, internal.
Result<void> write_task_file(const std::filesystem::path& path, const TaskFile& file);
/// Errors: not_found, corrupt (not a task file, truncated, changed), unsupported (a newer format; says both versions).
Result<TaskFile> read_task_file(const std::filesystem::path& path);
/// The header only, checked for form but not against the file's hash: for lists.
Result<TaskInfo> read_task_info(const std::filesystem::path& path);
/// Lower-case letters, digits, "-", 1…64 characters, beginning with a letter.
Result<void> check_task_name(const std::string& name);

}  // namespace heng::insight
