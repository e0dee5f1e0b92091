#include "event_stream.h"

#include <algorithm>

namespace heng::infer {

std::vector<std::string> EventStream::push(std::string_view bytes) {
  std::vector<std::string> events;
  for (char c : bytes) {
    if (overflowed_) break;
    if (c == '\n' && skip_feed_) {
      skip_feed_ = false;
      continue;
    }
    skip_feed_ = c == '\r';
    if (c == '\n' || c == '\r') {
      line(line_, events);
      line_.clear();
    } else {
      line_ += c;
      overflowed_ = line_.size() + data_.size() > limit_;
    }
  }
  return events;
}

void EventStream::line(std::string_view text, std::vector<std::string>& events) {
  if (text.empty()) {
    if (has_data_) events.push_back(std::move(data_));
    data_.clear();
    has_data_ = false;
    return;
  }
  if (text.substr(0, 5) != "data:" && text != "data") return;
  text.remove_prefix(std::min<std::size_t>(5, text.size()));
  if (!text.empty() && text[0] == ' ') text.remove_prefix(1);
  if (has_data_) data_ += '\n';
  data_ += text;
  has_data_ = true;
}

}  // namespace heng::infer
