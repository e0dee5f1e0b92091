#include "pdf_tools.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <vector>


namespace heng::parse_program {
namespace {

struct Tool {
  pid_t process = 0;
  int output = -1, errors = -1;
  std::string text, messages;
  int status = 0;
  bool too_much = false;
};

// Fonts only help to tell headings: once the text is there, they get this much longer.
constexpr int fonts_grace_ms = 10'000;

Error cannot(const char* what) { return Error(ErrorCode::unavailable, fmt::format("{}: {}", what, std::strerror(errno))); }

// Each program reads the document from a memory file of its own: a shared one would share its position.
Result<int> copy_document(std::string_view document) {
  int file = memfd_create("document", MFD_CLOEXEC);
  if (file < 0) return cannot("memory file");
  while (!document.empty()) {
    ssize_t written = write(file, document.data(), document.size());
    if (written <= 0) return cannot("memory file");
    document.remove_prefix(static_cast<std::size_t>(written));
  }
  lseek(file, 0, SEEK_SET);
  return file;
}

[[noreturn]] void become(const std::vector<std::string>& command, int input, int output, int errors, parse::Lacking lacking) {
  dup2(input, 0);
  dup2(output, 1);
  dup2(errors, 2);
  close_range(3, ~0U, 0);
  std::vector<char*> argv;
  std::vector<std::string> copies = command;
  for (std::string& argument : copies) argv.push_back(argument.data());
  argv.push_back(nullptr);
  std::array<char*, 1> environment{nullptr};
  rlimit no_files{0, 0};
  setrlimit(RLIMIT_FSIZE, &no_files);
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // not inherited over fork
  if (auto done = parse::confine(parse::Confinement::tool, {command.front()}, lacking); !done) {
    dprintf(2, "%s\n", done.error().message.c_str());
    _exit(126);
  }
  execve(argv[0], argv.data(), environment.data());
  dprintf(2, "%s cannot be started: %s; install poppler-utils\n", argv[0], std::strerror(errno));
  _exit(126);
}

Result<Tool> launch(const std::vector<std::string>& command, std::string_view document, parse::Lacking lacking) {
  int input = HENG_TRY(copy_document(document));
  std::array<int, 2> output{}, errors{};
  if (pipe2(output.data(), O_CLOEXEC) != 0 || pipe2(errors.data(), O_CLOEXEC) != 0) return cannot("pipe");
  Tool tool;
  tool.process = fork();
  if (tool.process < 0) return cannot("fork");
  if (tool.process == 0) become(command, input, output[1], errors[1], lacking);
  close(input);
  close(output[1]);
  close(errors[1]);
  tool.output = output[0];
  tool.errors = errors[0];
  return tool;
}

void read_some(int& descriptor, std::string& into, std::size_t limit, bool& too_much) {
  std::array<char, 65536> buffer;
  ssize_t got = read(descriptor, buffer.data(), buffer.size());
  if (got < 0 && errno == EINTR) return;
  if (got <= 0) {
    close(descriptor);
    descriptor = -1;
    return;
  }
  std::size_t room = limit - std::min(limit, into.size());
  if (static_cast<std::size_t>(got) > room) too_much = true;
  into.append(buffer.data(), std::min(room, static_cast<std::size_t>(got)));
}

Error why_failed(const Tool& tool) {
  auto says = [&](std::string_view words) { return tool.messages.find(words) != std::string::npos; };
  if (WIFSIGNALED(tool.status)) {
    int signal = WTERMSIG(tool.status);
    if (signal == SIGXCPU || signal == SIGKILL) {
      return Error(ErrorCode::deadline_exceeded, "the PDF takes more processor time than is allowed; split it, or raise max_cpu_s");
    }
    if (signal == SIGSYS) {
      return Error(ErrorCode::malformed_input, "the PDF made its reader try a forbidden operation, and the reader was stopped; "
                                               "treat the file as hostile");
    }
    return Error(ErrorCode::malformed_input, fmt::format("the PDF crashed its reader (signal {}); the file is broken or hostile: "
                                                         "print it to a new PDF", signal));
  }
  if (says("Incorrect password")) {
    return Error(ErrorCode::unsupported, "the PDF is protected by a password; save it without one and ingest it again");
  }
  if (says("unsupported") && says("encrypt")) {
    return Error(ErrorCode::unsupported, "the PDF is encrypted by a method that is not supported; save it without encryption");
  }
  if (says("Copying of text")) {
    return Error(ErrorCode::unsupported, "the PDF does not permit copying its text; ask its publisher for one that does");
  }
  if (says("ut of memory") || says("bad_alloc")) {
    return Error(ErrorCode::too_large, "the PDF needs more memory than is allowed; split it, or raise max_memory_bytes");
  }
  std::string first = tool.messages.substr(0, std::min<std::size_t>(tool.messages.find('\n'), 200));
  if (WIFEXITED(tool.status) && WEXITSTATUS(tool.status) == 126) return Error(ErrorCode::unavailable, first);
  return Error(ErrorCode::malformed_input,
               fmt::format("the PDF cannot be read ({}); it is damaged or cut short: fetch or print it again",
                           first.empty() ? "no reason given" : first));
}

}  // namespace

struct PdfTools::Impl {
  Tool text, fonts;

