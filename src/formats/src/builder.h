#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "heng/formats/reader.h"

namespace heng::formats {

/// Valid UTF-8 with white space collapsed to single spaces and control characters dropped.
std::string clean_line(std::string_view text);
/// The same, but line breaks stay.
std::string clean_lines(std::string_view text);

/// Collects blocks and holds the limits: after the first excess it takes nothing more, and `take` gives the error.
class Builder {
 public:
  explicit Builder(const Limits& limits) : limits_(limits) {}

  /// Blocks without text and rows are dropped.
  void add(Block block);
  void add(BlockKind kind, std::string text, int level = 0);
  void warn(std::string warning);
  void fail(Error error);
  void too_deep();

  bool failed() const { return failed_; }
  const Limits& limits() const { return limits_; }
  ParsedDocument& document() { return reading_.document; }
  void attach(Attachment attachment) { reading_.attachments.push_back(std::move(attachment)); }
  /// Where new blocks come from; kept until changed.
  void place(int page, std::string sheet) { page_ = page, sheet_ = std::move(sheet); }

  /// Errors: the first excess, or malformed_input where there is neither text nor attachment nor warning.
  Result<Reading> take(Format format);

 private:
  const Limits& limits_;
  Reading reading_;
  std::size_t text_bytes_ = 0, cells_ = 0;
  int page_ = 0;
  std::string sheet_;
  bool failed_ = false;
  Error error_;
};

/// How many of the first rows look like headers: no figures in them, figures below. Years count as headers' words.
int guess_header_rows(const std::vector<std::vector<std::string>>& rows);

/// "1,234", "(5.2)", "12%", "—", "$ 3", "¥5.00": a figure or the sign for none.
bool is_figure(std::string_view text);
/// "2015", "2015年", "FY2023", "2020年度": names a year.
bool is_year(std::string_view text);

}  // namespace heng::formats
