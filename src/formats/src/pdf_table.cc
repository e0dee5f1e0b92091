#include "pdf_table.h"

#include <algorithm>
#include <cmath>

#include "builder.h"
#include "headings.h"
#include "heng/base/text.h"
#include "pdf_lines.h"

namespace heng::formats::pdf {
namespace {

// A region of lines [begin, end) that is a table, of which [begin, body) is its header.
struct Region {
  std::size_t begin = 0, body = 0, end = 0;
};

class RegionFinder {
 public:
  RegionFinder(const std::vector<Line>& lines, double x0, double x1) : lines_(lines), x0_(x0), x1_(x1), width_(x1 - x0) {}

  std::vector<Region> find() const {
    std::vector<Region> regions;
    std::size_t free_from = 0;
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      if (!has_column_figures(lines_[i])) continue;
      std::size_t end = grow(i);
      if (good(i, end)) {
        Region region{header_begin(i, free_from), i, end};
        regions.push_back(region);
        free_from = end;
        i = end - 1;
      }
    }
    return regions;
  }

  // Lines of two and more short texts that begin at the same places: tables of names, addresses, terms.
  std::vector<Region> find_texts(const std::vector<Region>& taken) const {
    std::vector<bool> free(lines_.size(), true);
    for (const Region& region : taken) std::fill(free.begin() + static_cast<std::ptrdiff_t>(region.begin), free.begin() + static_cast<std::ptrdiff_t>(region.end), false);
    std::vector<Region> regions;
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      if (!free[i] || lines_[i].cells.size() < 2) continue;
      std::size_t end = i + 1, last = i, many = 1;
      for (; end < lines_.size() && free[end] && gap(end - 1, end) < 1.6 * size(end); ++end) {
        if (lines_[end].cells.size() > 1) {
          if (!starts_align(lines_[i], lines_[end])) break;
          last = end;
          ++many;
        } else if (is_paragraph_line(lines_[i], lines_[end]) || !continues_cell(lines_[i], lines_[end]) || end - last > 6) {
          break;
        }
      }
      end = last + 1;
      if (many >= 2 && !is_column_prose(i, end)) regions.push_back({i, i, end});
      i = end - 1;
    }
    return regions;
  }

 private:
  static bool aligned(const Cell& a, const Cell& b) {
    return std::fabs(a.x0 - b.x0) < 4 || std::fabs(a.x1 - b.x1) < 4 || std::fabs(a.x0 + a.x1 - b.x0 - b.x1) < 6;
  }

  static bool starts_align(const Line& first, const Line& line) {
    std::size_t matches = 0;
    for (const Cell& cell : line.cells) {
      matches += std::any_of(first.cells.begin(), first.cells.end(), [&](const Cell& other) { return aligned(cell, other); });
    }
    return matches >= 2 || (matches == 1 && line.cells.size() == 2 && first.cells.size() == 2);
  }

  // A long line that begins where the first column does.
  bool is_paragraph_line(const Line& first, const Line& line) const {
    return line.x1 - line.x0 > 0.55 * width_ && line.x0 < first.cells[1].x0 - 10;
  }

  static bool continues_cell(const Line& first, const Line& line) {
    return std::any_of(first.cells.begin(), first.cells.end(), [&](const Cell& other) { return aligned(line.cells[0], other); }) &&
           heading_level(line.cells[0].text, 1, 1.0, false) == 0 && line.cells[0].text.find("适用") == std::string::npos;
  }

  // Columns of running text fill their width line by line.
  bool is_column_prose(std::size_t begin, std::size_t end) const {
    std::size_t wide = 0, lines = 0;
    for (std::size_t i = begin; i < end; ++i) {
      if (lines_[i].cells.size() < 2) continue;
      ++lines;
      const Cell& a = lines_[i].cells[0];
      const Cell& b = lines_[i].cells[1];
      wide += std::min(a.x1 - a.x0, b.x1 - b.x0) > 0.2 * width_;
    }
    return wide * 2 >= lines;
  }

