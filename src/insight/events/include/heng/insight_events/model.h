#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "heng/base/result.h"
#include "heng/contracts/insight.h"

namespace heng::insight_events {

/// The longest text that is read, in characters. It is read in parts of a few hundred; an event lies within one part.
inline constexpr std::size_t longest_text = 1000000;

/// What a model file says of itself.
struct ModelCard {
  std::string task;
  std::vector<std::string> types, roles;
  std::vector<std::pair<std::string, double>> settings, metrics;
  std::string data_sha256;             ///< Of the training files.
  std::string encoder_sha256;          ///< Of the embedding model it was grown from; its weights are in the file.
  std::int64_t rows = 0;
  std::int64_t trained_ms = 0;
};

/// A trained joint event extractor: encoder, convolutions, pointers (see README). Immutable, thread-safe.
class EventModel {
 public:
  /// Errors: not_found, corrupt (checksum, or the file ends early), unsupported (format version, processor without AVX2).
  static Result<std::unique_ptr<EventModel>> load(const std::filesystem::path& path);
  /// Only what the file says of itself, without its weights. Errors as for `load`.
  static Result<ModelCard> card_of(const std::filesystem::path& path);
  ~EventModel();

  const ModelCard& card() const;
  /// Events of each text, in order; `threads` ≥ 1 work on them. Empty, too long and non-UTF-8 texts carry their own error.
  /// Error of the whole call: cancelled.
  Result<ExtractionOutcomes> extract(const std::vector<TextItem>& items, double minimum_confidence, int threads, std::stop_token stop) const;

  struct Parts;
  explicit EventModel(std::unique_ptr<Parts> parts);

 private:
  std::unique_ptr<Parts> parts_;
};

}  // namespace heng::insight_events
