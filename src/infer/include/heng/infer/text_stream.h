#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace heng::infer {

/// Turns token bytes into text that may be shown: whole UTF-8 characters only, cut before the first stop string, with
/// what may still become a stop string held back. Not thread-safe.
class TextStream {
 public:
  explicit TextStream(std::vector<std::string> stops = {});
  /// Text that became certain with these bytes. Nothing after stopped().
  std::string push(std::string_view bytes);
  /// What was held back, when no more bytes come; incomplete characters become U+FFFD.
  std::string finish();
  bool stopped() const { return stopped_; }

 private:
  std::vector<std::string> stops_;
  std::string pending_;
  bool stopped_ = false;
};

}  // namespace heng::infer
