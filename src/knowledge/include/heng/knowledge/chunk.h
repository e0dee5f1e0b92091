#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "heng/contracts/document.h"

namespace heng::knowledge {

struct ChunkSettings {
  int target_tokens = 260;    ///< A chunk of running text is closed when it reaches this.
  int most_tokens = 380;      ///< No chunk is longer (embedding models stop at 512, with title and headings in front).
  int fewest_tokens = 48;     ///< A section shorter than this takes the next one of its level with it.
};

/// A piece of a document for indexing and citing.
struct Chunk {
  std::string text;                 ///< Tables: Markdown rows with the header rows repeated.
  std::string heading;              ///< "Fees > Foreign transactions".
  std::string context;              ///< A table's caption, units and sheet.
  int page = 0, page_last = 0;
  std::vector<PageBox> boxes;
  bool is_table = false;
};

/// Cuts a cleaned document by its structure: headings; 第…条 of Chinese laws and numbered rules one by one; tables by rows;
/// long text at sentence ends.
std::vector<Chunk> chunk(const ParsedDocument& document, const ChunkSettings& settings = {});

/// Upper estimate of the tokens an embedding model makes of the text (Han 1, Latin words by length, digits one by two).
int estimated_tokens(std::string_view text);

/// The text that is embedded for a chunk: title, headings and context in front, cut to what the model takes.
std::string embedding_text(std::string_view title, std::string_view heading, std::string_view context, std::string_view text,
                           int most_tokens = 460);

/// Prefix of `text` of about `tokens` estimated tokens, at a character boundary.
std::string_view cut_to_tokens(std::string_view text, int tokens);

}  // namespace heng::knowledge
