#pragma once

#include <optional>
#include <string>
#include <vector>

#include "heng/contracts/knowledge.h"

namespace heng::pipeline {

/// A figure of a table row, with where it stands.
struct Cell {
  int passage = 0;          ///< From 1, as in [n].
  std::string label;        ///< First cell of the row.
  std::string column;       ///< Header of the column, all header rows joined.
  std::string text;         ///< As written: "3,991", "(660)".
  std::string number;       ///< Plain for the calculator: "3991", "-660".
  std::string row;          ///< The whole line, verbatim.
  double match = 0;         ///< How well label and document fit the question.
};

/// Cells of the passages' tables whose row label fits `metric` and whose column names `period`, best first.
std::vector<Cell> find_cells(const std::vector<Passage>& passages, const std::string& metric, const std::string& period,
                             const std::string& question);

/// The one cell whose row and column the question names ("三年期的利率", "net revenue in 2015"), leaving nothing it asks for
/// unnamed; none where it is not certain.
std::optional<Cell> named_cell(const std::vector<Passage>& passages, const std::string& question);

/// "(660)" → "-660", "3,991" → "3991", "$ 5,506" → "5506"; "" where the cell is no plain number.
std::string plain_number(std::string_view cell);

/// "million", "thousand", "亿元", "万元" … as stated in the context, heading or text of the passage; "" where none is.
std::string table_scale(const Passage& passage);

}  // namespace heng::pipeline
