#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "builder.h"

namespace heng::formats {

/// A table with spanning cells, row by row. A cell's text is repeated in every place that it spans, so that each row and
/// column can be read by itself; a cell over the whole width stands once.
class Grid {
 public:
  explicit Grid(std::size_t max_cells) : max_cells_(max_cells) {}

  void start_row();
  void start_cell(int columns, int rows, bool header);
  void end_cell(std::string text);
  /// As start_cell and end_cell.
  void add_cell(std::string text, int columns, int rows, bool header);
  /// The cell continues the one above it.
  void continue_cell(int columns);
  /// The row is a header by its own account.
  void mark_header() { marked_header_ = true; }

  /// Adds the table; single cells and single rows as paragraphs. Signs in cells of their own ("$", "%", ")") are put to
  /// their figures, empty columns dropped.
  void emit(Builder& builder);

 private:
  struct Span {
    std::string text;
    int rows = 0;
  };
  void finish_row();
  void fill(std::string text, int columns, int rows);
  void take_spans();
  void join_signs(std::size_t columns);
  void drop_empty_columns(std::size_t columns);

  std::size_t max_cells_;
  std::vector<std::vector<std::string>> rows_;
  std::vector<Span> spans_;              // by column, from the rows above
  std::size_t cells_ = 0, header_rows_ = 0;
  int columns_ = 1, span_rows_ = 1;      // of the cell begun
  std::size_t row_cells_ = 0;
  bool row_open_ = false, all_header_ = true, marked_header_ = false;
};

}  // namespace heng::formats
