#include "follow.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "heng/base/hash.h"
#include "heng/base/text.h"
#include "heng/store/files.h"
#include "heng/streams/clean.h"

namespace heng::streams {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t head_length = 1024;
constexpr std::size_t longest_line = 2 * longest_message_bytes;

class File {
 public:
  explicit File(const fs::path& path) : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  bool ok() const { return descriptor_ >= 0; }
  bool stat(struct stat& out) const { return ::fstat(descriptor_, &out) == 0; }
  /// Up to `count` bytes from `offset`; fewer at the end.
  std::string read(std::int64_t offset, std::size_t count) const {
    std::string out(count, '\0');
    std::size_t got = 0;
    while (got < count) {
      const auto n = ::pread(descriptor_, out.data() + got, count - got, static_cast<off_t>(offset + static_cast<std::int64_t>(got)));
      if (n <= 0) break;
      got += static_cast<std::size_t>(n);
    }
    out.resize(got);
    return out;
  }

 private:
  int descriptor_;
};

bool is_followed(const fs::path& path) {
  const auto extension = path.extension();
  return extension == ".jsonl" || extension == ".ndjson" || extension == ".txt" || extension == ".log";
}

/// Behind the end of a line longer than allowed; nothing where the line has no end yet.
std::optional<std::int64_t> end_of_long_line(const File& file, std::int64_t offset) {
  constexpr std::size_t block = 1 << 20;
  while (true) {
    const std::string bytes = file.read(offset, block);
    if (bytes.empty()) return std::nullopt;
    if (const auto at = bytes.find('\n'); at != std::string::npos) return offset + static_cast<std::int64_t>(at) + 1;
    offset += static_cast<std::int64_t>(bytes.size());
  }
}

}  // namespace

Result<std::unique_ptr<FolderSource>> FolderSource::open(const fs::path& folder, std::vector<Position> known, bool take_unfinished) {
  std::error_code failed;
  if (!fs::is_directory(folder, failed)) return Error(ErrorCode::not_found, fmt::format("there is no folder {}", folder.string()), "folder");
  std::unique_ptr<FolderSource> made(new FolderSource(folder, take_unfinished));
  for (auto& position : known) made->positions_.emplace(position.source, std::move(position));
  made->inotify_ = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);   // without it the folder is looked at every quarter second
  if (made->inotify_ >= 0) ::inotify_add_watch(made->inotify_, folder.c_str(), IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE);
  return made;
}

FolderSource::~FolderSource() {
  if (inotify_ >= 0) ::close(inotify_);
}

void FolderSource::wait(int ms) {
  pollfd waiting{inotify_, POLLIN, 0};
  ::poll(inotify_ >= 0 ? &waiting : nullptr, inotify_ >= 0 ? 1 : 0, std::min(ms, 250));
  std::array<char, 4096> events;
  while (inotify_ >= 0 && ::read(inotify_, events.data(), events.size()) > 0) {
  }
}

