#pragma once

#include <vector>

#include "heng/insight_bert/transformer.h"

namespace heng::insight_bert {

/// Encoder → attention pooling (a softmax over each text's states, one score a state) → linear layer → one log-odds a class.
/// Holds no parameters itself, only where they lie (`layout`).
class TextNetwork {
 public:
  TextNetwork(const EncoderShape& shape, int classes);
  const Layout& layout() const { return layout_; }
  const EncoderShape& shape() const { return encoder_.shape; }
  int classes() const { return classes_; }
  /// Random start of the head; the pooling starts as the mean.
  void initialise(float* values, Random& random) const;
  /// Each layer below the last learns at `share` of the rate of the one above it.
  void decay_rates(float share);

  /// The frozen part: ids → states below the first trained layer.
  void lower_states(const Pass& pass, const Segments& segments, const std::vector<std::int32_t>& ids, Matrix& x) const;

  struct States {
    std::vector<LayerCache> layers;
    Matrix top, pooled, mask;
    std::vector<float> attention;      ///< One a row of `top`.
  };
  /// x: lower states. segments × classes log-odds.
  void forward(const Pass& pass, const Segments& segments, Matrix x, States& states, Matrix& odds) const;
  /// Cross-entropy with smoothed labels, summed over the texts times `scale`; gradients are added.
  double learn(const Pass& pass, const Segments& segments, Matrix x, const std::vector<int>& labels, float smoothing, float scale) const;

 private:
  int classes_ = 0;
  Layout layout_;
  Encoder encoder_;
  Linear attention_, head_;
};

}  // namespace heng::insight_bert
