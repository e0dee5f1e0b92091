#include "tasks/line_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace heng::insight {
namespace {

constexpr std::size_t read_bytes = 4u << 20;

/// Whole lines of a file: how many, and where the last ends.
struct WholeLines {
  std::int64_t lines = 0, bytes = 0;
};

Result<WholeLines> count_whole_lines(int file) {
  WholeLines whole;
  std::vector<char> buffer(1u << 20);
  for (std::int64_t at = 0;;) {
    const ssize_t got = ::pread(file, buffer.data(), buffer.size(), at);
    if (got < 0) return Error(ErrorCode::internal, fmt::format("cannot read the output: {}", std::strerror(errno)));
    if (got == 0) return whole;
    const char* from = buffer.data();
    const char* end = from + got;
    while (const char* found = static_cast<const char*>(std::memchr(from, '\n', static_cast<std::size_t>(end - from)))) {
      ++whole.lines;
      whole.bytes = at + (found - buffer.data()) + 1;
      from = found + 1;
    }
    at += got;
  }
}

}  // namespace

Result<LineReader> LineReader::open(const std::filesystem::path& path) {
  LineReader reader;
  if (path == "-") {
    reader.file_ = ::dup(STDIN_FILENO);
  } else {
    reader.file_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  }
  if (reader.file_ < 0) return Error(ErrorCode::not_found, fmt::format("cannot read {}: {}", path.string(), std::strerror(errno)), "in");
  struct stat about {};
  if (::fstat(reader.file_, &about) == 0) {
    if (S_ISDIR(about.st_mode)) return Error(ErrorCode::invalid_argument, fmt::format("{} is a folder", path.string()), "in");
    if (S_ISREG(about.st_mode)) reader.size_ = about.st_size;
  }
  reader.buffer_.resize(read_bytes + padding);
  return reader;
}

LineReader::~LineReader() {
  if (file_ >= 0) ::close(file_);
}
LineReader::LineReader(LineReader&& other) noexcept
    : file_(std::exchange(other.file_, -1)), buffer_(std::move(other.buffer_)), begin_(other.begin_), end_(other.end_), ended_(other.ended_), consumed_(other.consumed_), size_(other.size_) {}

Result<bool> LineReader::fill() {
  if (ended_) return false;
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ + padding >= buffer_.size()) buffer_.resize(buffer_.size() * 2);
  for (;;) {
    const ssize_t got = ::read(file_, buffer_.data() + end_, buffer_.size() - padding - end_);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error(ErrorCode::internal, fmt::format("cannot read the input: {}", std::strerror(errno)), "in");
    if (got == 0) ended_ = true;
    end_ += static_cast<std::size_t>(got);
    return got > 0;
  }
}

bool LineReader::at_hand() const {
  if (std::memchr(buffer_.data() + begin_, '\n', end_ - begin_) || ended_) return true;
  pollfd waiting{file_, POLLIN, 0};
  return ::poll(&waiting, 1, 0) > 0;
}

Result<bool> LineReader::next(Line& line) {
  line = {};
  std::size_t searched = 0;
  bool skipping = false;
  for (;;) {
    const char* from = buffer_.data() + begin_;
    const char* found = end_ - begin_ > searched ? static_cast<const char*>(std::memchr(from + searched, '\n', end_ - begin_ - searched)) : nullptr;
    if (found) {
      const auto length = static_cast<std::size_t>(found - from);
      line.too_long = skipping;
      if (!skipping) line.text = {from, length};
      begin_ += length + 1;
      consumed_ += static_cast<std::int64_t>(length) + 1;
      break;
    }
    searched = end_ - begin_;
    if (searched > longest_line_bytes) {
      skipping = true;
      consumed_ += static_cast<std::int64_t>(searched);
      begin_ = end_ = searched = 0;
    }
    if (HENG_TRY(fill())) continue;
    if (end_ == begin_ && !skipping) return false;
    line.too_long = skipping;
    if (!skipping) line.text = {buffer_.data() + begin_, end_ - begin_};
    consumed_ += static_cast<std::int64_t>(end_ - begin_);
    begin_ = end_;
    break;
  }
  if (!line.text.empty() && line.text.back() == '\r') line.text.remove_suffix(1);
  return true;
}

Result<LineWriter> LineWriter::open(const std::filesystem::path& path, bool keep) {
  LineWriter writer;
  writer.name_ = path.string();
  writer.file_ = path == "-" ? ::dup(STDOUT_FILENO) : ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (writer.file_ < 0) return Error(ErrorCode::invalid_argument, fmt::format("cannot write {}: {}", path.string(), std::strerror(errno)), "out");
  if (path == "-") return writer;
  WholeLines whole;
  if (keep) whole = HENG_TRY(count_whole_lines(writer.file_));
  if (::ftruncate(writer.file_, whole.bytes) != 0 && errno != EINVAL) return Error(ErrorCode::internal, fmt::format("cannot write {}: {}", path.string(), std::strerror(errno)), "out");
  ::lseek(writer.file_, 0, SEEK_END);
  writer.lines_kept_ = whole.lines;
  return writer;
}

LineWriter::~LineWriter() {
  if (file_ >= 0) ::close(file_);
}
LineWriter::LineWriter(LineWriter&& other) noexcept : file_(std::exchange(other.file_, -1)), lines_kept_(other.lines_kept_), name_(std::move(other.name_)) {}

Result<void> LineWriter::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t wrote = ::write(file_, bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return Error(errno == ENOSPC ? ErrorCode::storage_full : ErrorCode::internal, fmt::format("cannot write {}: {}; what is written stays, the same command goes on from there", name_, std::strerror(errno)), "out");
    bytes.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return {};
}

}  // namespace heng::insight
