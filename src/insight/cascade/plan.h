#pragma once

#include <span>
#include <vector>

#include "heng/insight/trainer.h"

namespace heng::insight {

/// Upper end of the exact one-sided binomial interval (Clopper & Pearson 1934): with `confidence`, the rate behind `hits` of
/// `trials` is not above it.
double upper_bound(int hits, int trials, double confidence);

/// A stage's probabilities on held-out rows: rows × classes.
struct StageScores {
  Tier tier = Tier::linear;
  std::vector<float> probabilities;
  std::vector<char> known;            ///< Of the last stage only: whether it was asked of the row. Empty: of all.
};

/// Plans the cascade over the stages, cheapest first; the last is the reference. `labels` are the truth. Where the last stage was not
/// asked of a row, it counts as right there, so that the bound holds whatever it would have said; accuracies are of the rows it was asked of.
CascadePlan plan_cascade(std::span<const StageScores> stages, std::span<const int> labels, int classes, double tolerance, double confidence);

}  // namespace heng::insight
