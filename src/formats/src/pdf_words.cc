#include "pdf_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "builder.h"
#include "heng/base/text.h"

namespace heng::formats::pdf {
namespace {

// One tag of the tools' output with its attributes; their XML is flat and regular, a general parser would cost seconds.
struct Tag {
  std::string_view name, attributes;
};

class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool next(Tag& tag) {
    std::size_t open = rest_.find('<');
    if (open == std::string_view::npos) return false;
    std::size_t close = rest_.find('>', open);
    if (close == std::string_view::npos) return false;
    std::string_view inside = rest_.substr(open + 1, close - open - 1);
    rest_.remove_prefix(close + 1);
    std::size_t space = std::min(inside.find(' '), inside.size());
    tag = {inside.substr(0, space), inside.substr(space)};
    return true;
  }

  /// Up to the next tag.
  std::string_view content() const { return rest_.substr(0, rest_.find('<')); }
  std::string_view content_until(std::string_view end) const { return rest_.substr(0, rest_.find(end)); }

 private:
  std::string_view rest_;
};

bool attribute(std::string_view attributes, std::string_view name, double& out) {
  std::size_t at = attributes.find(name);
  if (at == std::string_view::npos) return false;
  const char* begin = attributes.data() + at + name.size();
  auto [end, error] = std::from_chars(begin, attributes.data() + attributes.size(), out);
  return error == std::errc() && std::isfinite(out) && std::fabs(out) < 1e6;
}

std::string unescape(std::string_view raw) {
  std::string out;
  out.reserve(raw.size());
  for (std::size_t i = 0; i < raw.size(); ++i) {
    std::size_t end = raw[i] == '&' ? raw.substr(0, i + 12).find(';', i) : std::string_view::npos;
    if (end == std::string_view::npos) {
      out += raw[i];
      continue;
    }
    std::string_view name = raw.substr(i + 1, end - i - 1);
    if (name == "amp") out += '&';
    else if (name == "lt") out += '<';
    else if (name == "gt") out += '>';
    else if (name == "quot") out += '"';
    else if (name == "apos") out += '\'';
    else if (name.starts_with("#")) {
      unsigned code = 0;
      std::from_chars(name.data() + 1, name.data() + name.size(), code);
      if (code > 0 && code < 0x110000 && (code < 0xD800 || code > 0xDFFF)) text::append(out, code);
    } else {
      out += '&';
      continue;
    }
    i = end;
  }
  return out;
}

struct Run {
  double x0 = 0, y0 = 0, x1 = 0, y1 = 0;
};
using BoldRuns = std::vector<std::vector<Run>>;  // by page, from 0

BoldRuns read_bold_runs(std::string_view fonts) {
  BoldRuns pages;
  Scanner scanner(fonts);
  Tag tag;
  while (scanner.next(tag)) {
    if (tag.name == "page") {
      pages.emplace_back();
    } else if (tag.name == "text" && !pages.empty() && scanner.content_until("</text").find("<b>") != std::string_view::npos) {
      double top = 0, left = 0, width = 0, height = 0;
      if (attribute(tag.attributes, "top=\"", top) && attribute(tag.attributes, "left=\"", left) &&
          attribute(tag.attributes, "width=\"", width) && attribute(tag.attributes, "height=\"", height)) {
        pages.back().push_back({left - 2, top - 2, left + width + 2, top + height + 2});
      }
    }
  }
  for (auto& runs : pages) std::sort(runs.begin(), runs.end(), [](const Run& a, const Run& b) { return a.y0 < b.y0; });
  return pages;
}

bool is_bold(const Word& word, const std::vector<Run>& runs) {
  double x = (word.x0 + word.x1) / 2, y = (word.y0 + word.y1) / 2;
  constexpr double tallest = 100;
  auto from = std::lower_bound(runs.begin(), runs.end(), y - tallest, [](const Run& run, double top) { return run.y0 < top; });
  for (; from != runs.end() && from->y0 <= y; ++from) {
    if (y <= from->y1 && x >= from->x0 && x <= from->x1) return true;
  }
  return false;
}

bool is_cjk_edge(std::string_view text, bool last) {
  char32_t found = 0;
  for (std::size_t i = 0; i < text.size();) {
    found = text::next(text, i);
    if (!last) break;
  }
  return text::is_cjk(found) || (found >= 0x3000 && found <= 0x303F) || (found >= 0xFF00 && found <= 0xFFEF);
}

// Makes segments of the words of one line.
class Segmenter {
 public:
  void add(std::vector<Segment>& out, const Word& word, int block) {
    bool joins = open_ && !out.empty() && follows(word);
    if (!joins) {
      out.push_back({word.x0, word.y0, word.x1, word.y1, word.y1 - word.y0, block, true, ""});
      open_ = true;
    }
    Segment& segment = out.back();
    if (joins && needs_space(segment, word)) segment.text += ' ';
    segment.text += word.text;
    segment.x1 = std::max(segment.x1, word.x1);
    segment.y0 = std::min(segment.y0, word.y0);
    segment.y1 = std::max(segment.y1, word.y1);
    segment.size = std::max(segment.size, word.y1 - word.y0);
    // punctuation and bullets do not say how a line is set
    if (!word.bold) segment.bold = false;
    last_ = word;
  }

