#include "options.h"

#include <fmt/format.h>

#include <charconv>
#include <string_view>

namespace heng::parse_program {

const char* const usage =
    "usage: heng-parse [--name=FILE] [limits] < DOCUMENT\n"
    "Reads one document from standard input and writes its structure as JSON Lines. Confines itself first.\n"
    "  --name=FILE              file name; helps to tell the format where the bytes leave it open\n"
    "  --max-memory=BYTES       address space of each process\n"
    "  --max-cpu=SECONDS        processor time of each process\n"
    "  --max-output=BYTES       size of the output\n"
    "  --pdftotext=PATH         poppler's program for text\n"
    "  --pdftohtml=PATH         poppler's program for fonts; empty: headings are told by size alone\n"
    "  --allow-missing-sandbox  run even where the kernel cannot confine a process\n";

namespace {

template <class T>
bool number(std::string_view text, T& out) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() && out > 0;
}

}  // namespace

Result<Options> read_options(int count, char** arguments) {
  Options options;
  for (int i = 1; i < count; ++i) {
    std::string_view argument = arguments[i];
    std::size_t equals = std::min(argument.find('='), argument.size());
    std::string_view key = argument.substr(0, equals);
    std::string_view value = argument.substr(std::min(equals + 1, argument.size()));
    bool good = true;
    if (key == "--name") options.name = value;
    else if (key == "--max-memory") good = number(value, options.max_memory_bytes);
    else if (key == "--max-cpu") good = number(value, options.max_cpu_s);
    else if (key == "--max-output") good = number(value, options.max_output_bytes);
    else if (key == "--pdftotext") options.pdftotext = value;
    else if (key == "--pdftohtml") options.pdftohtml = value;
    else if (key == "--allow-missing-sandbox") options.allow_missing_sandbox = true;
    else if (key == "--help") options.help = true;
    else good = false;
    if (!good) return Error(ErrorCode::invalid_argument, fmt::format("wrong argument {}", argument));
  }
  return options;
}

}  // namespace heng::parse_program