  double size(std::size_t i) const { return std::max(4.0, lines_[i].cells.empty() ? lines_[i].y1 - lines_[i].y0 : lines_[i].cells[0].size); }
  double gap(std::size_t above, std::size_t below) const { return lines_[below].y0 - lines_[above].y1; }

  double first_figure_x(std::size_t i) const {
    for (const Cell& cell : lines_[i].cells) {
      if (cell.figure && cell.x0 > lines_[i].x0 + 1) return cell.x0;
    }
    return x1_;
  }

  bool is_prose(std::size_t i, double figures_x) const {
    const Line& line = lines_[i];
    return line.cells.size() == 1 && line.x1 > figures_x + 2 * size(i) && line.x1 - line.x0 > 0.45 * width_;
  }

  // From a line with figures downwards while lines with figures follow closely enough.
  std::size_t grow(std::size_t begin) const {
    std::size_t end = begin + 1;
    double figures_x = first_figure_x(begin);
    std::size_t quiet = 0;
    for (std::size_t i = begin + 1; i < lines_.size(); ++i) {
      if (gap(i - 1, i) > 3.5 * size(i) || is_prose(i, figures_x)) break;
      bool figures = has_column_figures(lines_[i]) || lines_[i].years > 1 || (lines_[i].figures == 1 && lines_[i].x0 > figures_x - 3 * size(i));
      if (figures) {
        end = i + 1;
        quiet = 0;
        figures_x = std::min(figures_x, std::max(first_figure_x(i), x0_ + width_ * 0.2));
      } else {
        quiet += lines_[i].x1 < figures_x ? 1 : 3;
        if (quiet > 9) break;
      }
    }
    while (end < lines_.size() && goes_on_below(begin, end, figures_x)) ++end;
    return end;
  }

  // The last label may go on below its figures.
  bool goes_on_below(std::size_t begin, std::size_t end, double figures_x) const {
    const Line& line = lines_[end];
    if (line.figures > 0 || is_prose(end, figures_x) || is_title(end, figures_x)) return false;
    const std::string& text = line.cells[0].text;
    if (line.cells.size() == 1 && std::islower(static_cast<unsigned char>(text[0]))) return gap(end - 1, end) < 0.15 * size(end) && line.x1 < figures_x;
    if (text::language_of(text) != text::Language::chinese || gap(end - 1, end) > 0.45 * size(end)) return false;
    double edge = 0;
    for (std::size_t i = begin; i < end; ++i) {
      const Cell& label = lines_[i].cells[0];
      if (!label.figure && label.x1 < figures_x) edge = std::max(edge, label.x1);
    }
    // text beside the labels belongs to a cell that is broken; a label does if the one above it is full
    return line.x0 > edge || (lines_[end - 1].cells[0].x1 > edge - size(end) && line.x1 < figures_x);
  }

  bool good(std::size_t begin, std::size_t end) const {
    int with_figures = 0, with_many = 0;
    for (std::size_t i = begin; i < end; ++i) {
      with_figures += has_column_figures(lines_[i]);
      with_many += lines_[i].figures > 1;
    }
    if (with_figures < 2 && with_many < 1) return false;
    std::vector<Column> columns = figure_columns(lines_, begin, end);
    int most = 0;
    for (const Column& column : columns) most = std::max(most, column.members);
    return most >= 2 || with_many >= 1;
  }

  // A title over the whole page, a numbered heading or a mark ("□适用 √不适用") ends the table upwards.
  bool is_title(std::size_t i, double figures_x) const {
    const Line& line = lines_[i];
    if (line.cells.size() != 1 || is_units_line(line.cells[0].text)) return false;
    double off_centre = std::fabs((line.x0 + line.x1) / 2 - (x0_ + x1_) / 2);
    bool figures_centred = std::fabs((figures_x + line.x1) / 2 - (x0_ + x1_) / 2) < 0.04 * width_;
    if (off_centre < 0.06 * width_ && line.x0 < figures_x - size(i)) return true;
    if (off_centre < 0.02 * width_ && !figures_centred) return true;
    const std::string& text = line.cells[0].text;
    return text.find("适用") != std::string::npos || (line.x0 < figures_x && heading_level(text, 1, 1.0, false) > 0);
  }