Result<void> FolderSource::read_file(const std::string& name, std::size_t most_lines, std::size_t& bytes_left, ReadLines& out) {
  const File file(folder_ / name);
  struct stat status{};
  if (!file.ok() || !file.stat(status)) return {};   // taken away meanwhile
  Position& position = positions_.try_emplace(name, Position{name, 0, 0, {}, 0}).first->second;
  auto& inode = inodes_[name];
  const bool same_file = inode == static_cast<std::uint64_t>(status.st_ino) && status.st_size >= position.offset;
  if (same_file && status.st_size == position.offset) return {};
  if (!same_file && position.offset > 0) {
    const bool grown = status.st_size >= position.offset && sha256_hex(file.read(0, static_cast<std::size_t>(position.head_bytes))) == position.head;
    if (!grown) position = Position{name, 0, 0, {}, 0};   // another file has the name now
  }
  inode = static_cast<std::uint64_t>(status.st_ino);
  constexpr std::size_t usual = 256 << 10;
  std::string bytes = file.read(position.offset, usual);
  if (bytes.size() == usual && bytes.find('\n') == std::string::npos) bytes = file.read(position.offset, longest_line);
  const bool plain = fs::path(name).extension() == ".txt" || fs::path(name).extension() == ".log";
  std::size_t begin = 0;
  const std::int64_t before = position.offset;
  while (begin < bytes.size() && out.lines.size() < most_lines && bytes_left > 0) {
    auto end = bytes.find('\n', begin);
    const bool whole = end != std::string::npos;
    if (!whole && bytes.size() - begin >= longest_line) {
      const auto behind = end_of_long_line(file, position.offset);
      if (!behind) break;
      position.offset = *behind;
      ++position.line;
      out.lines.push_back({{}, fmt::format("{}:{}", name, position.line), plain, fmt::format("the line is longer than {} bytes", longest_line)});
      break;
    }
    const bool at_end = position.offset + static_cast<std::int64_t>(bytes.size() - begin) >= status.st_size;
    if (!whole && !(take_unfinished_ && at_end)) break;
    if (!whole) end = bytes.size();
    const std::string_view line(bytes.data() + begin, end - begin);
    ++position.line;
    const std::size_t taken = end - begin + (whole ? 1 : 0);
    position.offset += static_cast<std::int64_t>(taken);
    bytes_left -= std::min(bytes_left, taken);
    begin += taken;
    if (!text::trim(line).empty()) out.lines.push_back({std::string(line), fmt::format("{}:{}", name, position.line), plain, {}});
  }
  if (position.offset == before) return {};
  position.head_bytes = std::min(position.offset, head_length);
  position.head = sha256_hex(file.read(0, static_cast<std::size_t>(position.head_bytes)));
  out.positions.push_back(position);
  return {};
}

Result<ReadLines> FolderSource::next(std::size_t most_lines, std::size_t most_bytes) {
  std::vector<std::string> names;
  std::error_code failed;
  for (fs::directory_iterator at(folder_, failed), end; !failed && at != end; at.increment(failed))
    if (is_followed(at->path()) && at->is_regular_file(failed)) names.push_back(at->path().filename().string());
  if (failed) return Error(ErrorCode::unavailable, fmt::format("cannot read the folder {}: {}", folder_.string(), failed.message()), "folder");
  std::sort(names.begin(), names.end());
  ReadLines out;
  std::size_t bytes_left = most_bytes;
  for (const auto& name : names) {
    if (out.lines.size() >= most_lines || bytes_left == 0) return out;
    HENG_TRY(read_file(name, most_lines, bytes_left, out));
  }
  out.ended = take_unfinished_ && out.lines.empty() && out.positions.empty();
  return out;
}

void PipeSource::wait(int ms) {
  pollfd waiting{descriptor_, POLLIN, 0};
  ::poll(&waiting, 1, ms);
}

Result<ReadLines> PipeSource::next(std::size_t most_lines, std::size_t most_bytes) {
  ReadLines out;
  std::array<char, 64 << 10> block;
  std::size_t taken = 0;
  while (out.lines.size() < most_lines && taken < most_bytes) {
    const auto end = rest_.find('\n');
    if (end != std::string::npos || (ended_ && !rest_.empty())) {
      const std::string line = rest_.substr(0, end);
      rest_.erase(0, end == std::string::npos ? rest_.size() : end + 1);
      taken += line.size() + 1;
      ++line_;
      if (skipping_) out.lines.push_back({{}, fmt::format("stdin:{}", line_), true, fmt::format("the line is longer than {} bytes", longest_line)});
      else if (!text::trim(line).empty()) out.lines.push_back({line, fmt::format("stdin:{}", line_), true, {}});
      skipping_ = false;
      continue;
    }
    if (ended_) break;
    if (rest_.size() > longest_line) {   // the rest of it is thrown away as it comes
      skipping_ = true;
      rest_.clear();
    }
    pollfd waiting{descriptor_, POLLIN, 0};
    constexpr int gather_ms = 3;   // what comes together is read together
    if (::poll(&waiting, 1, out.lines.empty() ? 0 : gather_ms) <= 0) break;
    const auto got = ::read(descriptor_, block.data(), block.size());
    if (got < 0 && errno == EINTR) break;
    if (got < 0) return store::file_error(errno, "cannot read", "standard input");
    if (got == 0) ended_ = true;
    rest_.append(block.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  }
  out.ended = ended_ && rest_.empty() && out.lines.empty();
  return out;
}

}  // namespace heng::streams
