#pragma once

#include <string_view>
#include <vector>

#include "heng/base/result.h"

namespace heng::guard_injection {

/// The encoder stage: a small network over a text's vector, and how its log-odds and those of the n-grams are joined.
class EncoderHead {
 public:
  /// `bytes`: from "ENC1" on, as train/encoder.py writes it. Errors: corrupt.
  static Result<EncoderHead> read(std::string_view bytes);
  std::size_t dimensions() const { return mean_.size(); }
  /// Probability of an attack. `vector`: dimensions() floats.
  double probability(double gram_odds, const std::vector<float>& vector, bool chinese) const;
  double threshold() const { return join_[4]; }

 private:
  std::vector<float> mean_, inverse_, hidden_, hidden_bias_, output_;
  float output_bias_ = 0;
  float join_[5] = {};  ///< Weight of the n-grams, of the encoder, offset for Latin and for Chinese texts, threshold.
};

}  // namespace heng::guard_injection