  // Upwards from the first line with figures: years, dates, column titles, units.
  std::size_t header_begin(std::size_t body, std::size_t free_from) const {
    double figures_x = first_figure_x(body);
    for (std::size_t i = body; i < std::min(body + 8, lines_.size()); ++i) figures_x = std::min(figures_x, first_figure_x(i));
    std::size_t begin = body, quiet = 0;
    for (std::size_t i = body; i-- > free_from && body - i < 12;) {
      if (gap(i, i + 1) > 2.2 * size(i) || is_prose(i, figures_x) || is_title(i, figures_x)) break;
      const Line& line = lines_[i];
      double reach = figures_x - 4 * size(i);
      bool above_figures = line.cells.back().x0 > reach || (line.cells.size() == 1 && line.x0 > reach - 4 * size(i));
      if (is_units_line(line.cells.back().text)) above_figures = true;
      if (above_figures) {
        begin = i;
        quiet = 0;
      } else if (line.cells.size() > 1) {
        begin = i;
      } else if (++quiet > 3) {
        break;
      }
    }
    return begin;
  }

  const std::vector<Line>& lines_;
  double x0_, x1_, width_;  // of the text column
};

class TableMaker {
 public:
  TableMaker(const Page& page, std::vector<Line> lines, const Region& region) : page_(page), lines_(std::move(lines)), region_(region) {}

  Table make() {
    take_units();
    move_labels_to_body();
    columns_ = figure_columns(lines_, region_.body, region_.end);
    std::erase_if(columns_, [](const Column& column) { return column.members < 1; });
    add_text_columns(lines_, region_.body, region_.end, columns_);
    move_years_to_header();
    bounds();
    add_header();
    add_body();
    return std::move(table_);
  }

 private:
  // Units do not belong into a column's title.
  void take_units() {
    for (std::size_t i = region_.begin; i < region_.end; ++i) {
      std::erase_if(lines_[i].cells, [&](const Cell& cell) {
        if (!is_units_line(cell.text)) return false;
        table_.captions.push_back(cell.text);
        return true;
      });
    }
  }

  // Labels below the column titles ("Current assets:") belong to the rows that follow.
  void move_labels_to_body() {
    double figures_x = 1e9;
    for (std::size_t i = region_.body; i < region_.end; ++i) {
      for (std::size_t c = 1; c < lines_[i].cells.size(); ++c) {
        if (lines_[i].cells[c].figure) figures_x = std::min(figures_x, lines_[i].cells[c].x0);
      }
    }
    auto is_label = [&](const Line& line) { return line.cells.empty() || (line.cells.size() == 1 && line.cells[0].x1 < figures_x); };
    while (region_.body > region_.begin && is_label(lines_[region_.body - 1])) --region_.body;
  }

  void move_years_to_header() {
    while (region_.body + 1 < region_.end && lines_[region_.body].years > 0 && lines_[region_.body].figures == 0) ++region_.body;
  }

  void bounds() {
    table_.x0 = 1e9, table_.y0 = 1e9;
    for (std::size_t i = region_.begin; i < region_.end; ++i) {
      table_.x0 = std::min(table_.x0, lines_[i].x0);
      table_.x1 = std::max(table_.x1, lines_[i].x1);
      table_.y0 = std::min(table_.y0, lines_[i].y0);
      table_.y1 = std::max(table_.y1, lines_[i].y1);
    }
  }

  void push(std::vector<std::string> row, double y0, double y1) {
    table_.rows.push_back(std::move(row));
    table_.boxes.push_back({page_.number, table_.x0, y0, table_.x1, y1, page_.width, page_.height});
  }

  void add_header() {
    if (region_.begin == region_.body) return;
    std::vector<std::string> row = place_header(lines_, region_.begin, region_.body, columns_);
    if (std::all_of(row.begin(), row.end(), [](const std::string& cell) { return cell.empty(); })) return;
    push(std::move(row), lines_[region_.begin].y0, lines_[region_.body - 1].y1);
    table_.header_rows = 1;
  }

  static bool only_label(const std::vector<std::string>& row) {
    return !row[0].empty() && std::all_of(row.begin() + 1, row.end(), [](const std::string& cell) { return cell.empty(); });
  }

