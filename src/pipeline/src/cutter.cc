#include "cutter.h"

#include <cctype>

#include "heng/base/text.h"
#include "words.h"

namespace heng::pipeline {
namespace {

/// Without bold marks, bullets, heading marks and quotes at the line's beginning.
std::string undecorated(std::string_view s) {
  std::string out = replace_all(std::string(s), "**", "");
  std::string_view rest = text::trim(out);
  while (!rest.empty() && (rest.front() == '#' || rest.front() == '>' || rest.front() == '*' ||
                           (rest.front() == '-' && rest.size() > 1 && rest[1] == ' ')))
    rest = text::trim(rest.substr(1));
  return std::string(rest);
}

bool only_marks(std::string_view s) {
  for (char c : s)
    if (c != '[' && c != ']' && c != ' ' && c != ',' && std::isdigit(static_cast<unsigned char>(c)) == 0) return false;
  return true;
}

bool ends_with_stop(std::string_view s) {
  const std::string plain = strip_marks(s);
  for (std::string_view stop : {".", "!", "?", "。", "！", "？", "；", ";", "”", "\"", ")", "）"})
    if (plain.ends_with(stop)) return true;
  return false;
}

}  // namespace

std::vector<DraftSentence> SentenceCutter::feed(std::string_view piece) {
  buffer_ += piece;
  return take(false);
}

std::vector<DraftSentence> SentenceCutter::finish(bool broken_off) {
  auto out = take(true);
  if (broken_off && !out.empty() && !ends_with_stop(out.back().text)) out.pop_back();
  buffer_.clear();
  return out;
}

std::vector<DraftSentence> SentenceCutter::take(bool all) {
  std::vector<DraftSentence> out;
  std::size_t used = 0;
  auto emit = [&](std::string_view s) {
    std::string plain = undecorated(s);
    if (plain.empty()) return;
    if (only_marks(plain)) {
      if (!out.empty()) out.back().text += " " + plain;
      return;
    }
    out.push_back({std::move(plain), new_line_});
    new_line_ = false;
  };
  while (used < buffer_.size()) {
    const std::size_t line_end = buffer_.find('\n', used);
    const bool whole_line = line_end != std::string::npos;
    const std::string_view line = std::string_view(buffer_).substr(used, whole_line ? line_end - used : std::string::npos);
    const auto ranges = text::sentences(line);
    std::size_t complete = ranges.size();
    if (!whole_line && !all) {
      // the last one may still grow, and marks may still follow the one before it
      complete = ranges.size() > 1 ? ranges.size() - 1 : 0;
      if (complete > 0 && only_marks(line.substr(ranges[complete].begin))) --complete;
    }
    for (std::size_t i = 0; i < complete; ++i) emit(line.substr(ranges[i].begin, ranges[i].end - ranges[i].begin));
    if (whole_line) {
      used = line_end + 1;
      new_line_ = true;
      continue;
    }
    used += complete == ranges.size() ? line.size() : (complete > 0 ? ranges[complete].begin : 0);
    break;
  }
  buffer_.erase(0, used);
  return out;
}

}  // namespace heng::pipeline
