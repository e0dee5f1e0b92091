#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "heng/base/result.h"

namespace heng::insight_bert {

struct TuneSettings {
  int epochs = 4;
  /// The rates fall to nothing, and training ends, by then even if epochs are left (0: no limit). A slow machine trains less.
  double minutes = 10;
  int batch = 16;                      ///< Texts.
  int frozen = 0;                      ///< Lowest layers that are not trained; the table of word pieces never is.
  int longest = 96;                    ///< Word pieces of a text that are read: the first three quarters and the last quarter of them.
  double encoder_rate = 1.5e-4, head_rate = 1e-3;
  double layer_decay = 0.85;           ///< Each layer below the last learns at this share of the rate of the one above it.
  double dropout = 0.1;
  double label_smoothing = 0.05;
  double decay = 0.01;                 ///< Weight decay (AdamW).
  double average = 0.995;              ///< Exponential moving average of the weights; 0: none.
  int threads = 2;
  std::uint64_t seed = 1;
};

/// A BERT encoder trained together with a classifier over its states: attention pooling, one linear layer. Self-contained once
/// trained: the encoder's weights are part of it. Immutable; threads: safe.
class TextClassifier {
 public:
  struct Progress {
    std::int64_t step = 0, steps = 0;
    double loss = 0;                   ///< Running mean.
    double done = 0;                   ///< 0…1, of the epochs or of the time, whichever ends first.
  };
  /// Trains on the texts i with use[i] (empty: all). `encoder`: a GGUF file with a word-piece vocabulary.
  /// Errors: not_found, malformed_input, unsupported (the encoder's file), cancelled.
  static Result<std::unique_ptr<TextClassifier>> train(const std::filesystem::path& encoder, std::span<const std::string_view> texts, std::span<const int> labels,
                                                       const std::vector<bool>& use, int classes, const TuneSettings& settings, const std::function<void(const Progress&)>& progress, std::stop_token stop);
  ~TextClassifier();
  int classes() const;
  const std::string& encoder_sha256() const;
  /// texts × classes, uncalibrated log-odds.
  void logits(std::span<const std::string_view> texts, std::span<float> out, int threads) const;

  /// Appends the weights (f16) and sizes.
  void write(std::string& out) const;
  /// Errors: corrupt, unsupported (the processor lacks what this build needs).
  static Result<std::unique_ptr<TextClassifier>> read(std::string_view bytes);

 private:
  struct Parts;
  explicit TextClassifier(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

/// Whether a file can be tuned: a GGUF BERT encoder with a word-piece vocabulary and f16 or f32 weights.
bool can_be_tuned(const std::filesystem::path& encoder);

}  // namespace heng::insight_bert
