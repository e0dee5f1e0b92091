#include <algorithm>
#include <cctype>

#include "charset.h"
#include "headings.h"
#include "heng/base/text.h"
#include "readers.h"

namespace heng::formats {
namespace {

bool all_of(std::string_view line, char mark) {
  return line.size() >= 3 && line.find_first_not_of(mark) == std::string_view::npos;
}

std::size_t indent(std::string_view line) {
  if (line.starts_with("　")) return 2;
  std::size_t count = 0;
  while (count < line.size() && (line[count] == ' ' || line[count] == '\t')) ++count;
  return count;
}

// Paragraphs are told by empty lines; where there are none, long lines are paragraphs of their own.
class TextReader {
 public:
  explicit TextReader(Builder& builder) : builder_(builder) {}

  void read(std::string_view text) {
    std::vector<std::string_view> lines = text::split(text, '\n');
    bool has_empty = false;
    std::size_t longest = 0;
    for (std::string_view line : lines) {
      has_empty |= text::trim(line).empty();
      longest = std::max(longest, line.size());
    }
    one_line_paragraphs_ = !has_empty || longest > 160;
    for (std::string_view line : lines) {
      if (builder_.failed()) return;
      add_line(line);
    }
    close();
  }

 private:
  void add_line(std::string_view line) {
    std::string_view bare = text::trim(line);
    if (bare.empty()) return close();
    if ((all_of(bare, '=') || all_of(bare, '-')) && lines_ == 1 && paragraph_.size() < 200) {
      builder_.add(BlockKind::heading, std::move(paragraph_), bare[0] == '=' ? 1 : 2);
      reset();
      return;
    }
    std::string cleaned = clean_line(bare);
    if (int level = heading_level(cleaned, 1, 1.0, false); level > 0 && level < 4) {
      close();
      builder_.add(BlockKind::heading, std::move(cleaned), level);
      return;
    }
    bool starts = is_list_item(cleaned) || one_line_paragraphs_ || indent(line) > last_indent_ + 1;
    if (starts) close();
    if (!paragraph_.empty() && !cleaned.empty()) {
      std::size_t i = 0;
      if (!text::is_cjk(text::next(cleaned, i))) paragraph_ += ' ';
    }
    paragraph_ += cleaned;
    last_indent_ = indent(line);
    ++lines_;
  }

  void close() {
    if (!paragraph_.empty()) {
      BlockKind kind = is_list_item(paragraph_) ? BlockKind::list_item : BlockKind::paragraph;
      builder_.add(kind, std::move(paragraph_), kind == BlockKind::list_item ? 1 : 0);
    }
    reset();
  }

  void reset() {
    paragraph_.clear();
    lines_ = 0;
    last_indent_ = 0;
  }

  Builder& builder_;
  std::string paragraph_;
  std::size_t lines_ = 0, last_indent_ = 0;
  bool one_line_paragraphs_ = false;
};

}  // namespace

void read_text(std::string_view bytes, Builder& builder) {
  std::string utf8 = to_utf8(bytes, "");
  std::replace(utf8.begin(), utf8.end(), '\f', '\n');
  // old Macintosh files end lines with CR alone
  if (utf8.find('\n') == std::string::npos) std::replace(utf8.begin(), utf8.end(), '\r', '\n');
  TextReader(builder).read(utf8);
}

}  // namespace heng::formats
