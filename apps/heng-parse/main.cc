// heng-parse: reads one document from standard input and writes its structure as JSON Lines. Before it looks at the
// document it gives up everything but reading what it has and writing its answer.

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <new>
#include <optional>
#include <string>

#include "heng/formats/reader.h"
#include "heng/parse/sandbox.h"
#include "heng/parse/wire.h"
#include "options.h"
#include "pdf_tools.h"

namespace heng::parse_program {
namespace {

constexpr int exit_done = 0, exit_failed = 1, exit_usage = 2;

void write_all(std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t written = write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) _exit(exit_failed);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

// Collects lines into large writes, up to the output limit.
class Output {
 public:
  explicit Output(std::size_t limit) : left_(limit) {}
  bool operator()(std::string_view line) {
    if (line.size() > left_) {
      overflowed_ = true;
      return false;
    }
    left_ -= line.size();
    waiting_ += line;
    if (waiting_.size() > (1u << 18)) flush();
    return true;
  }
  bool overflowed() const { return overflowed_; }
  void flush() {
    write_all(waiting_);
    waiting_.clear();
  }

 private:
  std::string waiting_;
  std::size_t left_;
  bool overflowed_ = false;
};

Result<std::string_view> input() {
  struct stat status {};
  if (fstat(STDIN_FILENO, &status) != 0) return Error(ErrorCode::internal, "standard input cannot be read");
  if (status.st_size > 0) {
    void* bytes = mmap(nullptr, static_cast<std::size_t>(status.st_size), PROT_READ, MAP_PRIVATE, STDIN_FILENO, 0);
    if (bytes != MAP_FAILED) return std::string_view(static_cast<char*>(bytes), static_cast<std::size_t>(status.st_size));
  }
  static std::string piped;
  char buffer[65536];
  ssize_t got = 0;
  while ((got = read(STDIN_FILENO, buffer, sizeof buffer)) > 0) piped.append(buffer, static_cast<std::size_t>(got));
  return std::string_view(piped);
}

Result<formats::Reading> parse(const Options& options) {
  std::string missing = parse::missing_confinement();
  parse::Lacking lacking = missing.empty() ? parse::Lacking::fail : parse::Lacking::continue_;
  if (!missing.empty() && !options.allow_missing_sandbox) {
    return Error(ErrorCode::unavailable, fmt::format("this kernel cannot confine the document parser: it lacks {}; use another "
                                                     "kernel, or allow parsing without a sandbox in the settings", missing));
  }
  std::string_view bytes = HENG_TRY(input());
  // the memory files that poppler's programs read count as files, and so may standard output
  std::int64_t max_file_bytes = static_cast<std::int64_t>(std::max(options.max_output_bytes, bytes.size()));
  HENG_TRY(parse::apply_limits({options.max_memory_bytes, options.max_cpu_s, 64, max_file_bytes}));
  formats::Limits limits;
  std::optional<PdfTools> tools;
  if (formats::is_pdf(bytes)) {
    tools.emplace(HENG_TRY(PdfTools::start(options.pdftotext, options.pdftohtml, bytes, limits.max_pages, lacking)));
  }
  HENG_TRY(parse::confine(parse::Confinement::compute, {}, lacking));
  if (tools) {
    PdfText text = HENG_TRY(tools->finish(options.max_output_bytes));
    return formats::read_pdf_layout(text.layout, text.fonts, limits);
  }
  formats::Format format = HENG_TRY(formats::detect(options.name, bytes));
  return formats::read(format, options.name, bytes, limits);
}

int fail(const Error& error) {
  write_all(parse::encode_error(error));
  return exit_failed;
}

int run(const Options& options) {
  try {
    Result<formats::Reading> reading = parse(options);
    if (!reading) return fail(reading.error());
    parse::ParserOutput output{std::move(reading->document), {}};
    for (formats::Attachment& attachment : reading->attachments) {
      output.attachments.push_back({std::move(attachment.name), std::move(attachment.bytes)});
    }
    Output out(options.max_output_bytes);
    parse::encode(output, [&](std::string_view line) { return out(line); });
    out.flush();
    if (out.overflowed()) {
      return fail(Error(ErrorCode::too_large, fmt::format("the document's content is larger than the limit of {} MiB; split it, or "
                                                          "raise max_output_bytes", options.max_output_bytes >> 20)));
    }
    return exit_done;
  } catch (const std::bad_alloc&) {
    return fail(Error(ErrorCode::too_large, fmt::format("the document needs more than {} MiB of memory; split it, or raise "
                                                        "max_memory_bytes", options.max_memory_bytes >> 20)));
  } catch (const std::exception& error) {
    return fail(Error(ErrorCode::malformed_input, fmt::format("the document cannot be read ({})", error.what())));
  }
}

}  // namespace
}  // namespace heng::parse_program

int main(int count, char** arguments) {
  using namespace heng::parse_program;
  auto options = read_options(count, arguments);
  if (!options || options->help) {
    std::fputs(usage, options ? stdout : stderr);
    return options ? exit_done : exit_usage;
  }
  // no static destructors: they could do what the sandbox forbids, and there is nothing to save
  _exit(run(*options));
}
