#pragma once

#include "decode.h"
#include "heng/insight_events/model.h"
#include "bert.h"

namespace heng::insight_events {

/// A chunk's tokens besides [CLS] and [SEP]; with these it fits the encoder's 512 positions.
inline constexpr std::size_t chunk_limit = 480;

struct EventModel::Parts {
  Parts(const NetworkShape& shape, const Schema& schema, std::vector<std::string> vocabulary_of)
      : network(shape, schema), vocabulary(std::move(vocabulary_of)), words(vocabulary), values(new float[network.layout().size()]()) {}

  Network network;
  std::vector<std::string> vocabulary;
  WordPiece words;
  Floats values;
  ShortMatrices shorts;                      ///< Made by prepare_to_read.
  Pass pass() const { return {.values = values.get(), .grads = nullptr, .random = nullptr, .dropout = 0, .shorts = &shorts}; }
  Decisions decisions;
  ModelCard card;
};

/// One file: "HENGEVT1", size of the header, header (JSON), weights as f16, sha256 of all before it. Written beside `path`
/// first, so that a broken write leaves the old file. Error: internal (cannot write), storage_full.
Result<void> save(const EventModel::Parts& parts, const std::filesystem::path& path);
Result<std::unique_ptr<EventModel::Parts>> load_parts(const std::filesystem::path& path);

/// Rounds the weights as the file does, so that what is measured is what is loaded later.
void round_to_file(EventModel::Parts& parts);

/// Makes the integer forms of the large layers from the weights.
void prepare_to_read(EventModel::Parts& parts);

/// The decoded events in characters of the text.
std::vector<Event> to_events(const EventModel::Parts& parts, std::u32string_view text, const std::vector<Piece>& pieces, const std::vector<DecodedEvent>& events);

/// See EventModel::extract.
Result<ExtractionOutcomes> extract(const EventModel::Parts& model, const std::vector<TextItem>& items, double minimum_confidence, int threads, std::stop_token stop);

}  // namespace heng::insight_events
