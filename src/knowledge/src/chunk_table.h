#pragma once

#include <string>
#include <vector>

#include "heng/contracts/document.h"
#include "heng/knowledge/chunk.h"

namespace heng::knowledge {

/// Rows of a table as Markdown, with the header rows in front of each part.
struct TablePart {
  std::string text;
  std::string section;       ///< "Current assets:" when its rows go on from the part before.
  double from = 0, to = 1;   ///< Share of the rows.
};

std::vector<TablePart> split_table(const Block& block, const ChunkSettings& settings);

}  // namespace heng::knowledge
