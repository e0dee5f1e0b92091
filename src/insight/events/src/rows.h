#pragma once

#include <vector>

#include "heng/insight_events/rows.h"
#include "network.h"
#include "bert.h"

namespace heng::insight_events {

/// A part of a text that the encoder reads at once.
struct Chunk {
  std::vector<Piece> pieces;
  std::vector<std::int32_t> ids;             ///< Of the pieces, between [CLS] and [SEP].
};

/// The text in parts of at most `limit` pieces, cut behind a sentence's end where there is one.
std::vector<Chunk> chunks(const WordPiece& words, std::u32string_view text, std::size_t limit);

/// Types by how often they are, roles as they come; all that the rows hold.
Schema schema_of(const std::vector<EventRow>& rows);

/// The row as examples, one per chunk that a trigger lies in (and those without). `lost` counts mentions that cannot be
/// shown to the network: not at a piece's edge, too long, or in another chunk than their trigger.
std::vector<Example> examples_of(const EventRow& row, const Schema& schema, const WordPiece& words, std::size_t limit, int& lost);

}  // namespace heng::insight_events
