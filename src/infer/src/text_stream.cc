#include "heng/infer/text_stream.h"

#include <algorithm>

#include "heng/base/text.h"

namespace heng::infer {

TextStream::TextStream(std::vector<std::string> stops) : stops_(std::move(stops)) {
  std::erase_if(stops_, [](const std::string& stop) { return stop.empty(); });
}

std::string TextStream::push(std::string_view bytes) {
  if (stopped_) return {};
  pending_ += bytes;
  std::size_t first = std::string::npos;
  for (const auto& stop : stops_) first = std::min(first, pending_.find(stop));
  if (first != std::string::npos) {
    stopped_ = true;
    auto out = text::replace_invalid_utf8(std::string_view(pending_).substr(0, first));
    pending_.clear();
    return out;
  }
  std::size_t hold = 0;
  for (const auto& stop : stops_) {
    for (std::size_t n = std::min(stop.size() - 1, pending_.size()); n > hold; --n) {
      if (std::string_view(pending_).substr(pending_.size() - n) == std::string_view(stop).substr(0, n)) {
        hold = n;
        break;
      }
    }
  }
  const auto certain = text::complete_utf8_prefix(std::string_view(pending_).substr(0, pending_.size() - hold));
  auto out = text::replace_invalid_utf8(std::string_view(pending_).substr(0, certain));
  pending_.erase(0, certain);
  return out;
}

std::string TextStream::finish() {
  auto out = text::replace_invalid_utf8(pending_);
  pending_.clear();
  return out;
}

}  // namespace heng::infer