  static bool goes_on(const std::string& above, const std::string& below) {
    if (above.empty() || below.empty()) return false;
    if (std::islower(static_cast<unsigned char>(below[0]))) return true;
    for (std::string_view end : {" of", " and", " or", " to", " for", " the", " in", " from", " on", ",", "、", "，", "（", "("}) {
      if (above.ends_with(end)) return true;
    }
    return false;
  }

  void add_body() {
    if (columns_.empty()) return;
    if (columns_.size() > 1 && labels_are_chinese()) return add_chinese_body();
    for (std::size_t i = region_.body; i < region_.end; ++i) {
      if (lines_[i].cells.empty()) continue;
      std::vector<std::string> row = place_cells(lines_[i], columns_);
      bool first = table_.rows.size() == static_cast<std::size_t>(table_.header_rows);
      if (!first && joins_above(i, row)) {
        auto& above = table_.rows.back();
        for (std::size_t c = 0; c < row.size(); ++c) append(above[c], row[c]);
        table_.boxes.back().y1 = lines_[i].y1;
      } else {
        push(std::move(row), lines_[i].y0, lines_[i].y1);
      }
    }
  }

  // Where labels break: the right edge that several of them share, or the rightmost.
  double label_edge() const {
    std::vector<double> edges;
    for (std::size_t i = region_.body; i < region_.end; ++i) {
      const Line& line = lines_[i];
      if (!line.cells.empty() && !line.cells[0].figure && line.cells[0].x0 < columns_[0].x1) edges.push_back(line.cells[0].x1);
    }
    std::sort(edges.rbegin(), edges.rend());
    double near = 2 * (lines_[region_.body].y1 - lines_[region_.body].y0);
    for (std::size_t i = 0; i + 1 < edges.size() && edges[0] - edges[i] < near; ++i) {
      if (edges[i] - edges[i + 1] < 2) return edges[i];
    }
    return edges.empty() ? 0 : edges[0];
  }

  bool labels_are_chinese() const {
    int chinese = 0, all = 0;
    for (std::size_t i = region_.body; i < region_.end; ++i) {
      if (lines_[i].cells.empty() || lines_[i].cells[0].figure) continue;
      ++all;
      chinese += text::language_of(lines_[i].cells[0].text) == text::Language::chinese;
    }
    return chinese * 2 > all;
  }

  static bool bracket_open(const std::string& text) {
    std::size_t open = std::max(text.rfind("（") + 1, text.rfind('(') + 1), close = std::max(text.rfind("）") + 1, text.rfind(')') + 1);
    return open > close;
  }

  // Chinese text breaks only where its cell is full, so a label that reaches the edge goes on below, wherever the figures
  // of the row stand.
  void add_chinese_body() {
    double edge = label_edge();
    bool open = false, figures = false, full = false;
    bool columns_are_texts = std::none_of(lines_.begin() + static_cast<std::ptrdiff_t>(region_.body), lines_.begin() + static_cast<std::ptrdiff_t>(region_.end),
                                          [](const Line& line) { return line.figures > 0; });
    for (std::size_t i = region_.body; i < region_.end; ++i) {
      const Line& line = lines_[i];
      if (line.cells.empty()) continue;
      std::vector<std::string> row = place_cells(line, columns_);
      bool label = !row[0].empty();
      bool line_figures = line.figures > 0 || (columns_are_texts && label && line.cells.size() > 1);
      double size = line.cells[0].size;
      bool close = open && line.y0 - table_.boxes.back().y1 < 0.6 * size;
      bool joins = close && !(figures && line_figures) && (label ? full : (line_figures || line.y0 < table_.boxes.back().y1 + 0.45 * size));
      if (joins) {
        auto& above = table_.rows.back();
        for (std::size_t c = 0; c < row.size(); ++c) append(above[c], row[c]);
        table_.boxes.back().y1 = std::max(table_.boxes.back().y1, line.y1);
      } else {
        push(std::move(row), line.y0, line.y1);
        figures = false;
        full = false;
      }
      open = true;
      figures |= line_figures;
      if (label) full = line.cells[0].x1 > edge - 0.9 * size || bracket_open(table_.rows.back()[0]);
    }
  }

