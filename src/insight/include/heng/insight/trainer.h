#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "heng/base/clock.h"
#include "heng/contracts/inference.h"
#include "heng/insight/dataset.h"
#include "heng/insight/metrics.h"
#include "heng/insight/task_file.h"

namespace heng::insight {

/// One stage of the cascade as planned on held-out rows.
struct CascadeStep {
  Tier tier = Tier::linear;
  double threshold = 0;               ///< Answers when its best label is at least so sure; the last stage always answers.
  double share = 0;                   ///< Of the held-out rows, answered here.
  double accuracy = 0;                ///< On the rows answered here.
};

/// The cascade: cheapest first. With `confidence`, no more than `tolerance` of all rows lose a right answer of the last stage
/// (an exact binomial bound, tested from the strictest threshold on: Angelopoulos et al. 2021, "Learn then Test").
struct CascadePlan {
  double tolerance = 0.005, confidence = 0.95;
  std::vector<CascadeStep> steps;
  double accuracy = 0;                ///< Of the cascade on the held-out rows.
  double last_accuracy = 0;           ///< Of the last stage alone on the same rows.
};

struct TrainSettings {
  std::string name, description;
  bool encoder = true;                ///< Also an encoder head and the fusion of both, where there is an embedding model.
  /// A GGUF encoder that is trained with its head instead of a head on its vectors; empty: not tuned. One fold's rows are kept
  /// for calibration, fusion and the report; the others are trained on.
  std::filesystem::path tuned_encoder;
  double tune_minutes = 10;           ///< Training of the encoder ends by then.
  int tune_epochs = 4, threads = 0;   ///< Threads 0: one per core.
  std::vector<std::string> embedding_models;  ///< Their vectors are joined; empty: chosen by the language of the texts.
  bool model = false;                 ///< Also the chat model by scoring; in the cascade only where it is better.
  int model_rows = 400;               ///< Rows that it is measured on.
  int model_examples = 4;             ///< Labelled rows most like a text that it is shown.
  int folds = 5;
  double tolerance = 0.005, confidence = 0.95;
  bool evaluation_only = false;
  std::uint64_t seed = 1;
};

struct StageTime {
  std::string stage;
  double seconds = 0;
};

struct TrainingReport {
  TaskInfo info;
  std::vector<ClassificationReport> stages;   ///< Cross-validated, or on the hold-out where one is given.
  std::vector<StageTime> times;
  std::optional<CascadePlan> cascade;
  std::vector<std::string> notes;             ///< What the user should know: contradictions, rare labels, missing models.
};

/// Told of what goes on: a stage's name, then done of total.
using TrainProgress = std::function<void(const std::string& stage, int done, int total)>;

/// Trains every stage of a labelling task on the rows, calibrated and compared on folds that were held out, and plans the
/// cascade. `inference` may be null: then only the linear stage. Errors: of the models, cancelled.
struct TrainedTask {
  TaskFile file;
  TrainingReport report;
};
Result<TrainedTask> train_labels(const LabelledData& data, const LabelledData* holdout, const TrainSettings& settings, Inference* inference, const Clock& clock, const TrainProgress& progress,
                                 std::stop_token stop);

/// A task without training: the chat model labels by what `description` says. `labels`: names, each with the word the model would
/// say for it (empty: the name). `examples` may be null; at most `examples_most` are taken, the labels in turn.
struct DescribedTask {
  std::string name, description;
  std::vector<std::pair<std::string, std::string>> labels;
  std::size_t examples_most = 8;
};
/// With `inference` and more rows than `examples_most`, each text is shown the rows most like it instead.
/// Errors: invalid_argument (fewer than two labels, a label twice, no description), those of Inference.
Result<TaskFile> describe_task(const DescribedTask& task, const LabelledData* examples, const Clock& clock, Inference* inference = nullptr, std::stop_token stop = {});

}  // namespace heng::insight
