#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace heng::infer {

/// Server-sent events (WHATWG HTML, section 9.2): bytes in, complete `data` values out. Not thread-safe.
class EventStream {
 public:
  explicit EventStream(std::size_t limit_bytes = 8 << 20) : limit_(limit_bytes) {}
  /// Data of the events that these bytes complete.
  std::vector<std::string> push(std::string_view bytes);
  /// An event grew past the limit; nothing more is read.
  bool overflowed() const { return overflowed_; }

 private:
  void line(std::string_view text, std::vector<std::string>& events);
  std::size_t limit_;
  std::string line_, data_;
  bool has_data_ = false, skip_feed_ = false, overflowed_ = false;
};

}  // namespace heng::infer
