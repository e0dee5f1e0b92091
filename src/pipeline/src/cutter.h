#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace heng::pipeline {

struct DraftSentence {
  std::string text;        ///< With its [n] marks, without Markdown decoration.
  bool new_line = false;   ///< It stood on a new line.
};

/// Cuts a stream of text into sentences as they complete. A sentence is complete when something other than its citation
/// marks follows its stop, or a line ends.
class SentenceCutter {
 public:
  std::vector<DraftSentence> feed(std::string_view piece);
  /// What is left; left out where the text was broken off inside a sentence.
  std::vector<DraftSentence> finish(bool broken_off);

 private:
  std::vector<DraftSentence> take(bool all);
  std::string buffer_;
  bool new_line_ = false;
};

}  // namespace heng::pipeline
