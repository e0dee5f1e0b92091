#pragma once

#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "heng/base/result.h"
#include "heng/insight_events/evaluation.h"
#include "heng/insight_events/model.h"

namespace heng::insight_events {

struct TrainSettings {
  int layers = 3;                      ///< Of the encoder that are used; 0: all. An embedding model's last layer serves its pooled vector.
  int frozen = 1;                      ///< The lowest ones that are not trained.
  /// The rates fall to nothing, and training ends, by then even if epochs are left (0: no limit). A slow machine trains less.
  double minutes = 17;
  int head_epochs = 5;                 ///< First, with the encoder as it came: cheap, and gives its later training a direction.
  int epochs = 8;                      ///< Then, with the encoder's upper layers.
  int batch = 8;                       ///< Sentences.
  double encoder_rate = 1.5e-4, head_rate = 1e-3;
  double dropout = 0.1;
  double decay = 0.01;                 ///< Weight decay (AdamW).
  double average = 0.995;              ///< Exponential moving average of the weights; 0: none.
  int tune_tenths = 1;                 ///< Tenths of the rows kept for choosing thresholds and calibration.
  int threads = 2;
  std::uint64_t seed = 1;
  std::filesystem::path start;         ///< An earlier model with the same types, roles and sizes to go on from; empty: none.
};

struct TrainProgress {
  int epoch = 0, epochs = 0;
  std::int64_t step = 0, steps = 0;
  double loss = 0;                     ///< Running mean.
  std::string note;                    ///< "reading", "training", "tuning".
};

struct TrainReport {
  Evaluation tuning;                   ///< On the rows that thresholds were chosen on.
  Evaluation holdout;                  ///< On `holdout`; sentences = 0 where there is none.
  double seconds = 0;                  ///< The whole training.
  double sentences_per_second = 0;     ///< Reading the tuning rows (or the holdout) with `threads`.
  std::int64_t rows = 0;
  int lost_mentions = 0;               ///< That the network could not be shown.
};

/// Trains on `rows` and writes `out`. Which rows are for tuning is decided by a hash of their text, so that the same rows
/// are split the same way. Errors: invalid_argument (settings; fewer than 20 rows; a type with a single example is named),
/// not_found and unsupported (the encoder's file), cancelled, internal (cannot write).
Result<TrainReport> train_events(const std::string& task, const std::vector<EventRow>& rows, const std::vector<EventRow>& holdout,
                                 const std::string& data_sha256, const std::filesystem::path& encoder, const std::filesystem::path& out,
                                 const TrainSettings& settings, const std::function<void(const TrainProgress&)>& progress, std::stop_token stop);

/// 0…9, from a hash of the text: rows with 0 … tune_tenths−1 are kept for tuning.
int tenth_of(const std::string& content);

}  // namespace heng::insight_events
