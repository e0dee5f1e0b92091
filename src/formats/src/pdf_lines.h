#pragma once

#include <string>
#include <vector>

#include "pdf_table.h"
#include "pdf_words.h"

namespace heng::formats::pdf {

struct Cell {
  double x0 = 0, y0 = 0, x1 = 0, y1 = 0;
  double figure_x0 = 0;  ///< Without a currency sign that stands at the left of its column.
  double size = 0;
  std::string text;
  bool figure = false, year = false;
  int first_segment = 0;
};

struct Line {
  std::vector<Cell> cells;
  double x0 = 0, y0 = 0, x1 = 0, y1 = 0;
  std::vector<int> segments;
  int figures = 0;   ///< Cells that are figures and no years.
  int years = 0;
};

struct Column {
  double x0 = 0, x1 = 0;
  int members = 0;
  double centre() const { return (x0 + x1) / 2; }
};

/// Joins what belongs to one figure: "$" with what follows it, "%" with what it follows.
Line make_line(const Page& page, const Row& row);

bool has_column_figures(const Line& line);

/// Columns of the figures of lines [begin, end), by the place of their right edge; from left to right.
std::vector<Column> figure_columns(const std::vector<Line>& lines, std::size_t begin, std::size_t end);
/// Adds columns of texts that stand beside the figures: labels, notes, names.
void add_text_columns(const std::vector<Line>& lines, std::size_t begin, std::size_t end, std::vector<Column>& columns);

/// One cell per column.
std::vector<std::string> place_cells(const Line& line, const std::vector<Column>& columns);
/// Lines [begin, end) as one row: words of a header go to every column that they stand over.
std::vector<std::string> place_header(const std::vector<Line>& lines, std::size_t begin, std::size_t end,
                                      const std::vector<Column>& columns);

/// Puts text behind what is in a cell, with a space where the script has them.
void append(std::string& to, const std::string& text);

}  // namespace heng::formats::pdf
