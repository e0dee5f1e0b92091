#include "fuzz_format.h"

// The part after a zero byte is what pdftohtml would print.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view all(reinterpret_cast<const char*>(data), size);
  std::size_t cut = std::min(all.find('\0'), all.size());
  heng::formats::Limits limits = heng::formats::small_limits();
  heng::formats::check(heng::formats::read_pdf_layout(all.substr(0, cut), all.substr(std::min(cut + 1, all.size())), limits));
  return 0;
}
