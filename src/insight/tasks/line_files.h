#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "heng/base/result.h"

namespace heng::insight {

constexpr std::size_t longest_line_bytes = 16u << 20;

/// Reads lines from a file or standard input ("-"), a few megabytes at a time. Not thread-safe.
class LineReader {
 public:
  /// Bytes that may be read (not used) behind a line: what simdjson asks for.
  static constexpr std::size_t padding = 64;
  static Result<LineReader> open(const std::filesystem::path& path);
  ~LineReader();
  LineReader(LineReader&& other) noexcept;
  LineReader& operator=(LineReader&&) = delete;

  struct Line {
    std::string_view text;          ///< Without the line's end; valid until the next call of next().
    bool too_long = false;          ///< Past longest_line_bytes: `text` is empty.
  };
  /// False at the end. Errors: internal (read error).
  Result<bool> next(Line& line);
  /// A line, or more bytes, can be had without waiting: a slow writer's lines are answered as they come.
  bool at_hand() const;
  std::int64_t bytes() const { return consumed_; }
  std::int64_t size() const { return size_; }     ///< 0: not known.

 private:
  LineReader() = default;
  Result<bool> fill();
  int file_ = -1;
  std::vector<char> buffer_;
  std::size_t begin_ = 0, end_ = 0;
  bool ended_ = false;
  std::int64_t consumed_ = 0, size_ = 0;
};

/// Writes to a file or standard output ("-").
class LineWriter {
 public:
  /// `keep`: go on behind the last whole line; otherwise the file is emptied.
  static Result<LineWriter> open(const std::filesystem::path& path, bool keep);
  ~LineWriter();
  LineWriter(LineWriter&& other) noexcept;
  LineWriter& operator=(LineWriter&&) = delete;
  /// Errors: storage_full, internal (says why).
  Result<void> write(std::string_view bytes);
  std::int64_t lines_kept() const { return lines_kept_; }

 private:
  LineWriter() = default;
  int file_ = -1;
  std::int64_t lines_kept_ = 0;
  std::string name_;
};

}  // namespace heng::insight
