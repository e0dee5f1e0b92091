#include "heng/guard_pii/stream.h"

#include <algorithm>

#include "heng/base/text.h"

namespace heng::guard_pii {
namespace {

bool alnum(char c) { return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z'); }
bool ends_sentence(std::string_view s, std::size_t i) {
  const auto left = s.substr(0, i);
  return left.ends_with("\n") || left.ends_with("。") || left.ends_with("！") || left.ends_with("？") || left.ends_with(". ") || left.ends_with("! ") || left.ends_with("? ");
}
/// Digits on both sides within a few bytes: a number may go on over the place.
bool inside_number(std::string_view s, std::size_t i) {
  const auto digit_near = [&](std::size_t from, std::size_t to) {
    for (std::size_t k = from; k < to; ++k)
      if ((s[k] >= '0' && s[k] <= '9') || static_cast<unsigned char>(s[k]) >= 0xE2) return true;
    return false;
  };
  return digit_near(i >= 6 ? i - 6 : 0, i) && digit_near(i, std::min(s.size(), i + 6));
}

}  // namespace

std::size_t StreamMasker::place_to_cut(std::string_view text, std::size_t least, std::size_t most, const std::vector<Match>& matches) const {
  const auto spanned = [&](std::size_t i) {
    return std::any_of(matches.begin(), matches.end(), [&](const Match& m) { return m.begin < i && i < m.end; });
  };
  std::size_t fallback = 0;
  for (std::size_t i = most; i > least; --i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) == 0x80) continue;
    if (alnum(text[i]) && alnum(text[i - 1])) continue;
    if (spanned(i)) continue;
    if (ends_sentence(text, i) && !(text[i] >= '0' && text[i] <= '9')) return i;
    // far from a sentence's end any blank serves, but never inside a number
    if (fallback == 0 && text[i - 1] == ' ' && !inside_number(text, i) && most - least > 2 * settings_.hold_back_bytes) fallback = i;
    if (fallback == 0 && most - least > 8 * settings_.hold_back_bytes && !inside_number(text, i)) fallback = i;
  }
  return fallback;
}

Result<std::string> StreamMasker::release(bool all) {
  std::string text = context_ + pending_;
  const std::size_t whole = all ? text.size() : text::complete_utf8_prefix(text);
  const std::string_view view = std::string_view(text).substr(0, whole);
  const auto matches = HENG_TRY(scanner_.scan(view));
  const std::size_t begin = context_.size();
  std::size_t cut = whole;
  if (!all) {
    if (whole < begin + settings_.hold_back_bytes) return std::string();
    cut = place_to_cut(view, begin, whole - settings_.hold_back_bytes, matches);
    if (cut <= begin) {
      if (pending_.size() > settings_.most_pending_bytes) return Error(ErrorCode::too_large, "the text has no place at which it can be cut, so it is held back");
      return std::string();
    }
  }
  std::vector<Match> mine;
  for (const auto& match : matches)
    if (match.begin >= begin && match.end <= cut) mine.push_back({match.begin - begin, match.end - begin, match.type, match.score, match.rule});
  const auto report = masker_.apply(view.substr(begin, cut - begin), mine, channel_);
  if (report.action == GuardAction::withhold) return Error(ErrorCode::policy_denied, "the text holds what policy refuses: " + report.findings.front().type);
  std::size_t keep = cut > settings_.context_bytes ? cut - settings_.context_bytes : 0;
  while (keep < cut && (static_cast<unsigned char>(text[keep]) & 0xC0) == 0x80) ++keep;
  context_ = text.substr(keep, cut - keep);
  pending_ = text.substr(cut);
  return report.masked;
}

Result<std::string> StreamMasker::feed(std::string_view piece) {
  if (failed_) return Error(ErrorCode::conflict, "the text was stopped before");
  pending_ += piece;
  // a look costs a scan: not at every byte
  if (pending_.size() < settings_.hold_back_bytes || pending_.size() < looked_at_ + settings_.hold_back_bytes / 8) return std::string();
  auto out = release(false);
  looked_at_ = pending_.size();
  if (!out.ok()) failed_ = true;
  return out;
}

Result<std::string> StreamMasker::finish() {
  if (failed_) return Error(ErrorCode::conflict, "the text was stopped before");
  failed_ = true;
  return release(true);
}

}  // namespace heng::guard_pii
