#include "terminal.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "heng/base/text.h"

namespace heng::app {
namespace {

std::string pad(std::string_view text, std::size_t width, bool right) {
  const std::size_t has = text::display_width(text);
  const std::string fill(width > has ? width - has : 0, ' ');
  return right ? fill + std::string(text) : std::string(text) + fill;
}

bool colour() { return isatty(STDOUT_FILENO) && !std::getenv("NO_COLOR"); }

}  // namespace

bool speaks_chinese() {
  static const bool chinese = [] {
    for (const char* name : {"HENG_LANG", "LC_ALL", "LC_MESSAGES", "LANG"})
      if (const char* value = std::getenv(name); value && *value) return std::string_view(value).starts_with("zh");
    return false;
  }();
  return chinese;
}

int exit_code(const Error& error) {
  switch (error.code) {
    case ErrorCode::malformed_input:
    case ErrorCode::too_large:
    case ErrorCode::unsupported: return 3;
    case ErrorCode::invalid_argument: return 2;
    case ErrorCode::policy_denied:
    case ErrorCode::permission_denied: return 4;
    default: return 1;
  }
}

int report(const Error& error) {
  std::fprintf(stderr, "heng: %s\n", error.message.c_str());
  return exit_code(error);
}

Progress::Progress(std::string label)
    : label_(std::move(label)), terminal_(isatty(STDERR_FILENO)), started_(std::chrono::steady_clock::now()) {}

Progress::~Progress() {
  if (terminal_ && shown_) std::fputc('\n', stderr);
}

void Progress::clear() {
  if (terminal_ && shown_) std::fputs("\r\x1b[K", stderr);
  shown_ = false;
}

void Progress::update(std::int64_t done, std::int64_t total, std::string_view note) {
  const std::int64_t whole = std::max<std::int64_t>(total, 1);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
  const auto filled = static_cast<std::size_t>(std::clamp<std::int64_t>(24 * done / whole, 0, 24));
  std::string line = fmt::format("{} [{}{}] {}/{}", label_, std::string(filled, '#'), std::string(24 - filled, '.'), done, total);
  if (done > 0 && done < total && seconds > 2) line += fmt::format("  {:.0f} s left", seconds * static_cast<double>(total - done) / static_cast<double>(done));
  if (!note.empty()) line += fmt::format("  {}", note);
  if (terminal_) {
    winsize size{};
    ioctl(STDERR_FILENO, TIOCGWINSZ, &size);
    const std::size_t columns = size.ws_col > 20 ? size.ws_col - 1u : 79u;
    while (text::display_width(line) > columns) {
      line.pop_back();
      line.resize(text::complete_utf8_prefix(line));
    }
    std::fprintf(stderr, "\r\x1b[K%s", line.c_str());
    std::fflush(stderr);
    shown_ = true;
    return;
  }
  const int tenth = static_cast<int>(10 * done / whole);
  if (tenth == last_tenth_) return;
  last_tenth_ = tenth;
  std::fprintf(stderr, "%s\n", line.c_str());
}

std::string table(const std::vector<std::vector<std::string>>& rows, const std::vector<int>& right) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], text::display_width(row[i]));
  }
  std::string out;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    std::string line;
    for (std::size_t i = 0; i < rows[r].size(); ++i) {
      const bool to_right = std::find(right.begin(), right.end(), static_cast<int>(i)) != right.end();
      line += pad(rows[r][i], i + 1 == rows[r].size() && !to_right ? 0 : widths[i], to_right);
      if (i + 1 < rows[r].size()) line += "  ";
    }
    out += (r == 0 ? bold(line) : line) + "\n";
  }
  return out;
}

std::string wrap(std::string_view s, std::size_t width, std::string_view indent) {
  std::string out, line;
  std::size_t columns = 0;
  auto flush = [&] {
    out += std::string(indent) + line + "\n";
    line.clear();
    columns = 0;
  };
  for (std::size_t i = 0; i < s.size();) {
    std::size_t end = i;
    const char32_t first = text::next(s, end);
    if (first == U'\n') {
      flush();
      i = end;
      continue;
    }
    // a word of Latin letters and digits stays whole; a Chinese character stands alone, with the stop behind it
    if (first < 0x80 && first != U' ') {
      while (end < s.size() && static_cast<unsigned char>(s[end]) > ' ' && static_cast<unsigned char>(s[end]) < 0x80) ++end;
    }
    for (std::size_t next = end; next < s.size();) {
      const char32_t c = text::next(s, next);
      if (c != U'。' && c != U'，' && c != U'、' && c != U'；' && c != U'：' && c != U'）' && c != U'”') break;
      end = next;
    }
    const std::string_view word = s.substr(i, end - i);
    const std::size_t need = text::display_width(word);
    if (columns + need > width && columns > 0) flush();
    if (!(columns == 0 && word == " ")) {
      line += word;
      columns += need;
    }
    i = end;
  }
  if (!line.empty()) flush();
  return out;
}

std::string bold(std::string_view s) { return colour() ? "\x1b[1m" + std::string(s) + "\x1b[0m" : std::string(s); }
std::string dim(std::string_view s) { return colour() ? "\x1b[2m" + std::string(s) + "\x1b[0m" : std::string(s); }

std::string human_bytes(std::int64_t bytes) {
  if (bytes >= 1'000'000'000) return fmt::format("{:.2f} GB", static_cast<double>(bytes) / 1e9);
  if (bytes >= 1'000'000) return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6);
  if (bytes >= 1'000) return fmt::format("{:.1f} kB", static_cast<double>(bytes) / 1e3);
  return fmt::format("{} B", bytes);
}

}  // namespace heng::app
