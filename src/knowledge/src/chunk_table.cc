#include "chunk_table.h"

#include <algorithm>

#include "heng/base/text.h"

namespace heng::knowledge {
namespace {

using Row = std::vector<std::string>;

bool blank(const std::string& cell) { return text::trim(cell).empty(); }

bool is_symbol_only(std::string_view cell) {
  return cell == "$" || cell == ")" || cell == "%" || cell == "€" || cell == "£" || cell == "¥" || cell == ")%" || cell == "(";
}

/// "$" | "3,991" stand in cells of their own in many PDF tables: glued to the number they belong to.
void glue_symbols(Row& row) {
  for (std::size_t i = 0; i < row.size(); ++i) {
    const std::string cell(text::trim(row[i]));
    if (!is_symbol_only(cell)) continue;
    const bool leading = cell == "$" || cell == "€" || cell == "£" || cell == "¥" || cell == "(";
    if (leading && i + 1 < row.size() && !blank(row[i + 1])) {
      row[i + 1] = cell + std::string(text::trim(row[i + 1]));
      row[i].clear();
    } else if (!leading && i > 0 && !blank(row[i - 1])) {
      row[i - 1] = std::string(text::trim(row[i - 1])) + cell;
      row[i].clear();
    }
  }
}

bool is_figure(std::string_view cell) {
  int digits = 0, letters = 0;
  for (const char c : cell) {
    if (c >= '0' && c <= '9') ++digits;
    else if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80) ++letters;
  }
  const bool year = digits == 4 && (cell.starts_with("19") || cell.starts_with("20")) && cell.size() <= 6;
  return digits > 0 && letters <= 3 && !year;
}

int guessed_header_rows(const std::vector<Row>& rows) {
  int header = 0;
  for (; header < 3 && header + 1 < static_cast<int>(rows.size()); ++header) {
    const auto& row = rows[static_cast<std::size_t>(header)];
    if (std::any_of(row.begin(), row.end(), [](const auto& c) { return is_figure(text::trim(c)); })) break;
    const auto filled = std::count_if(row.begin(), row.end(), [](const auto& c) { return !blank(c); });
    // a lone first cell is a section's label, not a header
    if (header > 0 && filled == 1 && !blank(row[0])) break;
  }
  return std::max(header, 1);
}

std::string line(const Row& row, const std::vector<bool>& keep) {
  std::string out = "|";
  for (std::size_t i = 0; i < keep.size(); ++i) {
    if (!keep[i]) continue;
    out.push_back(' ');
    if (i < row.size())
      for (const char c : text::trim(row[i])) {
        if (c == '|') out += "\\|";
        else out.push_back(c == '\n' ? ' ' : c);
      }
    out += " |";
  }
  return out;
}

}  // namespace

std::vector<TablePart> split_table(const Block& block, const ChunkSettings& settings) {
  std::vector<Row> rows = block.rows;
  std::size_t columns = 0;
  for (auto& row : rows) {
    glue_symbols(row);
    columns = std::max(columns, row.size());
  }
  std::erase_if(rows, [](const Row& row) { return std::all_of(row.begin(), row.end(), blank); });
  if (rows.empty()) return {};
  std::vector<bool> keep(columns, false);
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i)
      if (!blank(row[i])) keep[i] = true;
  int header_rows = block.header_rows > 0 ? block.header_rows : guessed_header_rows(rows);
  header_rows = std::min(header_rows, static_cast<int>(rows.size()));
  if (header_rows == static_cast<int>(rows.size()) && rows.size() > 1) header_rows = 1;

  std::string header;
  const auto kept = std::count(keep.begin(), keep.end(), true);
  for (int i = 0; i < header_rows; ++i) {
    header += line(rows[static_cast<std::size_t>(i)], keep) + "\n";
    if (i == 0) {
      header += "|";
      for (std::ptrdiff_t c = 0; c < kept; ++c) header += "---|";
      header += "\n";
    }
  }
  int header_tokens = estimated_tokens(header) - static_cast<int>(kept) * 3;
  if (header_tokens > settings.target_tokens) {  // no header at all, a wide table of text
    header = std::string(cut_to_tokens(header, settings.target_tokens / 2)) + "\n";
    header_tokens = settings.target_tokens / 2;
  }

  std::vector<TablePart> parts;
  const double total = static_cast<double>(rows.size());
  std::string section, body, part_section;
  int tokens = header_tokens;
  std::size_t first = 0;
  const auto close = [&](std::size_t end) {
    if (body.empty()) return;
    body.pop_back();
    parts.push_back({header + body, part_section, static_cast<double>(first) / total, static_cast<double>(end) / total});
    body.clear();
    tokens = header_tokens;
    first = end;
    part_section = section;
  };
  for (std::size_t i = static_cast<std::size_t>(header_rows); i < rows.size(); ++i) {
    std::string text = line(rows[i], keep);
    const int cost = std::max(1, estimated_tokens(text) - static_cast<int>(kept) / 2);
    if (!body.empty() && tokens + cost > settings.most_tokens) close(i);
    const auto filled = std::count_if(rows[i].begin(), rows[i].end(), [](const auto& c) { return !blank(c); });
    if (filled == 1 && !rows[i].empty() && !blank(rows[i][0])) section = std::string(text::trim(rows[i][0]));
    if (cost > settings.most_tokens) {  // one enormous row
      std::string_view rest = text;
      while (!rest.empty()) {
        const auto piece = cut_to_tokens(rest, settings.most_tokens - std::min(header_tokens, settings.target_tokens / 2));
        if (piece.empty()) break;
        body = std::string(piece) + "\n";
        rest.remove_prefix(piece.size());
        close(rest.empty() ? i + 1 : i);
      }
      continue;
    }
    body += text + "\n";
    tokens += cost;
  }
  close(rows.size());
  if (parts.empty()) {
    while (!header.empty() && header.back() == '\n') header.pop_back();
    parts.push_back({header, "", 0, 1});
  }
  return parts;
}

}  // namespace heng::knowledge
