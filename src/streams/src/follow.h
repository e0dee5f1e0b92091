#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "heng/base/result.h"
#include "heng/streams/engine.h"

namespace heng::streams {

/// A line with where it stood: "news.jsonl:7".
struct SourceLine {
  std::string text, place;
  bool plain = false;                 ///< May be plain text.
  std::string error;                  ///< Why it could not be read; empty: it was.
};

struct ReadLines {
  std::vector<SourceLine> lines;
  std::vector<Position> positions;    ///< Of the files that gave them.
  bool ended = false;                 ///< There is nothing more and never will be.
};

/// Gives whole lines, at most `most_lines` and `most_bytes` at a time. One thread.
class LineSource {
 public:
  virtual ~LineSource() = default;
  virtual Result<ReadLines> next(std::size_t most_lines, std::size_t most_bytes) = 0;
  /// Until there may be something new, at most `ms`.
  virtual void wait(int ms) = 0;
};

/// The files of a folder and what is appended to them.
class FolderSource final : public LineSource {
 public:
  /// `known`: how far they were read. Errors: not_found.
  static Result<std::unique_ptr<FolderSource>> open(const std::filesystem::path& folder, std::vector<Position> known, bool take_unfinished);
  ~FolderSource() override;
  Result<ReadLines> next(std::size_t most_lines, std::size_t most_bytes) override;
  void wait(int ms) override;

 private:
  FolderSource(std::filesystem::path folder, bool take_unfinished) : folder_(std::move(folder)), take_unfinished_(take_unfinished) {}
  Result<void> read_file(const std::string& name, std::size_t most_lines, std::size_t& bytes_left, ReadLines& out);
  std::filesystem::path folder_;
  bool take_unfinished_;
  int inotify_ = -1;
  std::map<std::string, Position> positions_;
  std::map<std::string, std::uint64_t> inodes_;
};

/// Lines of a pipe.
class PipeSource final : public LineSource {
 public:
  explicit PipeSource(int descriptor) : descriptor_(descriptor) {}
  Result<ReadLines> next(std::size_t most_lines, std::size_t most_bytes) override;
  void wait(int ms) override;

 private:
  int descriptor_;
  std::string rest_;
  std::int64_t line_ = 0;
  bool ended_ = false, skipping_ = false;
};

}  // namespace heng::streams
