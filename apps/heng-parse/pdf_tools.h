#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "heng/base/result.h"
#include "heng/parse/sandbox.h"

namespace heng::parse_program {

struct PdfText {
  std::string layout;  ///< Of pdftotext -bbox-layout.
  std::string fonts;   ///< Of pdftohtml -xml; empty where it failed.
};

/// Poppler's programs at work on one document, each confined for itself. Started before this process confines itself and
/// before it reads a byte of the document beyond its first line; then only read from.
class PdfTools {
 public:
  /// Errors: unavailable (a program cannot be started).
  static Result<PdfTools> start(const std::string& pdftotext, const std::string& pdftohtml, std::string_view document,
                                int max_pages, parse::Lacking lacking);
  PdfTools(PdfTools&&) noexcept;
  ~PdfTools();

  /// Waits for them. Errors: unsupported (password), malformed_input (not a readable PDF), too_large, deadline_exceeded.
  Result<PdfText> finish(std::size_t max_bytes);

 private:
  struct Impl;
  explicit PdfTools(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace heng::parse_program
