#include "builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "heng/base/text.h"

namespace heng::formats {
namespace {

std::string clean(std::string_view raw, bool keep_breaks) {
  std::string repaired;
  if (!text::is_valid_utf8(raw)) raw = repaired = text::replace_invalid_utf8(raw);
  std::string out;
  out.reserve(raw.size());
  bool space = false, line_break = false;
  for (std::size_t i = 0; i < raw.size();) {
    std::size_t start = i;
    char32_t c = text::next(raw, i);
    if (keep_breaks && c == '\n') {
      line_break = true;
    } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == 0xA0 || c == 0x3000 || c == 0x2028 || c == 0x2029 ||
               (c >= 0x2000 && c <= 0x200A)) {
      space = true;
    } else if (c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0xFEFF || c == 0x200B || c == 0xAD || c == 0xFFFE) {
      continue;
    } else {
      if (!out.empty() && line_break) out += '\n';
      else if (!out.empty() && space) out += ' ';
      space = line_break = false;
      out.append(raw.substr(start, i - start));
    }
  }
  return out;
}

// Without what surrounds a figure: brackets, signs, currencies, units.
bool strip_figure_dress(char32_t c) {
  constexpr std::u32string_view dress = U" ,.()（）$€£¥￥%％‰+-−–—―*†‡#:/，";
  return dress.find(c) != std::u32string_view::npos;
}

}  // namespace

std::string clean_line(std::string_view text) { return clean(text, false); }
std::string clean_lines(std::string_view text) { return clean(text, true); }

bool is_figure(std::string_view text) {
  constexpr std::array words = {"nm", "n/m", "n/a", "na", "不适用", "nil"};
  if (text.empty() || text.size() > 40) return false;
  for (std::string_view word : words) {
    if (text::equals_ci(text, word)) return true;
  }
  bool digit = false, dash = false;
  for (std::size_t i = 0; i < text.size();) {
    char32_t c = text::next(text, i);
    if (text::is_digit(c)) digit = true;
    else if (c == U'-' || c == U'—' || c == U'–' || c == U'−' || c == U'―') dash = true;
    else if (!strip_figure_dress(c) && c != U'x' && c != U'倍') return false;
  }
  return digit || dash;
}

bool is_year(std::string_view text) {
  if (text::starts_with_ci(text, "FY")) text.remove_prefix(2);
  if (text.size() < 4 || (text[0] != '1' && text[0] != '2') || (text[1] != '9' && text[1] != '0' && text[1] != '1')) return false;
  for (std::size_t i = 0; i < 4; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
  }
  std::string_view rest = text::trim(text.substr(4));
  return rest.empty() || rest.starts_with("年") || rest == "A" || rest == "E" || rest == "(1)" || rest == "*";
}

int guess_header_rows(const std::vector<std::vector<std::string>>& rows) {
  auto figures = [](const std::vector<std::string>& row) {
    int count = 0;
    for (const std::string& cell : row) count += is_figure(cell) && !is_year(cell);
    return count;
  };
  if (rows.size() < 2) return 0;
  std::size_t first = 0;
  while (first < rows.size() && first < 5 && figures(rows[first]) == 0) ++first;
  if (first == 0 || first == rows.size()) return 0;
  if (first == 5) return 1;
  // rows with one cell only are section labels, not headers
  while (first > 1) {
    const auto& row = rows[first - 1];
    if (std::count_if(row.begin(), row.end(), [](const std::string& cell) { return !cell.empty(); }) > 1) break;
    --first;
  }
  return static_cast<int>(first);
}

void Builder::fail(Error error) {
  if (failed_) return;
  failed_ = true;
  error_ = std::move(error);
}

void Builder::too_deep() {
  fail(Error(ErrorCode::too_large, fmt::format("the document is nested deeper than {} levels; simplify it", limits_.max_depth)));
}

void Builder::add(Block block) {
  if (failed_) return;
  bool is_table = block.kind == BlockKind::table;
  if (is_table ? block.rows.empty() : block.text.empty()) return;
  if (block.page == 0) block.page = page_;
  if (block.sheet.empty()) block.sheet = sheet_;
  text_bytes_ += block.text.size();
  for (const auto& row : block.rows) {
    cells_ += row.size();
    for (const std::string& cell : row) text_bytes_ += cell.size();
  }
  auto& blocks = reading_.document.blocks;
  if (blocks.size() >= limits_.max_blocks) {
    fail(Error(ErrorCode::too_large, fmt::format("the document has more than {} paragraphs; split it", limits_.max_blocks)));
  } else if (text_bytes_ > limits_.max_text_bytes) {
    fail(Error(ErrorCode::too_large, fmt::format("the document has more than {} MiB of text; split it", limits_.max_text_bytes >> 20)));
  } else if (cells_ > limits_.max_cells) {
    fail(Error(ErrorCode::too_large, fmt::format("the document has more than {} table cells; split it", limits_.max_cells)));
  } else {
    blocks.push_back(std::move(block));
  }
}

void Builder::add(BlockKind kind, std::string text, int level) {
  Block block;
  block.kind = kind;
  block.level = level;
  block.text = std::move(text);
  add(std::move(block));
}

void Builder::warn(std::string warning) {
  constexpr std::size_t max_warnings = 100;
  auto& warnings = reading_.document.warnings;
  if (warnings.size() < max_warnings) warnings.push_back(clean_line(warning));
}

Result<Reading> Builder::take(Format format) {
  if (failed_) return error_;
  ParsedDocument& document = reading_.document;
  document.media_type = media_type(format);
  document.title = clean_line(document.title);
  if (document.blocks.empty() && reading_.attachments.empty() && document.warnings.empty()) {
    return Error(ErrorCode::malformed_input, "there is no text in the document");
  }
  return std::move(reading_);
}

}  // namespace heng::formats
