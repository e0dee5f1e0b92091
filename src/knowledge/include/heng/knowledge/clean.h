#pragma once

#include <string>
#include <string_view>

#include "heng/contracts/document.h"

namespace heng::knowledge {

/// What cleaning took out, for the ingestion report.
struct CleanReport {
  int page_furniture = 0;      ///< Headers, footers and page numbers.
  int repeated_blocks = 0;     ///< The same paragraph word for word.
  int contents_lines = 0;      ///< Lines of a table of contents.
  int joined_paragraphs = 0;   ///< Paragraphs that ran over a page's end.
};

/// Removes what is not the document's content and mends what layout broke: page headers, footers and numbers (by their
/// repetition at page edges), tables of contents, repeated paragraphs, control and invisible characters, line ends inside
/// sentences (Chinese without, English with a space), hyphenated words, paragraphs cut by a page's end.
CleanReport clean(ParsedDocument& document);

/// Line ends and spaces of one paragraph mended; line ends before list marks stay.
std::string mend_lines(std::string_view text);

/// For the duplicate check: folded, without white space and punctuation.
std::string normalised_for_comparison(std::string_view text);

}  // namespace heng::knowledge
