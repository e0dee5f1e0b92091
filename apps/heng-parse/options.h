#pragma once

#include <cstdint>
#include <string>

#include "heng/base/result.h"

namespace heng::parse_program {

struct Options {
  std::int64_t max_memory_bytes = 1LL << 30;
  int max_cpu_s = 60;
  std::size_t max_output_bytes = 256u << 20;
  std::string pdftotext = "/usr/bin/pdftotext";
  std::string pdftohtml = "/usr/bin/pdftohtml";  ///< Empty: not used.
  std::string name;                              ///< Of the document; helps to tell its format.
  bool allow_missing_sandbox = false;
  bool help = false;
};

extern const char* const usage;

/// Errors: invalid_argument.
Result<Options> read_options(int count, char** arguments);

}  // namespace heng::parse_program