  void close() { open_ = false; }

 private:
  bool follows(const Word& word) const {
    double gap = word.x0 - last_.x1, size = std::max(last_.y1 - last_.y0, 4.0);
    bool figures = is_figure(word.text) && is_figure(last_.text);
    return gap < size * (figures ? 0.55 : 0.95) && gap > -size * 2;
  }

  bool needs_space(const Segment& segment, const Word& word) const {
    if (word.x0 - last_.x1 > 0.5 * (word.y1 - word.y0)) return true;
    return !(is_cjk_edge(segment.text, true) || is_cjk_edge(word.text, false));
  }

  Word last_;
  bool open_ = false;
};

// Dots that lead from a title to its page number.
bool is_leader(std::string_view text) {
  std::size_t dots = 0, others = 0;
  for (std::size_t i = 0; i < text.size();) {
    char32_t c = text::next(text, i);
    (c == '.' || c == U'…' || c == U'·' || c == '_' ? dots : others) += 1;
  }
  return dots >= 3 && others == 0;
}

void drop_leader(std::string& text) {
  std::size_t dots = text.find("....");
  if (dots == std::string::npos) return;
  std::size_t end = text.find_first_not_of(". ", dots);
  text.replace(dots, (end == std::string::npos ? text.size() : end) - dots, " ");
}

}  // namespace

Result<Layout> read_layout(std::string_view layout, std::string_view fonts, const Limits& limits) {
  BoldRuns bold = read_bold_runs(fonts);
  Layout result;
  Scanner scanner(layout);
  Tag tag;
  int block = 0;
  Segmenter segmenter;
  std::size_t bytes = 0;
  while (scanner.next(tag)) {
    if (tag.name == "title") {
      result.title = clean_line(unescape(scanner.content()));
    } else if (tag.name == "page") {
      if (static_cast<int>(result.pages.size()) >= limits.max_pages) break;
      Page& page = result.pages.emplace_back();
      page.number = static_cast<int>(result.pages.size());
      attribute(tag.attributes, "width=\"", page.width);
      attribute(tag.attributes, "height=\"", page.height);
      block = 0;
    } else if (result.pages.empty()) {
      continue;
    } else if (tag.name == "block") {
      ++block;
    } else if (tag.name == "line") {
      segmenter.close();
    } else if (tag.name == "word") {
      Word word;
      bool good = attribute(tag.attributes, "xMin=\"", word.x0) && attribute(tag.attributes, "yMin=\"", word.y0) &&
                  attribute(tag.attributes, "xMax=\"", word.x1) && attribute(tag.attributes, "yMax=\"", word.y1);
      word.text = clean_line(unescape(scanner.content()));
      drop_leader(word.text);
      if (!good || word.text.empty() || is_leader(word.text)) continue;
      bytes += word.text.size();
      if (bytes > limits.max_text_bytes) {
        return Error(ErrorCode::too_large, fmt::format("the document has more than {} MiB of text; split it", limits.max_text_bytes >> 20));
      }
      std::size_t index = result.pages.size() - 1;
      word.bold = index < bold.size() && is_bold(word, bold[index]);
      segmenter.add(result.pages.back().segments, word, block);
    }
  }
  return result;
}

}  // namespace heng::formats::pdf
