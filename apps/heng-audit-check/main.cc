// heng-audit-check: verifies a ledger folder without Heng's code, keys or database.
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstring>
#include <string>

#include "check.h"

namespace {

constexpr const char* usage =
    "usage: heng-audit-check DIR [--vkey KEY] [--checkpoint FILE] [--witnessed-size N] [--quiet]\n"
    "\n"
    "Re-hashes every record of the ledger in DIR and compares it with the signed checkpoint.\n"
    "  --vkey KEY           the log's public key, NAME+ID+BASE64, kept outside this machine (default: DIR/vkey,\n"
    "                       which whoever can change the ledger can change too)\n"
    "  --checkpoint FILE    a checkpoint saved earlier: shows records cut off or history rewritten since\n"
    "  --witnessed-size N   the ledger once had at least N records\n"
    "  --quiet              no progress\n"
    "\n"
    "Exit codes: 0 everything holds, 1 something was tampered with or damaged, 2 wrong usage, 3 not a readable ledger.\n";

int fail(int code, const std::string& message) {
  std::fprintf(stderr, "heng-audit-check: %s\n", message.c_str());
  return code;
}

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ' || text.back() == '\r')) text.pop_back();
  return text;
}

struct Arguments {
  std::string folder, key, checkpoint, witnessed;
  bool quiet = false, help = false, good = true;
};

Arguments parse(int count, char** values) {
  Arguments arguments;
  for (int i = 1; i < count; ++i) {
    const std::string word = values[i];
    std::string* value = word == "--vkey" ? &arguments.key : word == "--checkpoint" ? &arguments.checkpoint : word == "--witnessed-size" ? &arguments.witnessed : nullptr;
    if (word == "--help" || word == "-h") arguments.help = true;
    else if (word == "--quiet") arguments.quiet = true;
    else if (value != nullptr && i + 1 < count) *value = values[++i];
    else if (value == nullptr && !word.starts_with("-") && arguments.folder.empty()) arguments.folder = word;
    else arguments.good = false;
  }
  if (arguments.folder.empty()) arguments.good = false;
  return arguments;
}

int print(const audit_check::Report& report, bool own_key) {
  for (const auto& problem : report.problems) {
    if (problem.record) std::printf("FOUND %-10s record %llu: %s\n", problem.kind.c_str(), static_cast<unsigned long long>(*problem.record), problem.message.c_str());
    else std::printf("FOUND %-10s %s\n", problem.kind.c_str(), problem.message.c_str());
  }
  if (report.problem_count > report.problems.size()) {
    std::printf("… and %llu more\n", static_cast<unsigned long long>(report.problem_count - report.problems.size()));
  }
  if (report.head) {
    std::printf("ledger    %s\nrecords   %llu (%llu bytes of encrypted contents)\nroot      %s\n", report.head->origin.c_str(),
                static_cast<unsigned long long>(report.head->size), static_cast<unsigned long long>(report.content_bytes), audit_check::hex(report.head->root).c_str());
  }
  if (own_key) std::printf("note      the public key came from the ledger itself; pass --vkey to be sure it is the right one\n");
  if (report.problem_count == 0) {
    std::printf("result    every record is there, in order and unchanged\n");
    return 0;
  }
  std::printf("result    NOT INTACT: %llu finding%s\n", static_cast<unsigned long long>(report.problem_count), report.problem_count == 1 ? "" : "s");
  return 1;
}

}  // namespace

int main(int count, char** values) {
  const Arguments arguments = parse(count, values);
  if (arguments.help) return std::fputs(usage, stdout), 0;
  if (!arguments.good) return std::fputs(usage, stderr), 2;
  audit_check::Request request;
  request.folder = arguments.folder;
  std::error_code ignored;
  if (!std::filesystem::is_directory(request.folder, ignored)) return fail(3, arguments.folder + ": no such folder");
  const bool own_key = arguments.key.empty();
  std::string key_text = arguments.key;
  if (own_key) {
    const auto text = audit_check::read_file(request.folder / "vkey");
    if (!text) return fail(3, arguments.folder + ": not a ledger (no file vkey); pass --vkey if only that file is lost");
    key_text = trimmed(*text);
  }
  const auto key = audit_check::parse_key(key_text);
  if (!key) return fail(own_key ? 3 : 2, "not a public key of the form NAME+ID+BASE64: " + key_text);
  request.key = *key;
  if (!arguments.witnessed.empty()) {
    std::uint64_t size = 0;
    const char* end = arguments.witnessed.data() + arguments.witnessed.size();
    const auto parsed = std::from_chars(arguments.witnessed.data(), end, size);
    if (parsed.ec != std::errc() || parsed.ptr != end) return fail(2, "--witnessed-size needs a number, not " + arguments.witnessed);
    request.witnessed_size = size;
  }
  if (!arguments.checkpoint.empty()) {
    const auto note = audit_check::read_file(arguments.checkpoint);
    if (!note) return fail(3, arguments.checkpoint + ": cannot be read");
    std::string why;
    request.older = audit_check::open_head(*note, request.key, why);
    if (!request.older) return fail(3, arguments.checkpoint + ": " + why);
  }
  const bool progress = !arguments.quiet && isatty(STDERR_FILENO) != 0;
  if (progress) {
    request.progress = [](std::uint64_t done, std::uint64_t of) {
      std::fprintf(stderr, "\rchecked %llu of %llu records", static_cast<unsigned long long>(done), static_cast<unsigned long long>(of));
      if (done == of) std::fputc('\n', stderr);
    };
  }
  return print(audit_check::check(request), own_key);
}
