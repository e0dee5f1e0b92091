#pragma once

#include <string>
#include <vector>

#include "pdf_words.h"

namespace heng::formats::pdf {

/// Segments of a page at one height, from left to right.
struct Row {
  std::vector<int> cells;        ///< Indexes into Page::segments.
  double x0 = 0, y0 = 0, x1 = 0, y1 = 0;
};

struct Table {
  std::vector<std::vector<std::string>> rows;
  int header_rows = 0;
  std::vector<std::string> captions;     ///< Units that stood in its header ("(In millions, except per share amounts)").
  std::vector<PageBox> boxes;            ///< One per row.
  double x0 = 0, y0 = 0, x1 = 0, y1 = 0;
};

/// Rows of a page from top to bottom.
std::vector<Row> make_rows(const Page& page);

/// Finds tables by the alignment of figures (financial statements) and of short texts. Marks the segments they use in `used`.
/// `area_x0`, `area_x1`: the sides of the text column that the rows are of.
std::vector<Table> find_tables(const Page& page, const std::vector<Row>& rows, double area_x0, double area_x1, std::vector<bool>& used);

/// "(In millions, except per share amounts)", "单位：元": says in what a table's figures are.
bool is_units_line(std::string_view text);

}  // namespace heng::formats::pdf
