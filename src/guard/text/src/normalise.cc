#include "heng/guard_text/normalise.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "characters.h"
#include "heng/base/text.h"

namespace heng::guard_text {
namespace {

bool is_ascii_alnum(unsigned char c) { return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z'); }

/// End of the run of bytes that never change: ASCII and the characters U+4000…U+9FFF.
std::size_t plain_run(std::string_view s, std::size_t i) {
  const auto* data = reinterpret_cast<const unsigned char*>(s.data());
  const std::size_t n = s.size();
  while (i < n) {
    if (i + 8 <= n) {
      std::uint64_t word;
      std::memcpy(&word, data + i, 8);
      const std::uint64_t high = word & 0x8080808080808080ULL;
      if (high == 0) {
        i += 8;
        continue;
      }
      i += static_cast<std::size_t>(std::countr_zero(high)) / 8;
    } else if (data[i] < 0x80) {
      ++i;
      continue;
    }
    while (i + 2 < n && data[i] >= 0xE4 && data[i] <= 0xE9) i += 3;
    if (i < n && data[i] >= 0x80) return i;
  }
  return n;
}

}  // namespace

Normalised::Normalised(std::string_view original) : original_(original) {
  const FoldTable& table = FoldTable::instance();
  std::size_t run = 0, i = 0;
  while (true) {
    i = plain_run(original, i);
    if (i >= original.size()) break;
    const std::size_t begin = i;
    const char32_t c = text::next(original, i);
    if (c >= 0xE0020 && c <= 0xE007E) {
      keep(run, begin);
      const char hidden = static_cast<char>(c - 0xE0000);
      replace(begin, i, std::string_view(&hidden, 1));
      ++oddities_.tags;
      run = i;
      continue;
    }
    const Fold& fold = table.of(c);
    if (fold.kind == Fold::Kind::keep) continue;
    if (fold.kind == Fold::Kind::look_alike) {
      const bool before = begin > 0 && is_ascii_alnum(static_cast<unsigned char>(original[begin - 1]));
      const bool after = i < original.size() && is_ascii_alnum(static_cast<unsigned char>(original[i]));
      const bool chained = run == begin && !text_.empty() && is_ascii_alnum(static_cast<unsigned char>(text_.back()));
      if (!before && !after && !chained) continue;
      ++oddities_.look_alikes;
    }
    if (fold.kind == Fold::Kind::drop) ++oddities_.hidden;
    keep(run, begin);
    replace(begin, i, fold.text());
    run = i;
  }
  if (changed_) keep(run, original.size());
}

void Normalised::keep(std::size_t begin, std::size_t end) {
  if (!changed_) text_.reserve(original_.size() + 16);
  changed_ = true;
  if (end <= begin) return;
  steps_.push_back({static_cast<std::uint32_t>(text_.size()), static_cast<std::uint32_t>(begin), 0});
  text_.append(original_.substr(begin, end - begin));
}

void Normalised::replace(std::size_t begin, std::size_t end, std::string_view by) {
  if (by.empty()) return;
  steps_.push_back({static_cast<std::uint32_t>(text_.size()), static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end - begin)});
  text_.append(by);
}

const Normalised::Step* Normalised::step_of(std::size_t at) const {
  auto next = std::upper_bound(steps_.begin(), steps_.end(), at, [](std::size_t a, const Step& step) { return a < step.at; });
  return next == steps_.begin() ? nullptr : &*(next - 1);
}

std::size_t Normalised::original_begin(std::size_t at) const {
  if (!changed_) return at;
  if (at >= text_.size()) return original_.size();
  const Step* step = step_of(at);
  if (!step) return at;
  return step->length ? step->original : step->original + (at - step->at);
}

std::size_t Normalised::original_end(std::size_t end) const {
  if (!changed_ || end == 0) return end;
  const Step* step = step_of(std::min(end, text_.size()) - 1);
  if (!step) return end;
  return step->length ? step->original + step->length : step->original + (end - step->at);
}

std::size_t CodePointCounter::at(std::size_t byte) {
  if (byte < byte_) byte_ = points_ = 0;
  for (; byte_ < byte && byte_ < text_.size(); ++byte_) points_ += (static_cast<unsigned char>(text_[byte_]) & 0xC0) != 0x80;
  return points_;
}

}  // namespace heng::guard_text
