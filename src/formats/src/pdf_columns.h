#pragma once

#include <utility>
#include <vector>

#include "pdf_table.h"
#include "pdf_words.h"

namespace heng::formats::pdf {

/// Where a page sets its text in two columns.
struct Columns {
  double gutter = 0;                               ///< Between the columns; 0: one column.
  std::vector<std::pair<double, double>> zones;    ///< Heights, top to bottom, at which there are columns.
  bool any() const { return gutter > 0; }
  bool at(double y) const;
};

Columns find_columns(const Page& page);

/// Rows over the whole width, then those of the left and of the right column.
struct SplitRows {
  std::vector<Row> whole, left, right;
};
SplitRows split_rows(const Page& page, std::vector<Row> rows, const Columns& columns);

}  // namespace heng::formats::pdf
