#include <algorithm>
#include <array>
#include <vector>

#include "charset.h"
#include "heng/base/text.h"
#include "readers.h"

namespace heng::formats {
namespace {

using Rows = std::vector<std::vector<std::string>>;

// RFC 4180 with any delimiter; a quote inside an unquoted field is taken as it stands. Stops after `max_rows`.
Rows split(std::string_view text, char delimiter, std::size_t max_rows) {
  Rows rows;
  std::vector<std::string> row;
  std::string field;
  bool quoted = false, was_quoted = false;
  auto end_field = [&] {
    row.push_back(std::move(field));
    field.clear();
    was_quoted = false;
  };
  auto end_row = [&] {
    end_field();
    if (row.size() > 1 || !row[0].empty()) rows.push_back(std::move(row));
    row.clear();
  };
  for (std::size_t i = 0; i < text.size() && rows.size() < max_rows; ++i) {
    char c = text[i];
    if (quoted) {
      if (c != '"') field += c;
      else if (i + 1 < text.size() && text[i + 1] == '"') field += text[++i];
      else quoted = false;
    } else if (c == '"' && field.empty() && !was_quoted) {
      quoted = was_quoted = true;
    } else if (c == delimiter) {
      end_field();
    } else if (c == '\n') {
      end_row();
    } else if (c != '\r') {
      field += c;
    }
  }
  if ((!field.empty() || !row.empty()) && rows.size() < max_rows) end_row();
  return rows;
}

// The delimiter that gives most rows the same number of fields, above one.
char sniff(std::string_view text) {
  constexpr std::array delimiters = {',', '\t', ';', '|'};
  char best = ',';
  double best_score = 0;
  for (char delimiter : delimiters) {
    Rows rows = split(text.substr(0, 32 << 10), delimiter, 50);
    if (rows.empty()) continue;
    std::vector<std::size_t> widths;
    for (const auto& row : rows) widths.push_back(row.size());
    std::sort(widths.begin(), widths.end());
    std::size_t usual = widths[widths.size() / 2];
    double same = static_cast<double>(std::count(widths.begin(), widths.end(), usual)) / static_cast<double>(widths.size());
    double score = usual < 2 ? 0 : same + 0.02 * static_cast<double>(std::min<std::size_t>(usual, 10));
    if (score > best_score) best = delimiter, best_score = score;
  }
  return best;
}

}  // namespace

void read_csv(const std::string& name, std::string_view bytes, Builder& builder) {
  std::string utf8 = to_utf8(bytes, "");
  bool tabs = name.size() > 4 && text::equals_ci(name.substr(name.size() - 4), ".tsv");
  Block block;
  block.kind = BlockKind::table;
  block.rows = split(utf8, tabs ? '\t' : sniff(utf8), builder.limits().max_cells);
  for (auto& row : block.rows) {
    for (std::string& cell : row) cell = clean_line(cell);
  }
  std::erase_if(block.rows, [](const auto& row) {
    return std::all_of(row.begin(), row.end(), [](const std::string& cell) { return cell.empty(); });
  });
  block.header_rows = guess_header_rows(block.rows);
  // by custom the first line names the columns, even where no figure follows
  if (block.header_rows == 0 && block.rows.size() > 1 &&
      std::none_of(block.rows[0].begin(), block.rows[0].end(), [](const std::string& cell) { return is_figure(cell) && !is_year(cell); })) {
    block.header_rows = 1;
  }
  builder.add(std::move(block));
}

}  // namespace heng::formats
