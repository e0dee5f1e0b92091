#include "grid.h"

#include <algorithm>
#include <array>

namespace heng::formats {
namespace {

bool is_currency(const std::string& text) {
  return text == "$" || text == "€" || text == "£" || text == "¥" || text == "￥" || text == "US$" || text == "HK$" || text == "(" || text == "$(";
}
bool is_tail(const std::string& text) { return text == ")" || text == "%" || text == ")%" || text == "%)"; }

}  // namespace

void Grid::take_spans() {
  while (row_open_ && rows_.back().size() < spans_.size() && spans_[rows_.back().size()].rows > 0) {
    Span& span = spans_[rows_.back().size()];
    --span.rows;
    rows_.back().push_back(span.text);
    ++cells_;
  }
}

void Grid::finish_row() {
  if (!row_open_) return;
  take_spans();
  // cells that span from above, behind what the row holds
  while (rows_.back().size() < spans_.size() && cells_ < max_cells_) {
    Span& span = spans_[rows_.back().size()];
    rows_.back().push_back(span.rows > 0 ? (--span.rows, span.text) : "");
  }
  if (row_cells_ == 0) {
    rows_.pop_back();
  } else if ((all_header_ || marked_header_) && header_rows_ + 1 == rows_.size()) {
    ++header_rows_;
  }
  row_open_ = false;
}

void Grid::start_row() {
  finish_row();
  if (cells_ >= max_cells_) return;
  rows_.emplace_back();
  row_open_ = true;
  row_cells_ = 0;
  all_header_ = true;
  marked_header_ = false;
}

void Grid::start_cell(int columns, int rows, bool header) {
  if (!row_open_) start_row();
  columns_ = columns;
  span_rows_ = rows;
  all_header_ = all_header_ && header;
}

void Grid::end_cell(std::string text) { fill(std::move(text), columns_, span_rows_); }

void Grid::fill(std::string text, int columns, int rows) {
  if (!row_open_) return;
  ++row_cells_;
  take_spans();
  for (int i = 0; i < columns && cells_ < max_cells_; ++i) {
    std::size_t column = rows_.back().size();
    if (spans_.size() <= column) spans_.resize(column + 1);
    if (rows > 1) spans_[column] = {text, rows - 1};
    rows_.back().push_back(text);
    ++cells_;
  }
}

void Grid::add_cell(std::string text, int columns, int rows, bool header) {
  start_cell(columns, rows, header);
  end_cell(std::move(text));
}

void Grid::continue_cell(int columns) {
  if (!row_open_) return;
  ++row_cells_;
  for (int i = 0; i < columns && cells_ < max_cells_; ++i, ++cells_) {
    std::size_t column = rows_.back().size();
    bool above = rows_.size() > 1 && column < rows_[rows_.size() - 2].size();
    rows_.back().push_back(above ? rows_[rows_.size() - 2][column] : "");
  }
}

void Grid::join_signs(std::size_t columns) {
  for (std::size_t r = header_rows_; r < rows_.size(); ++r) {
    auto& row = rows_[r];
    for (std::size_t c = 0; c + 1 < columns; ++c) {
      // signs repeated by a spanning cell stand for one
      std::size_t next = c + 1;
      while (next < columns && (row[next].empty() || row[next] == row[c]) && next < c + 3) ++next;
      if (is_currency(row[c]) && next < columns && is_figure(row[next])) {
        row[next] = row[c] + row[next];
        for (std::size_t k = c; k < next; ++k) row[k].clear();
      }
    }
    for (std::size_t c = 1; c < columns; ++c) {
      if (is_tail(row[c]) && is_figure(row[c - 1])) {
        row[c - 1] += row[c];
        row[c].clear();
      }
    }
  }
}

void Grid::drop_empty_columns(std::size_t columns) {
  for (std::size_t c = columns; c-- > 0;) {
    bool body_empty = std::all_of(rows_.begin() + static_cast<std::ptrdiff_t>(header_rows_), rows_.end(),
                                  [c](const auto& row) { return row[c].empty(); });
    // a header's words that stand over an empty column stand over its neighbour too
    bool header_doubled = body_empty;
    for (std::size_t r = 0; r < header_rows_ && header_doubled; ++r) {
      const auto& row = rows_[r];
      header_doubled = row[c].empty() || (c > 0 && row[c] == row[c - 1]) || (c + 1 < row.size() && row[c] == row[c + 1]);
    }
    if (!header_doubled) continue;
    for (auto& row : rows_) row.erase(row.begin() + static_cast<std::ptrdiff_t>(c));
  }
}

void Grid::emit(Builder& builder) {
  finish_row();
  std::size_t columns = 0;
  for (const auto& row : rows_) columns = std::max(columns, row.size());
  if (columns * rows_.size() > max_cells_ * 4 || cells_ >= max_cells_) {
    builder.fail(Error(ErrorCode::too_large, "a table has more cells than is allowed; split it"));
    return;
  }
  for (auto& row : rows_) row.resize(columns);
  std::erase_if(rows_, [](const auto& row) { return std::all_of(row.begin(), row.end(), [](const std::string& cell) { return cell.empty(); }); });
  header_rows_ = std::min(header_rows_, rows_.size());
  if (header_rows_ == rows_.size()) header_rows_ = 0;
  if (header_rows_ == 0) header_rows_ = static_cast<std::size_t>(guess_header_rows(rows_));
  join_signs(columns);
  drop_empty_columns(columns);
  // a spanning cell in the body that fills its row is a label
  for (auto& row : rows_) {
    if (row.size() > 1 && std::all_of(row.begin() + 1, row.end(), [&](const std::string& cell) { return cell == row[0]; })) {
      std::fill(row.begin() + 1, row.end(), "");
    }
  }
  if (rows_.empty() || rows_[0].empty()) return;
  if (rows_[0].size() == 1 || rows_.size() == 1) {
    for (const auto& row : rows_) {
      std::string text;
      for (const std::string& cell : row) text += (text.empty() || cell.empty() ? "" : " ") + cell;
      builder.add(BlockKind::paragraph, text);
    }
    return;
  }
  Block block;
  block.kind = BlockKind::table;
  block.header_rows = static_cast<int>(header_rows_);
  block.rows = std::move(rows_);
  builder.add(std::move(block));
}

}  // namespace heng::formats