  void read_all(std::size_t max_bytes) {
    using clock = std::chrono::steady_clock;
    clock::time_point give_up{};
    bool ignored = false;
    while (text.output >= 0 || fonts.output >= 0) {
      bool text_done = text.output < 0;
      if (text_done && give_up == clock::time_point{}) give_up = clock::now() + std::chrono::milliseconds(fonts_grace_ms);
      if (text.too_much || (text_done && clock::now() > give_up)) return;
      std::array<pollfd, 4> waiting{};
      std::array<int*, 4> descriptors{&text.output, &text.errors, &fonts.output, &fonts.errors};
      for (std::size_t i = 0; i < 4; ++i) waiting[i] = {*descriptors[i], POLLIN, 0};
      if (poll(waiting.data(), waiting.size(), 200) <= 0) continue;
      if (waiting[0].revents != 0) read_some(text.output, text.text, max_bytes, text.too_much);
      if (waiting[1].revents != 0) read_some(text.errors, text.messages, 4096, ignored);
      if (waiting[2].revents != 0) read_some(fonts.output, fonts.text, max_bytes, fonts.too_much);
      if (waiting[3].revents != 0) read_some(fonts.errors, fonts.messages, 4096, ignored);
    }
  }

  static void wait_for(Tool& tool) {
    if (tool.output >= 0 || tool.process == 0) return;
    bool ignored = false;
    while (tool.errors >= 0) read_some(tool.errors, tool.messages, 4096, ignored);
    while (waitpid(tool.process, &tool.status, 0) < 0 && errno == EINTR) {
    }
  }
};

PdfTools::PdfTools(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PdfTools::PdfTools(PdfTools&&) noexcept = default;
PdfTools::~PdfTools() = default;

Result<PdfTools> PdfTools::start(const std::string& pdftotext, const std::string& pdftohtml, std::string_view document,
                                 int max_pages, parse::Lacking lacking) {
  auto impl = std::make_unique<Impl>();
  std::string last = std::to_string(max_pages);
  impl->text = HENG_TRY(launch({pdftotext, "-bbox-layout", "-enc", "UTF-8", "-l", last, "-", "-"}, document, lacking));
  if (!pdftohtml.empty()) {
    impl->fonts = HENG_TRY(launch({pdftohtml, "-xml", "-i", "-zoom", "1", "-enc", "UTF-8", "-l", last, "-stdout", "-", "x"},
                                  document, lacking));
  }
  return PdfTools(std::move(impl));
}

Result<PdfText> PdfTools::finish(std::size_t max_bytes) {
  impl_->read_all(max_bytes);
  if (impl_->text.too_much) {
    return Error(ErrorCode::too_large, fmt::format("the PDF holds more text than is allowed ({} MiB with positions); split it",
                                                   max_bytes >> 20));
  }
  Impl::wait_for(impl_->text);
  Impl::wait_for(impl_->fonts);
  if (impl_->text.status != 0) return why_failed(impl_->text);
  PdfText result{std::move(impl_->text.text), {}};
  bool fonts_good = impl_->fonts.output < 0 && impl_->fonts.status == 0 && !impl_->fonts.too_much;
  if (fonts_good) result.fonts = std::move(impl_->fonts.text);
  return result;
}

}  // namespace heng::parse_program
