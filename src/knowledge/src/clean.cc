#include "heng/knowledge/clean.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "folding.h"
#include "heng/base/text.h"
#include "marks.h"

namespace heng::knowledge {
namespace {

constexpr std::size_t longest_furniture_bytes = 240;
constexpr int edge_blocks = 3;

bool is_invisible(char32_t c) {
  return (c < 0x20 && c != '\n' && c != '\t') || c == 0x7F || (c >= 0x80 && c < 0xA0) || c == 0xAD || c == 0x200B || c == 0x200C ||
         c == 0x200D || c == 0x200E || c == 0x200F || c == 0x2060 || c == 0xFEFF || (c >= 0xE000 && c <= 0xF8FF);
}

std::string visible(std::string_view s) {
  std::string out;
  out.reserve(s.size());
  for (std::size_t i = 0; i < s.size();) {
    const char32_t c = text::next(s, i);
    if (c == '\r') continue;
    if (!is_invisible(c)) text::append(out, c == '\t' ? U' ' : c);
  }
  return out;
}

std::string single_spaced(std::string_view line) {
  std::string out;
  for (std::size_t i = 0; i < line.size();) {
    const char32_t c = text::next(line, i);
    if (text::is_space(c) || c == 0xA0 || c == 0x3000) {
      if (!out.empty() && out.back() != ' ') out.push_back(' ');
    } else {
      text::append(out, c);
    }
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

char32_t last_char(std::string_view s) {
  if (s.empty()) return 0;
  std::size_t i = s.size() - 1;
  while (i > 0 && (static_cast<unsigned char>(s[i]) & 0xC0) == 0x80) --i;
  return text::next(s, i);
}
char32_t first_char(std::string_view s) {
  if (s.empty()) return 0;
  std::size_t i = 0;
  return text::next(s, i);
}

bool wide(char32_t c) { return class_of(c) == CharClass::cjk || (c >= 0x3000 && c <= 0x303F) || (c >= 0xFF00 && c <= 0xFFEF) || c == U'“' || c == U'”' || c == U'…'; }
bool lower_latin(char32_t c) { return c >= 'a' && c <= 'z'; }

void join_line(std::string& out, std::string_view line) {
  if (out.empty()) {
    out = line;
    return;
  }
  const char32_t last = last_char(out), first = first_char(line);
  if (wide(last) || wide(first)) {
    if (wide(last) != wide(first) && (class_of(last) == CharClass::letter || class_of(first) == CharClass::letter)) out.push_back(' ');
  } else if (last == '-' && out.size() > 1 && lower_latin(static_cast<unsigned char>(out[out.size() - 2])) && lower_latin(first)) {
    out.pop_back();
  } else {
    out.push_back(' ');
  }
  out += line;
}

/// A key under which the header of page 12 and that of page 13 are the same: digits as #, no spaces.
std::string furniture_key(const Block& block) {
  if (!block.rows.empty() || block.text.size() > longest_furniture_bytes) return {};
  std::vector<FoldedChar> chars;
  fold(block.text, chars);
  std::string out;
  for (const auto& c : chars) {
    if (c.kind == CharClass::digit) {
      if (out.empty() || out.back() != '#') out.push_back('#');
    } else if (c.kind != CharClass::other) {
      text::append(out, c.c);
    }
  }
  return out;
}

struct Edge {
  std::size_t block = 0;
  int page = 0;
};

std::vector<Edge> page_edges(const std::vector<Block>& blocks) {
  std::vector<Edge> out;
  for (std::size_t i = 0; i < blocks.size();) {
    std::size_t end = i;
    while (end < blocks.size() && blocks[end].page == blocks[i].page) ++end;
    for (std::size_t b = i; b < end; ++b)
      if (b < i + edge_blocks || b + edge_blocks >= end) out.push_back({b, blocks[b].page});
    i = end;
  }
  return out;
}

void drop_furniture(ParsedDocument& document, CleanReport& report) {
  auto& blocks = document.blocks;
  std::vector<bool> drop(blocks.size());
  for (std::size_t i = 0; i < blocks.size(); ++i) drop[i] = blocks[i].kind == BlockKind::header || blocks[i].kind == BlockKind::footer;
  const auto edges = page_edges(blocks);
  std::unordered_map<std::string, std::unordered_set<int>> pages_of;
  std::unordered_set<int> all_pages;
  for (const auto& block : blocks) all_pages.insert(block.page);
  for (const auto& edge : edges) {
    const auto key = furniture_key(blocks[edge.block]);
    if (!key.empty()) pages_of[key].insert(edge.page);
  }
  const auto enough = std::max<std::size_t>(3, all_pages.size() * 3 / 10);
  for (const auto& edge : edges) {
    if (edge.page == 0 || drop[edge.block]) continue;
    const auto key = furniture_key(blocks[edge.block]);
    const bool repeated = all_pages.size() >= 4 && !key.empty() && key != "#" && pages_of[key].size() >= enough;
    if (repeated || (blocks[edge.block].rows.empty() && marks::is_page_number(blocks[edge.block].text))) drop[edge.block] = true;
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    if (drop[i]) {
      ++report.page_furniture;
    } else {
      if (kept != i) blocks[kept] = std::move(blocks[i]);
      ++kept;
    }
  }
  blocks.resize(kept);
}

bool is_contents_table(const Block& block, int pages) {
  int numbered = 0, last = 0, others = 0;
  for (const auto& row : block.rows) {
    std::string_view cell;
    for (const auto& c : row)
      if (!text::trim(c).empty()) cell = text::trim(c);
    const bool digits = !cell.empty() && cell.size() <= 4 && std::all_of(cell.begin(), cell.end(), [](char c) { return c >= '0' && c <= '9'; });
    const int number = digits ? std::atoi(std::string(cell).c_str()) : 0;
    if (digits && number >= last && number <= pages + 20) {
      ++numbered;
      last = number;
    } else {
      ++others;
    }
  }
  return numbered >= 8 && numbered >= others * 3;
}

void drop_contents(ParsedDocument& document, CleanReport& report) {
  for (auto& block : document.blocks) {
    if (block.kind == BlockKind::code) continue;
    if (!block.rows.empty()) {
      if (document.pages >= 10 && is_contents_table(block, document.pages)) {
        report.contents_lines += static_cast<int>(block.rows.size());
        block.rows.clear();
        block.kind = BlockKind::paragraph;
      }
      continue;
    }
    if (block.text.find("....") == std::string::npos && block.text.find("……") == std::string::npos &&
        block.text.find(". . . .") == std::string::npos && block.text.find("····") == std::string::npos)
      continue;
    std::string out;
    for (const auto line : text::split(block.text, '\n')) {
      if (marks::is_contents_line(line)) {
        ++report.contents_lines;
        continue;
      }
      if (!out.empty()) out.push_back('\n');
      out += line;
    }
    block.text = std::move(out);
  }
}

bool ends_sentence(char32_t c) {
  return std::u32string_view(U".!?:;。！？：；”\"’)）】]…").find(c) != std::u32string_view::npos;
}

bool continues(const Block& before, const Block& after) {
  if (before.kind != BlockKind::paragraph || after.kind != BlockKind::paragraph) return false;
  if (before.page == 0 || after.page != before.page + 1 || before.text.size() < 60 || after.text.empty()) return false;
  if (ends_sentence(last_char(before.text)) || marks::starts_with_mark(after.text)) return false;
  const char32_t first = first_char(after.text);
  return lower_latin(first) || (class_of(first) == CharClass::cjk && class_of(last_char(before.text)) == CharClass::cjk);
}

void join_over_pages(std::vector<Block>& blocks, CleanReport& report) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    if (kept > 0 && continues(blocks[kept - 1], blocks[i])) {
      join_line(blocks[kept - 1].text, blocks[i].text);
      auto& boxes = blocks[kept - 1].boxes;
      boxes.insert(boxes.end(), blocks[i].boxes.begin(), blocks[i].boxes.end());
      ++report.joined_paragraphs;
      continue;
    }
    if (kept != i) blocks[kept] = std::move(blocks[i]);
    ++kept;
  }
  blocks.resize(kept);
}

void drop_repeated(std::vector<Block>& blocks, CleanReport& report) {
  std::unordered_set<std::string> seen;
  std::erase_if(blocks, [&](const Block& block) {
    if (block.rows.empty() && text::trim(block.text).empty()) return true;
    // short lines repeat for good reasons ("Not applicable")
    if (!block.rows.empty() || block.kind == BlockKind::heading || block.text.size() < 160) return false;
    if (seen.insert(block.text).second) return false;
    ++report.repeated_blocks;
    return true;
  });
}

}  // namespace

std::string mend_lines(std::string_view source) {
  const std::string whole = visible(source);
  std::string out, current;
  for (const auto line : text::split(whole, '\n')) {
    const std::string spaced = single_spaced(line);
    if (spaced.empty()) continue;
    if (!current.empty() && (marks::starts_with_mark(spaced) || ends_sentence(last_char(current)))) {
      if (!out.empty()) out.push_back('\n');
      out += current;
      current = spaced;
    } else {
      join_line(current, spaced);
    }
  }
  if (!out.empty() && !current.empty()) out.push_back('\n');
  return out + current;
}

CleanReport clean(ParsedDocument& document) {
  CleanReport report;
  document.title = single_spaced(visible(document.title));
  drop_furniture(document, report);
  drop_contents(document, report);
  for (auto& block : document.blocks) {
    for (auto& row : block.rows)
      for (auto& cell : row) cell = mend_lines(cell);
    if (block.kind == BlockKind::code) {
      block.text = visible(block.text);
    } else {
      block.text = mend_lines(block.text);
    }
  }
  drop_repeated(document.blocks, report);
  join_over_pages(document.blocks, report);
  return report;
}

std::string normalised_for_comparison(std::string_view source) {
  std::vector<FoldedChar> chars;
  fold(source, chars);
  std::string out;
  for (const auto& c : chars)
    if (c.kind != CharClass::other) text::append(out, c.c);
  return out;
}

}  // namespace heng::knowledge
