#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "heng/insight_bert/layers.h"

namespace heng::insight_bert {

/// A layer's weights as 10-bit integers for reading (never for training): on processors with AVX2 but without VNNI, 16-bit
/// integer products run at twice the rate of float ones, and with 10 bits for each factor the sums of 2,048 products still
/// fit 32 bits. Each output and each row of the input has its own scale.
class ShortMatrix {
 public:
  /// `weight`: outputs × inputs, at most 2,048 inputs.
  ShortMatrix(const ConstMatrixMap& weight, const ConstRowMap& bias);
  /// y = x Wᵀ + b.
  void multiply(const Matrix& x, Matrix& y) const;

 private:
  struct Free {
    void operator()(std::int16_t* p) const;
  };
  int outputs_ = 0, inputs_ = 0, panels_ = 0, pairs_ = 0;
  std::unique_ptr<std::int16_t[], Free> data_;  ///< [panel of 16 outputs][pair of inputs][output][2].
  std::vector<float> scale_, bias_;             ///< Per output, padded to whole panels.
};

}  // namespace heng::insight_bert
