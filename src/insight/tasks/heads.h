#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "encoder/embeddings.h"
#include "encoder/mlp.h"
#include "heng/insight/task_file.h"
#include "heng/insight/trainer.h"
#include "heng/insight_bert/text_classifier.h"
#include "linear/linear.h"
#include "model/model_stage.h"
#include "src/calibration.h"

namespace heng::insight {

struct LinearStage {
  LinearHead head;
  Calibration calibration;
};

/// Either heads on an embedding model's vectors (several of different seeds, their log-odds averaged), or an encoder that was
/// trained with its head and needs no other model.
struct EncoderStage {
  std::vector<EmbeddingSource> sources;
  std::vector<Mlp> heads;
  std::shared_ptr<const insight_bert::TextClassifier> tuned;
  Calibration calibration;
  Matrix logits(const Matrix& vectors) const;
};

/// Linear and encoder probabilities together.
struct FusedStage {
  Stacker stacker;
};

/// Everything a labelling task can answer with.
struct LabelHeads {
  TaskInfo info;
  std::optional<LinearStage> linear;
  std::optional<EncoderStage> encoder;
  std::optional<FusedStage> fused;
  std::optional<ModelStage> model;
  std::optional<CascadePlan> cascade;

  bool has(Tier tier) const;
  /// Calibrated probabilities, rows × classes.
  void linear_probabilities(std::span<const std::string_view> texts, std::span<float> out) const;
  void encoder_probabilities(const Matrix& vectors, std::span<float> out) const;
  void tuned_probabilities(std::span<const std::string_view> texts, std::span<float> out, int threads) const;
  /// Whether the encoder stage asks a loaded model.
  bool encoder_needs_model() const { return encoder && !encoder->tuned; }
  /// From the probabilities of both, row by row.
  void fused_probabilities(std::span<const float> linear, std::span<const float> encoder, std::span<float> out) const;

  /// `report` is kept in the file as it is.
  TaskFile to_file(const std::string& report_json) const;
  /// Errors: corrupt, unsupported (not a labelling task).
  static Result<LabelHeads> from_file(const TaskFile& file);
};

/// Inputs of the stacker for one row: the log-probabilities of both stages.
void stacker_row(std::span<const float> linear, std::span<const float> encoder, std::span<float> out);

}  // namespace heng::insight
