#pragma once

#include <string>
#include <vector>

#include "heng/base/result.h"
#include "heng/contracts/knowledge.h"

namespace heng {

enum class BlockKind { heading, paragraph, list_item, table, code, header, footer, caption };

/// One piece of a parsed document, in reading order.
struct Block {
  BlockKind kind = BlockKind::paragraph;
  int level = 0;                                  ///< Of a heading, from 1; of a list item, its depth.
  std::string text;                               ///< Valid UTF-8. Empty for tables.
  std::vector<std::vector<std::string>> rows;     ///< Of a table; merged cells repeated or empty; first rows may be headers.
  int header_rows = 0;                            ///< How many of `rows` are header rows (0: unknown).
  int page = 0;                                   ///< From 1; 0 where the format has no pages. Sheet or slide number for XLSX, PPTX.
  std::string sheet;                              ///< Sheet or slide title.
  std::vector<PageBox> boxes;
};

struct ParsedDocument {
  std::string title;
  std::string media_type;                         ///< "application/pdf" …, as detected from the bytes.
  int pages = 0;
  std::vector<Block> blocks;
  std::vector<std::string> warnings;              ///< "page 3 has no text (a scan?)".
};

/// The port to the document parser. Errors: malformed_input, unsupported, too_large (says which limit), deadline_exceeded.
class DocumentParser {
 public:
  virtual ~DocumentParser() = default;
  /// `name` only helps to tell the format; the bytes decide. Thread-safe; blocks.
  virtual Result<ParsedDocument> parse(const std::string& name, const std::string& bytes) = 0;
};

}  // namespace heng
