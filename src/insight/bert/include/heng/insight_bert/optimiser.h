#pragma once

#include <memory>
#include <vector>

#include "heng/insight_bert/layers.h"

namespace heng::insight_bert {

/// Floats that are not touched before they are written: what is not used costs no memory.
using Floats = std::unique_ptr<float[]>;

/// AdamW (Loshchilov, Hutter 2019) with clipping by the gradient's norm and a moving average of the weights.
class Optimiser {
 public:
  struct Settings {
    float encoder_rate = 0, head_rate = 0, decay = 0.01F, clip = 1.0F, average = 0;
  };
  Optimiser(const Layout& layout, const Settings& settings);

  /// Sets the gradients of what is trained to zero.
  void clear(float* grads) const;
  /// One step with the sum of the gradients; the shares, 0…1, scale the learning rates. encoder_share = 0: the encoder stays.
  void step(float* values, const std::vector<Floats>& grads, float head_share, float encoder_share);
  /// Copies the average over the weights (where there is one).
  void use_average(float* values) const;

 private:
  std::vector<Layout::Entry> trained_;
  Settings settings_;
  std::size_t first_ = 0, count_ = 0;
  std::vector<float> mean_, square_, average_;
  std::int64_t steps_ = 0;
};

}  // namespace heng::insight_bert
