#include "pdf_lines.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "builder.h"
#include "heng/base/text.h"

namespace heng::formats::pdf {
namespace {

bool is_currency(std::string_view text) {
  constexpr std::array signs = {"$", "€", "£", "¥", "￥", "US$", "RMB", "HK$", "$ (", "($"};
  return std::find(signs.begin(), signs.end(), text) != signs.end();
}

bool is_tail(std::string_view text) { return text == "%" || text == ")" || text == ")%" || text == "％" || text == "pts" || text == "bp"; }

double overlap(double a0, double a1, double b0, double b1) { return std::min(a1, b1) - std::max(a0, b0); }

std::size_t column_of(const std::vector<Column>& columns, double x0, double x1) {
  std::size_t best = 0;
  double best_overlap = -1e9;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    double common = overlap(columns[i].x0, columns[i].x1, x0, x1);
    if (common > best_overlap + 0.01) best = i, best_overlap = common;
  }
  return best;
}

}  // namespace

Line make_line(const Page& page, const Row& row) {
  Line line{{}, row.x0, row.y0, row.x1, row.y1, row.cells, 0, 0};
  std::optional<Cell> currency;
  for (int index : row.cells) {
    const Segment& segment = page.segments[static_cast<std::size_t>(index)];
    Cell cell{segment.x0, segment.y0, segment.x1, segment.y1, segment.x0, segment.size, segment.text, false, false, index};
    // a currency sign of the next column sticks to the end of this figure
    std::string next_currency;
    for (std::string_view sign : {" $", " €", " £", " ¥"}) {
      if (cell.text.size() > sign.size() && cell.text.ends_with(sign)) {
        next_currency = sign.substr(1);
        cell.text.resize(cell.text.size() - sign.size());
        cell.x1 -= 1.2 * cell.size;
      }
    }
    if (currency) {
      cell.text = currency->text + cell.text;
      cell.x0 = currency->x0;
      currency.reset();
    }
    if (is_currency(cell.text)) {
      currency = cell;
    } else if (is_tail(cell.text) && !line.cells.empty() && line.cells.back().figure && cell.x0 - line.cells.back().x1 < 3 * cell.size) {
      line.cells.back().text += cell.text;
    } else {
      cell.year = is_year(cell.text);
      cell.figure = is_figure(cell.text);
      line.cells.push_back(cell);
    }
    if (!next_currency.empty()) {
      currency = cell;
      currency->text = next_currency;
      currency->x0 = cell.x1;
    }
  }
  if (currency) line.cells.push_back(*currency);
  for (const Cell& cell : line.cells) (cell.year ? line.years : line.figures) += cell.figure;
  return line;
}

bool has_column_figures(const Line& line) { return line.figures > 0 && (line.cells.size() > 1); }

std::vector<Column> figure_columns(const std::vector<Line>& lines, std::size_t begin, std::size_t end) {
  std::vector<Column> columns;
  for (std::size_t i = begin; i < end; ++i) {
    for (std::size_t c = 0; c < lines[i].cells.size(); ++c) {
      const Cell& cell = lines[i].cells[c];
      if (!cell.figure || (c == 0 && lines[i].cells.size() > 1 && cell.x0 < lines[i].x0 + 1 && !has_column_figures(lines[i]))) continue;
      Column* best = nullptr;
      for (Column& column : columns) {
        double common = overlap(column.x0, column.x1, cell.figure_x0, cell.x1);
        double narrow = std::min(column.x1 - column.x0, cell.x1 - cell.figure_x0);
        if (common > 0.4 * narrow || std::fabs(column.x1 - cell.x1) < 0.6 * cell.size) best = &column;
      }
      if (best == nullptr) {
        columns.push_back({cell.figure_x0, cell.x1, 1});
      } else {
        best->x0 = std::min(best->x0, cell.figure_x0);
        best->x1 = std::max(best->x1, cell.x1);
        ++best->members;
      }
    }
  }
  std::sort(columns.begin(), columns.end(), [](const Column& a, const Column& b) { return a.x0 < b.x0; });
  // columns that grew into each other are one
  std::vector<Column> merged;
  for (const Column& column : columns) {
    if (!merged.empty() && overlap(merged.back().x0, merged.back().x1, column.x0, column.x1) >
                               0.5 * std::min(merged.back().x1 - merged.back().x0, column.x1 - column.x0)) {
      merged.back().x1 = std::max(merged.back().x1, column.x1);
      merged.back().members += column.members;
    } else {
      merged.push_back(column);
    }
  }
  return merged;
}

