#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "heng/base/result.h"
#include "heng/formats/reader.h"

namespace heng::formats::pdf {

struct Word {
  double x0 = 0, y0 = 0, x1 = 0, y1 = 0;  ///< Points from the page's top left corner.
  std::string text;
  bool bold = false;
};

/// Words that follow each other on a line without a wide gap: a line of prose, or a cell of a table.
struct Segment {
  double x0 = 0, y0 = 0, x1 = 0, y1 = 0;
  double size = 0;   ///< Height of a line of its font.
  int block = 0;     ///< Poppler's block, in its reading order.
  bool bold = false;
  std::string text;
  double centre() const { return (y0 + y1) / 2; }
};

struct Page {
  int number = 0;
  double width = 0, height = 0;
  std::vector<Segment> segments;  ///< In poppler's reading order.
};

struct Layout {
  std::string title;
  std::vector<Page> pages;
};

/// Reads `pdftotext -bbox-layout` and, for weights, `pdftohtml -xml`. Errors: malformed_input, too_large.
Result<Layout> read_layout(std::string_view layout, std::string_view fonts, const Limits& limits);

}  // namespace heng::formats::pdf
