#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "heng/base/error.h"

namespace heng::app {

/// The language of messages: HENG_LANG, else LC_ALL, LC_MESSAGES, LANG; Chinese where it begins with "zh".
bool speaks_chinese();
/// The text in the user's language.
inline const char* say(const char* english, const char* chinese) { return speaks_chinese() ? chinese : english; }

/// 0 done, 1 failed, 2 wrong usage, 3 bad input, 4 refused by policy.
int exit_code(const Error& error);
/// "heng: …" on standard error; returns the exit code.
int report(const Error& error);

/// A line that is rewritten in place on a terminal; elsewhere one line at every tenth. Writes to standard error.
class Progress {
 public:
  explicit Progress(std::string label);
  ~Progress();
  void update(std::int64_t done, std::int64_t total, std::string_view note = {});
  /// Takes the bar away so that other lines can be written.
  void clear();

 private:
  std::string label_;
  bool terminal_;
  bool shown_ = false;
  int last_tenth_ = -1;
  std::chrono::steady_clock::time_point started_;
};

/// Rows with columns lined up by display width; the first row is the header. `right` names columns set to the right.
std::string table(const std::vector<std::vector<std::string>>& rows, const std::vector<int>& right = {});

/// Breaks text to `width` columns, each line behind `indent`. Chinese breaks between characters.
std::string wrap(std::string_view text, std::size_t width, std::string_view indent);

/// Bold, dim or coloured on a terminal, plain elsewhere.
std::string bold(std::string_view text);
std::string dim(std::string_view text);

std::string human_bytes(std::int64_t bytes);

}  // namespace heng::app
