#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "heng/base/result.h"
#include "heng/contracts/document.h"

namespace heng::parse {

/// What to do on a kernel that cannot confine the parser (no seccomp filters or no Landlock).
enum class MissingSandbox { refuse, allow };

struct ProcessParserSettings {
  std::filesystem::path program;                            ///< heng-parse; empty: beside the running program.
  std::filesystem::path pdftotext = "/usr/bin/pdftotext";   ///< Run by heng-parse inside the sandbox.
  std::filesystem::path pdftohtml = "/usr/bin/pdftohtml";   ///< Likewise; tells bold from plain. Empty: not used.
  std::int64_t max_input_bytes = 128LL << 20;
  std::int64_t max_output_bytes = 256LL << 20;              ///< Of what the parser writes.
  std::int64_t max_memory_bytes = 1LL << 30;                ///< Address space of each process.
  int max_cpu_s = 60;                                       ///< Processor time of each process.
  int max_wall_ms = 120'000;                                ///< From start to last byte; then the process group is killed.
  int max_parallel = 2;                                     ///< Parser processes at a time; further calls wait.
  int max_attachment_depth = 2;                             ///< E-mail in e-mail; 0: attachments are only named.
  int max_attachments = 20;                                 ///< Per document, all depths together.
  MissingSandbox missing_sandbox = MissingSandbox::refuse;
};

/// Parses each document in a process of its own (heng-parse) that has no network, no files but its input, and hard limits.
/// A hostile or broken document costs that process and one error. Holds no state but its settings; thread-safe; `parse`
/// blocks its caller. The caller owns it; it must outlive running calls. Child processes end with the call that started
/// them.
///
/// Errors of parse: malformed_input (broken, or the parser crashed on it), unsupported (says what to save it as),
/// too_large (names the limit), deadline_exceeded, unavailable (heng-parse is missing, or the kernel cannot confine it).
class ProcessParser {
 public:
  /// Errors: not_found (no heng-parse), invalid_argument (a limit is not positive).
  static Result<std::unique_ptr<DocumentParser>> create(ProcessParserSettings settings);
};

}  // namespace heng::parse
