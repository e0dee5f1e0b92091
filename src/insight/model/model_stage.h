#pragma once

#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "heng/contracts/inference.h"

namespace heng::insight {

/// The chat model as a labeller: the labels compete by their probability behind the text; nothing is written. What the task is
/// about and the examples stand in a prefix that all texts share.
struct ModelStage {
  std::string instruction;
  std::vector<std::string> words;                               ///< What the model would say for each label.
  std::vector<std::pair<std::string, int>> examples;            ///< Text and label.
};

/// The prefix of all texts, and what follows it for one of them.
std::string model_prefix(const ModelStage& stage);
std::string model_item(std::string_view text);

/// Probabilities, rows × labels: log-probabilities of the labels' words, less those behind texts that say nothing
/// ("contextual calibration", Zhao et al. 2021), through softmax. Equal texts are scored once. Errors: those of Inference.
Result<std::vector<float>> model_probabilities(Inference& inference, const ModelStage& stage, std::span<const std::string_view> texts, const TenantId& tenant, std::stop_token stop);

}  // namespace heng::insight
