#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "encoder/matrix.h"
#include "heng/base/result.h"

namespace heng::insight {

struct MlpSettings {
  int hidden = 256;                 ///< 0: logistic regression.
  double learning_rate = 1e-3;
  double weight_decay = 0.02;
  double input_dropout = 0.1, hidden_dropout = 0.3;
  double label_smoothing = 0.05;
  int epochs = 25;
  int batch = 64;
  std::uint64_t seed = 1;
};

/// vectors → standardised → hidden layer with GELU → classes. Trained by AdamW with a cosine learning rate and, over the last
/// third, averaged weights. Immutable once trained; thread-safe.
class Mlp {
 public:
  /// `vectors`: one row per text. use[i] false: row i is left out (empty: all are used). `stop` asked between epochs.
  static Mlp train(const Matrix& vectors, std::span<const int> labels, const std::vector<bool>& use, int classes, const MlpSettings& settings,
                   const std::function<void(int epoch, double loss)>& progress = {});
  int classes() const { return static_cast<int>(output_.columns); }
  int dimensions() const { return static_cast<int>(mean_.size()); }
  /// rows × classes, uncalibrated.
  Matrix logits(const Matrix& vectors) const;

  void write(std::string& out) const;
  static Result<Mlp> read(std::string_view bytes);

 private:
  Matrix standardise(const Matrix& vectors) const;
  std::vector<float> mean_, inverse_deviation_;
  Matrix input_, output_;           // dimensions × hidden, hidden × classes; without hidden layer output_ is dimensions × classes
  std::vector<float> hidden_bias_, output_bias_;
};

}  // namespace heng::insight