void add_text_columns(const std::vector<Line>& lines, std::size_t begin, std::size_t end, std::vector<Column>& columns) {
  std::vector<Column> texts;
  for (std::size_t i = begin; i < end; ++i) {
    if (lines[i].cells.size() < 2) continue;
    for (const Cell& cell : lines[i].cells) {
      if (cell.figure) continue;
      bool taken = std::any_of(columns.begin(), columns.end(), [&](const Column& column) {
        return overlap(column.x0, column.x1, cell.x0, cell.x1) > 0.3 * (column.x1 - column.x0);
      });
      if (taken) continue;
      auto near = std::find_if(texts.begin(), texts.end(), [&](const Column& column) {
        return overlap(column.x0, column.x1, cell.x0, cell.x1) > 0;
      });
      if (near == texts.end()) {
        texts.push_back({cell.x0, cell.x1, 1});
      } else {
        near->x0 = std::min(near->x0, cell.x0);
        near->x1 = std::max(near->x1, cell.x1);
        ++near->members;
      }
    }
  }
  for (const Column& column : texts) {
    bool apart = std::none_of(columns.begin(), columns.end(), [&](const Column& other) {
      return overlap(other.x0, other.x1, column.x0, column.x1) > 0.5 * (column.x1 - column.x0);
    });
    if (apart) columns.push_back(column);
  }
  std::sort(columns.begin(), columns.end(), [](const Column& a, const Column& b) { return a.x0 < b.x0; });
}

void append(std::string& to, const std::string& text) {
  if (text.empty()) return;
  if (!to.empty() && !text::is_cjk(text::to_utf32(text)[0])) to += ' ';
  to += text;
}

std::vector<std::string> place_cells(const Line& line, const std::vector<Column>& columns) {
  std::vector<std::string> row(columns.size());
  for (const Cell& cell : line.cells) {
    std::size_t column = column_of(columns, cell.figure ? cell.figure_x0 : cell.x0, cell.x1);
    if (!cell.figure && !columns.empty() && cell.x0 < columns[0].x1) column = 0;
    append(row[column], cell.text);
  }
  return row;
}

std::vector<std::string> place_header(const std::vector<Line>& lines, std::size_t begin, std::size_t end,
                                      const std::vector<Column>& columns) {
  std::vector<std::string> row(columns.size());
  for (std::size_t i = begin; i < end; ++i) {
    for (std::size_t c = 0; c < lines[i].cells.size(); ++c) {
      const Cell& cell = lines[i].cells[c];
      // without neighbours, a centred title stands over all columns as far as it is from its nearest neighbours
      double left = c == 0 ? -1e9 : (lines[i].cells[c - 1].x1 + cell.x0) / 2;
      double right = c + 1 == lines[i].cells.size() ? 1e9 : (cell.x1 + lines[i].cells[c + 1].x0) / 2;
      bool any = false;
      double middle = (cell.x0 + cell.x1) / 2;
      std::size_t first_figure_column = columns.size() > 1 ? 1 : 0;
      bool alone = lines[i].cells.size() == 1 || (lines[i].cells.size() == 2 && c == 1 && lines[i].cells[0].x1 < columns[0].x1);
      if (alone && columns.size() > 2 && cell.x0 > columns[first_figure_column].x0 - 3 * cell.size) {
        double spread = (columns[first_figure_column].x0 + columns.back().x1) / 2;
        bool spans = std::fabs(middle - spread) < 0.15 * (columns.back().x1 - columns[first_figure_column].x0);
        if (spans) left = columns[first_figure_column].x0 - 1, right = 1e9;
        else left = cell.x0, right = cell.x1;
      } else {
        left = std::max(left, cell.x0 - 0.5 * (cell.x1 - cell.x0));
        right = std::min(right, cell.x1 + 0.5 * (cell.x1 - cell.x0));
      }
      for (std::size_t k = 0; k < columns.size(); ++k) {
        bool over = columns[k].centre() > left && columns[k].centre() < right && (k > 0 || cell.x0 < columns[0].x1);
        if (k == 0 && columns.size() > 1 && cell.x0 > columns[0].x1) over = false;
        if (over && (k == 0 || cell.x1 > columns[k].x0 - 1e-3 || alone || middle > columns[k - 1].x1)) {
          append(row[k], cell.text);
          any = true;
        }
      }
      if (!any) append(row[column_of(columns, cell.x0, cell.x1)], cell.text);
    }
  }
  return row;
}

}  // namespace heng::formats::pdf
