#pragma once

#include <optional>
#include <span>
#include <stop_token>

#include "cascade/plan.h"
#include "heng/insight/dataset.h"
#include "heng/insight/trainer.h"
#include "model/model_stage.h"

namespace heng::insight {

/// The model stage of a task with labelled rows, measured on a sample of them: examples for a text come from rows of other folds only.
struct TrainedModel {
  ModelStage stage;
  StageScores scores;                     ///< Of all rows; `known` says of which it was asked.
  ClassificationReport report;            ///< On the rows it was asked of, calibrated on others of them.
  int better = 0, worse = 0;              ///< Of those rows: right where the stage before is wrong, and the other way.
  bool used = false;                      ///< Better with 95 % confidence (an exact sign test on the rows where they differ).
};

/// `folds`: fold of each row; `before`: probabilities of the dearest stage so far, of all rows. Errors: those of Inference.
Result<TrainedModel> train_model(const LabelledData& data, const TrainSettings& settings, std::span<const int> folds, const StageScores& before, Inference& inference, bool chinese,
                                 const TrainProgress& progress, std::stop_token stop);

/// How sure it is that one wins more often than it loses: P(X >= wins) for X ~ Binomial(wins + losses, 1/2).
double sign_test(int wins, int losses);

}  // namespace heng::insight
