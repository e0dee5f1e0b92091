#include "heng/streams/clean.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <utility>

#include "heng/base/text.h"

namespace heng::streams {
namespace {

constexpr std::array<std::pair<std::string_view, char32_t>, 22> references{{
    {"amp", U'&'}, {"lt", U'<'}, {"gt", U'>'}, {"quot", U'"'}, {"apos", U'\''}, {"nbsp", U' '}, {"ensp", U' '}, {"emsp", U' '}, {"thinsp", U' '},
    {"middot", U'·'}, {"hellip", U'…'}, {"mdash", U'—'}, {"ndash", U'–'}, {"ldquo", U'“'}, {"rdquo", U'”'}, {"lsquo", U'‘'}, {"rsquo", U'’'},
    {"copy", U'©'}, {"reg", U'®'}, {"yen", U'¥'}, {"euro", U'€'}, {"pound", U'£'}}};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// The end of a tag that begins at `i` (behind its ">"), or npos where it is none: "a < b" is not.
std::size_t tag_end(std::string_view s, std::size_t i) {
  constexpr std::size_t longest_tag = 4096;
  if (i + 1 >= s.size()) return std::string_view::npos;
  if (s.substr(i, 4) == "<!--") {
    const auto end = s.find("-->", i + 4);
    return end == std::string_view::npos ? std::string_view::npos : end + 3;
  }
  const char first = s[i + 1];
  const bool begins = is_letter(first) || first == '!' || (first == '/' && i + 2 < s.size() && is_letter(s[i + 2]));
  if (!begins) return std::string_view::npos;
  const auto end = s.substr(i, longest_tag).find('>');
  if (end == std::string_view::npos || s.substr(i + 1, end - 1).find('<') != std::string_view::npos) return std::string_view::npos;
  return i + end + 1;
}

bool breaks_line(std::string_view tag) {
  for (const std::string_view name : {"<br", "<p", "</p", "<div", "</div", "<li", "</li", "<tr", "</tr", "<h", "</h"})
    if (text::starts_with_ci(tag, name)) return true;
  return false;
}

std::string without_tags(std::string_view s) {
  std::string out;
  out.reserve(s.size());
  for (std::size_t i = 0; i < s.size();) {
    if (s[i] != '<') {
      out += s[i++];
      continue;
    }
    const auto end = tag_end(s, i);
    if (end == std::string_view::npos) {
      out += s[i++];
      continue;
    }
    const auto tag = s.substr(i, end - i);
    i = end;
    for (const auto& [name, close] : {std::pair<std::string_view, std::string_view>{"<script", "</script"}, {"<style", "</style"}}) {
      if (!text::starts_with_ci(tag, name)) continue;
      std::size_t at = i;
      while (at < s.size() && !(s[at] == '<' && text::starts_with_ci(s.substr(at), close))) ++at;
      const auto closed = at < s.size() ? tag_end(s, at) : std::string_view::npos;
      i = closed == std::string_view::npos ? at : closed;
    }
    if (breaks_line(tag)) out += '\n';
  }
  return out;
}

std::string with_references_decoded(std::string_view s) {
  std::string out;
  out.reserve(s.size());
  for (std::size_t i = 0; i < s.size(); ++i) {
    const auto end = s[i] == '&' ? s.substr(i, 12).find(';') : std::string_view::npos;
    if (end == std::string_view::npos) {
      out += s[i];
      continue;
    }
    const auto name = s.substr(i + 1, end - 1);
    char32_t found = 0;
    for (const auto& [known, c] : references)
      if (known == name) found = c;
    if (name.size() > 1 && name[0] == '#') {
      const bool hex = name[1] == 'x' || name[1] == 'X';
      const auto digits = name.substr(hex ? 2 : 1);
      std::uint32_t value = 0;
      const auto [rest, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), value, hex ? 16 : 10);
      const bool valid = failed == std::errc() && rest == digits.data() + digits.size() && value > 0 && value < 0x110000 && !(value >= 0xD800 && value < 0xE000);
      if (valid) found = value;
    }
    if (found == 0) {
      out += s[i];
      continue;
    }
    text::append(out, found);
    i += end;
  }
  return out;
}

bool is_invisible(char32_t c) {
  return (c >= 0x200B && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF || c == 0xAD || (c >= 0xFFF0 && c <= 0xFFFD) ||
         (c >= 0xFE00 && c <= 0xFE0F) || (c >= 0xE0000 && c <= 0xE0FFF);
}

/// Control and invisible characters out, runs of spaces to one, runs of line ends to one.
std::string with_spaces_joined(std::string_view s) {
  std::string out;
  out.reserve(s.size());
  bool space = false, line = false;
  for (std::size_t i = 0; i < s.size();) {
    const char32_t c = text::next(s, i);
    if (c == U'\n' || c == U'\r' || c == 0x2028 || c == 0x2029) {
      line = true;
    } else if (text::is_space(c) || c == U'\t') {
      space = true;
    } else if (c >= 0x20 && c != 0x7F && !(c >= 0x80 && c < 0xA0) && !is_invisible(c)) {
      if (line && !out.empty()) out += '\n';
      else if (space && !out.empty()) out += ' ';
      space = line = false;
      text::append(out, c);
    }
  }
  return out;
}

/// Lines that say nothing about the matter. Only whole lines that begin so are taken out, and never all of them.
bool is_boilerplate(std::string_view line) {
  static constexpr std::string_view beginnings[] = {
      "免责声明", "免责申明", "风险提示:本文", "声明:本文", "声明:转载", "本文仅供参考", "本文不构成", "以上内容仅供参考", "责任编辑", "(责任编辑", "[责任编辑", "编辑:", "校对:", "来源声明", "原标题:",
      "点击查看", "点击阅读", "查看原文", "阅读原文", "点击下载", "扫码关注", "扫描二维码", "关注公众号", "更多精彩", "未经授权", "转载请注明", "版权所有", "版权声明", "举报/反馈", "举报", "返回搜狐",
      "read more", "click here", "sign up", "subscribe to", "all rights reserved", "copyright ", "(c) ", "© ", "disclaimer:", "this article is for informational", "follow us on", "advertisement",
      "share this article", "view original content", "source: prnewswire"};
  constexpr std::size_t longest_line = 400;
  if (line.size() > longest_line) return false;
  for (const auto beginning : beginnings)
    if (text::starts_with_ci(line, beginning)) return true;
  return text::equals_ci(line, "all rights reserved.") || line == "分享到:" || line == "收藏" || line == "评论";
}

std::string without_boilerplate(std::string_view s) {
  std::string out;
  for (const auto line : text::split(s, '\n')) {
    const auto trimmed = text::trim(line);
    if (trimmed.empty() || is_boilerplate(trimmed)) continue;
    if (!out.empty()) out += '\n';
    out += trimmed;
  }
  // what stands in brackets at the end of the last line: "(责任编辑:王某)"
  for (const std::string_view mark : {"(责任编辑", "(编辑:", "[责任编辑"}) {
    const auto at = out.rfind(mark);
    if (at != std::string::npos && at > 0 && out.size() - at < 80 && (out.back() == ')' || out.back() == ']')) out = std::string(text::trim(std::string_view(out).substr(0, at)));
  }
  return out;
}

}  // namespace

Result<std::string> clean(std::string_view raw) {
  if (raw.size() > longest_message_bytes) return Error(ErrorCode::too_large, fmt::format("the text has {} bytes, the limit is {}", raw.size(), longest_message_bytes), "text");
  if (const auto at = text::first_invalid_utf8(raw); at != std::string_view::npos) return Error(ErrorCode::malformed_input, fmt::format("the text is not UTF-8 at byte {}", at), "text");
  std::string text(raw);
  if (text.find('<') != std::string::npos) text = without_tags(text);
  if (text.find('&') != std::string::npos) text = with_references_decoded(text);
  const std::string visible = with_spaces_joined(text::nfkc(with_spaces_joined(text)));
  std::string out = without_boilerplate(visible);
  if (out.empty()) out = std::string(text::trim(visible));
  if (out.empty()) return Error(ErrorCode::invalid_argument, "the text is empty after cleaning", "text");
  return out;
}

}  // namespace heng::streams
