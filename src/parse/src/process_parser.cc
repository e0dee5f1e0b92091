#include "heng/parse/process_parser.h"

#include <fmt/format.h>
#include <unistd.h>

#include <condition_variable>
#include <csignal>
#include <mutex>
#include <system_error>

#include "child_process.h"
#include "heng/base/text.h"
#include "heng/parse/wire.h"

namespace heng::parse {
namespace {

std::filesystem::path beside_program() {
  std::error_code ignored;
  std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", ignored);
  return self.empty() ? self : self.parent_path() / "heng-parse";
}

std::string megabytes(std::int64_t bytes) { return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1 << 20)); }

std::string first_line(std::string_view text) {
  std::string line(text.substr(0, std::min<std::size_t>(text.find('\n'), 300)));
  return text::replace_invalid_utf8(line);
}

// Bounds how many parsers run at a time.
class Slots {
 public:
  explicit Slots(int free) : free_(free) {}
  void take() {
    std::unique_lock lock(mutex_);
    freed_.wait(lock, [this] { return free_ > 0; });
    --free_;
  }
  void give() {
    std::lock_guard lock(mutex_);
    ++free_;
    freed_.notify_one();
  }

 private:
  std::mutex mutex_;
  std::condition_variable freed_;
  int free_;
};

class Client final : public DocumentParser {
 public:
  explicit Client(ProcessParserSettings settings) : settings_(std::move(settings)), slots_(settings_.max_parallel) {}

  Result<ParsedDocument> parse(const std::string& name, const std::string& bytes) override {
    int attachments_left = settings_.max_attachments;
    return parse_at_depth(name, bytes, 0, attachments_left);
  }

 private:
  Result<ParsedDocument> parse_at_depth(const std::string& name, const std::string& bytes, int depth, int& attachments_left) {
    ParserOutput output = HENG_TRY(run(name, bytes));
    ParsedDocument& document = output.document;
    for (const Attachment& attachment : output.attachments) {
      if (depth >= settings_.max_attachment_depth || attachments_left == 0) {
        document.warnings.push_back(fmt::format("attachment {} was not read: more than {} attachments or {} levels deep; "
                                                "save it and ingest it by itself",
                                                attachment.name, settings_.max_attachments, settings_.max_attachment_depth));
        continue;
      }
      --attachments_left;
      add_attachment(document, attachment, parse_at_depth(attachment.name, attachment.bytes, depth + 1, attachments_left));
    }
    return std::move(document);
  }

  static void add_attachment(ParsedDocument& document, const Attachment& attachment, Result<ParsedDocument> inner) {
    if (!inner) {
      document.warnings.push_back(fmt::format("attachment {} was not read: {}", attachment.name, inner.error().message));
      return;
    }
    Block heading;
    heading.kind = BlockKind::heading;
    heading.level = 1;
    heading.text = "Attachment: " + attachment.name;
    document.blocks.push_back(std::move(heading));
    for (Block& block : inner->blocks) {
      // pages and boxes would point into the attachment, not into this document
      block.page = 0;
      block.boxes.clear();
      if (block.kind == BlockKind::heading) ++block.level;
      document.blocks.push_back(std::move(block));
    }
    for (const std::string& warning : inner->warnings) {
      document.warnings.push_back(fmt::format("attachment {}: {}", attachment.name, warning));
    }
  }

  Result<ParserOutput> run(const std::string& name, const std::string& bytes) {
    if (static_cast<std::int64_t>(bytes.size()) > settings_.max_input_bytes) {
      return Error(ErrorCode::too_large,
                   fmt::format("the document has {}, more than the limit of {}; split it, or raise max_input_bytes",
                               megabytes(static_cast<std::int64_t>(bytes.size())), megabytes(settings_.max_input_bytes)));
    }
    if (bytes.empty()) return Error(ErrorCode::malformed_input, "the document is empty (0 bytes); check that it was saved");
    ChildLimits limits{settings_.max_output_bytes, settings_.max_wall_ms};
    slots_.take();
    Result<ChildResult> child = run_child(settings_.program, arguments(name), bytes, limits);
    slots_.give();
    if (!child) return std::move(child).error();
    if (std::optional<Error> failure = why_failed(*child)) return *failure;
    return decode(child->output);
  }

  std::vector<std::string> arguments(const std::string& name) const {
    std::vector<std::string> list{fmt::format("--max-memory={}", settings_.max_memory_bytes),
                                  fmt::format("--max-cpu={}", settings_.max_cpu_s),
                                  fmt::format("--max-output={}", settings_.max_output_bytes),
                                  "--pdftotext=" + settings_.pdftotext.string(),
                                  "--pdftohtml=" + settings_.pdftohtml.string()};
    if (settings_.missing_sandbox == MissingSandbox::allow) list.push_back("--allow-missing-sandbox");
    // an argument ends at the first NUL, and a name needs no more than this
    std::string short_name = name.size() > 255 ? name.substr(name.size() - 255) : name;
    list.push_back("--name=" + short_name);
    return list;
  }

  std::optional<Error> why_failed(const ChildResult& child) const {
    if (child.output_limit) {
      return Error(ErrorCode::too_large, fmt::format("the document's content is larger than the limit of {}; split the document, "
                                                     "or raise max_output_bytes", megabytes(settings_.max_output_bytes)));
    }
    if (child.timed_out) {
      return Error(ErrorCode::deadline_exceeded,
                   fmt::format("the document was not parsed within {} s and was given up; split it, or raise max_wall_ms",
                               settings_.max_wall_ms / 1000.0));
    }
    if (child.signal == SIGXCPU || child.signal == SIGKILL) {
      return Error(ErrorCode::deadline_exceeded, fmt::format("the document took more than {} s of processor time and was given "
                                                             "up; split it, or raise max_cpu_s", settings_.max_cpu_s));
    }
    if (child.signal == SIGSYS) {
      return Error(ErrorCode::malformed_input, "the document made its parser try a forbidden operation, and the parser was "
                                               "stopped; treat the file as hostile");
    }
    if (child.signal != 0) {
      return Error(ErrorCode::malformed_input, fmt::format("the document crashed its parser (signal {}); the file is broken or "
                                                           "hostile: save it again from its program", child.signal));
    }
    if (child.exit_status != 0 && child.output.empty()) {
      return Error(ErrorCode::unavailable, fmt::format("the document parser {} failed (exit status {}): {}",
                                                       settings_.program.string(), child.exit_status, first_line(child.errors)));
    }
    return std::nullopt;
  }

  const ProcessParserSettings settings_;
  Slots slots_;
};

}  // namespace

Result<std::unique_ptr<DocumentParser>> ProcessParser::create(ProcessParserSettings settings) {
  if (settings.max_input_bytes <= 0 || settings.max_output_bytes <= 0 || settings.max_memory_bytes <= 0 ||
      settings.max_cpu_s <= 0 || settings.max_wall_ms <= 0 || settings.max_parallel <= 0 ||
      settings.max_attachment_depth < 0 || settings.max_attachments < 0) {
    return Error(ErrorCode::invalid_argument, "each limit of the document parser must be positive");
  }
  if (settings.program.empty()) settings.program = beside_program();
  if (access(settings.program.c_str(), X_OK) != 0) {
    return Error(ErrorCode::not_found, fmt::format("the document parser {} is not there or not executable; install heng-parse "
                                                   "beside heng, or name it in the settings", settings.program.string()));
  }
  return std::unique_ptr<DocumentParser>(std::make_unique<Client>(std::move(settings)));
}

}  // namespace heng::parse
