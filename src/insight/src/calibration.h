#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

namespace heng::insight {

/// Minimises a smooth function by L-BFGS with backtracking (Nocedal & Wright 2006, ch. 7). `value_and_gradient` writes the
/// gradient at x and returns the value. Returns the best point found.
std::vector<double> minimise(std::vector<double> x, const std::function<double(const std::vector<double>& x, std::vector<double>& gradient)>& value_and_gradient, int iterations_most = 100);

/// Log-odds of a stage → probabilities: log p = log softmax(inverse_temperature · z + bias), fitted on rows the stage was not
/// trained on (vector scaling, Guo et al. 2017, with one temperature). Affine, so that explanations stay exact.
struct Calibration {
  float inverse_temperature = 1;
  std::vector<float> bias;           ///< One per class.

  static Calibration fit(std::span<const float> logits, std::span<const int> labels, int classes);
  void apply(std::span<const float> logits, std::span<float> probabilities) const;   ///< One row; may be in place.
};

void softmax(std::span<float> row);

/// Multinomial logistic regression on a few dense features (the probabilities of other stages), for stacking.
struct Stacker {
  int inputs = 0, classes = 0;
  std::vector<float> weights;        ///< (inputs + 1) × classes; the last row is the bias.

  /// `features`: rows × inputs. A ridge pulls each stage's weight on its own class to one shared weight per stage, so that many
  /// classes with few rows each do not overfit.
  static Stacker fit(std::span<const float> features, std::span<const int> labels, int inputs, int classes, double ridge);
  void apply(std::span<const float> row, std::span<float> probabilities) const;
};

}  // namespace heng::insight
