#include "pdf_columns.h"

#include <algorithm>
#include <map>

namespace heng::formats::pdf {
namespace {

struct BlockShape {
  double x0 = 1e9, y0 = 1e9, x1 = 0, y1 = 0, widths = 0, last_width = 0;
  int lines = 0;
  std::size_t characters = 0;
};

// Lines of running text fill the width of their block; labels and figures do not.
bool is_running_text(const BlockShape& block, double page_width) {
  double width = block.x1 - block.x0;
  int full = block.lines - 1;  // the last line may be short
  return full >= 1 && width > 0.25 * page_width && width < 0.6 * page_width && block.widths - block.last_width > 0.7 * width * full &&
         block.characters > 22u * static_cast<std::size_t>(full);
}

}  // namespace

bool Columns::at(double y) const {
  return std::any_of(zones.begin(), zones.end(), [y](const auto& zone) { return y > zone.first && y < zone.second; });
}

Columns find_columns(const Page& page) {
  std::map<int, BlockShape> shapes;
  for (const Segment& segment : page.segments) {
    BlockShape& shape = shapes[segment.block];
    shape.x0 = std::min(shape.x0, segment.x0);
    shape.x1 = std::max(shape.x1, segment.x1);
    shape.y0 = std::min(shape.y0, segment.y0);
    shape.y1 = std::max(shape.y1, segment.y1);
    if (segment.text.size() <= 3) continue;  // bullets
    shape.last_width = segment.x1 - segment.x0;
    shape.widths += shape.last_width;
    shape.characters += segment.text.size();
    ++shape.lines;
  }
  std::vector<BlockShape> texts;
  for (const auto& [number, shape] : shapes) {
    if (is_running_text(shape, page.width)) texts.push_back(shape);
  }
  constexpr std::size_t too_many = 200;
  Columns columns;
  std::vector<double> gutters;
  for (std::size_t i = 0; i < texts.size() && texts.size() < too_many; ++i) {
    for (const BlockShape& right : texts) {
      const BlockShape& left = texts[i];
      bool beside = left.x1 < right.x0 && std::min(left.y1, right.y1) - std::max(left.y0, right.y0) > 5;
      if (beside) gutters.push_back((left.x1 + right.x0) / 2);
    }
  }
  if (gutters.empty()) return columns;
  std::nth_element(gutters.begin(), gutters.begin() + static_cast<std::ptrdiff_t>(gutters.size() / 2), gutters.end());
  columns.gutter = gutters[gutters.size() / 2];
  // short texts beside each other are cells
  constexpr int least_lines = 6;
  int left_lines = 0, right_lines = 0;
  for (const BlockShape& text : texts) (text.x1 <= columns.gutter ? left_lines : right_lines) += text.lines;
  if (left_lines < least_lines || right_lines < least_lines) return {};
  std::vector<std::pair<double, double>> spans;
  for (const BlockShape& text : texts) {
    if (text.x1 <= columns.gutter || text.x0 >= columns.gutter) spans.emplace_back(text.y0 - 2, text.y1 + 2);
  }
  std::sort(spans.begin(), spans.end());
  constexpr double paragraph_gap = 30;
  for (const auto& span : spans) {
    if (!columns.zones.empty() && span.first < columns.zones.back().second + paragraph_gap) {
      columns.zones.back().second = std::max(columns.zones.back().second, span.second);
    } else {
      columns.zones.push_back(span);
    }
  }
  return columns;
}

SplitRows split_rows(const Page& page, std::vector<Row> rows, const Columns& columns) {
  SplitRows split;
  for (Row& row : rows) {
    auto segment = [&](int index) -> const Segment& { return page.segments[static_cast<std::size_t>(index)]; };
    bool crosses = std::any_of(row.cells.begin(), row.cells.end(), [&](int cell) {
      return segment(cell).x0 < columns.gutter - 3 && segment(cell).x1 > columns.gutter + 3;
    });
    if (!columns.any() || crosses || !columns.at((row.y0 + row.y1) / 2)) {
      split.whole.push_back(std::move(row));
      continue;
    }
    for (std::vector<Row>* side : {&split.left, &split.right}) {
      Row part{{}, 1e9, 1e9, 0, 0};
      for (int cell : row.cells) {
        bool left = (segment(cell).x0 + segment(cell).x1) / 2 < columns.gutter;
        if (left != (side == &split.left)) continue;
        part.cells.push_back(cell);
        part.x0 = std::min(part.x0, segment(cell).x0);
        part.x1 = std::max(part.x1, segment(cell).x1);
        part.y0 = std::min(part.y0, segment(cell).y0);
        part.y1 = std::max(part.y1, segment(cell).y1);
      }
      if (!part.cells.empty()) side->push_back(std::move(part));
    }
  }
  return split;
}

}  // namespace heng::formats::pdf
