#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "heng/base/text.h"
#include "heng/guard/figures.h"

/// Any bytes give figures in order, inside the text, each saying what stands there.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto figures = heng::guard::extract_figures(text);
  if (figures.empty()) return 0;
  const auto wide = heng::text::to_utf32(text);
  std::size_t last = 0;
  for (const auto& figure : figures) {
    if (figure.begin < last || figure.end <= figure.begin || figure.end > wide.size()) std::abort();
    if (heng::text::from_utf32(std::u32string_view(wide).substr(figure.begin, figure.end - figure.begin)) != figure.text) std::abort();
    last = figure.begin;
  }
  return 0;
}
