#pragma once

#include <span>
#include <string>
#include <vector>

namespace heng::insight {

struct ClassReport {
  std::string label;
  int rows = 0;                       ///< With this label in truth.
  double precision = 0, recall = 0, f1 = 0;
};

/// How well predictions fit: accuracy, F1 averaged over classes and weighted by their rows, ECE with 15 equal bins of the best
/// label's probability (Guo et al. 2017), and the confusion matrix [truth][given].
struct ClassificationReport {
  std::string stage;                  ///< "linear", "encoder", …
  std::string measured_on;            ///< "5-fold cross-validation", "holdout".
  int rows = 0;
  int missing = 0;                    ///< Texts without an answer.
  double accuracy = 0, macro_f1 = 0, weighted_f1 = 0, ece = 0, log_loss = 0;
  std::vector<ClassReport> classes;
  std::vector<std::vector<int>> confusion;
};

/// `probabilities`: rows × classes.
ClassificationReport evaluate(std::span<const float> probabilities, std::span<const int> labels, const std::vector<std::string>& names);

}  // namespace heng::insight