  // A label broken over lines: its figures stand beside the first, the last or (centred) a middle line.
  bool joins_above(std::size_t i, const std::vector<std::string>& row) const {
    const auto& above = table_.rows.back();
    double between = lines_[i].y0 - table_.boxes.back().y1;
    double size = lines_[i].y1 - lines_[i].y0;
    if (between > 0.45 * size) return false;
    bool no_label = row[0].empty();
    if (no_label && (only_label(above) || lines_[i].figures == 0)) return between < (lines_[i].figures == 0 ? 0.45 : 0.1) * size;
    if (only_label(row)) return goes_on(above[0], row[0]) && between < 0.45 * size && !above[0].ends_with(":");
    return only_label(above) && goes_on(above[0], row[0]) && !above[0].ends_with(":") && !above[0].ends_with("：");
  }

  const Page& page_;
  std::vector<Line> lines_;
  Region region_;
  std::vector<Column> columns_;
  Table table_;
};

}  // namespace

bool is_units_line(std::string_view text) {
  if (text.size() > 160) return false;
  std::string low = text::lower(text);
  auto has = [&](std::string_view word) { return low.find(word) != std::string::npos; };
  if (has("单位") && (has(":") || has("："))) return true;
  if (has("币种") && (has(":") || has("："))) return true;
  bool scale = has("million") || has("thousand") || has("billion") || has("in dollars") || has("percentages");
  return scale && (low.starts_with("(") || low.starts_with("in ") || low.starts_with("dollars in") || low.starts_with("($") ||
                   low.starts_with("amounts in") || low.starts_with("(amounts"));
}

std::vector<Row> make_rows(const Page& page) {
  std::vector<int> order(page.segments.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int>(i);
  auto segment = [&](int index) -> const Segment& { return page.segments[static_cast<std::size_t>(index)]; };
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return segment(a).centre() < segment(b).centre(); });
  std::vector<Row> rows;
  double last_centre = -1e9;
  for (int index : order) {
    const Segment& piece = segment(index);
    double common = rows.empty() ? 0 : std::min(rows.back().y1, piece.y1) - std::max(rows.back().y0, piece.y0);
    bool joins = !rows.empty() && piece.centre() - last_centre < 0.35 * (piece.y1 - piece.y0) &&
                 common > 0.5 * std::min(piece.y1 - piece.y0, rows.back().y1 - rows.back().y0);
    if (!joins) {
      rows.push_back({{}, piece.x0, piece.y0, piece.x1, piece.y1});
      last_centre = piece.centre();
    }
    Row& row = rows.back();
    row.cells.push_back(index);
    row.x0 = std::min(row.x0, piece.x0);
    row.x1 = std::max(row.x1, piece.x1);
    row.y0 = std::min(row.y0, piece.y0);
    row.y1 = std::max(row.y1, piece.y1);
  }
  for (Row& row : rows) std::sort(row.cells.begin(), row.cells.end(), [&](int a, int b) { return segment(a).x0 < segment(b).x0; });
  return rows;
}

std::vector<Table> find_tables(const Page& page, const std::vector<Row>& rows, double area_x0, double area_x1, std::vector<bool>& used) {
  std::vector<Line> lines;
  for (const Row& row : rows) lines.push_back(make_line(page, row));
  std::erase_if(lines, [](const Line& line) { return line.cells.empty(); });
  std::vector<Table> tables;
  RegionFinder finder(lines, area_x0, area_x1);
  std::vector<Region> regions = finder.find();
  for (const Region& region : finder.find_texts(regions)) regions.push_back(region);
  for (const Region& region : regions) {
    Table table = TableMaker(page, lines, region).make();
    if (table.rows.size() < 2 || table.rows[0].size() < 2) continue;
    for (std::size_t i = region.begin; i < region.end; ++i) {
      for (int segment : lines[i].segments) used[static_cast<std::size_t>(segment)] = true;
    }
    tables.push_back(std::move(table));
  }
  return tables;
}

}  // namespace heng::formats::pdf
