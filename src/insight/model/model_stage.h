#pragma once

#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "heng/contracts/inference.h"
#include "model/examples.h"
#include "src/calibration.h"

namespace heng::insight {

/// The chat model as a labeller: the labels compete by their probability behind the text; nothing is written. What the task is
/// about and the examples stand in a prefix that all texts share, or each text has the examples of the pool that are most like it.
struct ModelStage {
  std::string instruction;
  std::vector<std::string> words;                               ///< What the model would say for each label.
  std::vector<std::pair<std::string, int>> examples;            ///< Text and label, the same for every text.
  std::optional<ExamplePool> pool;                              ///< Instead of `examples`.
  std::size_t nearest = 4;                                      ///< Examples a text gets of the pool.
  std::optional<Calibration> calibration;                       ///< Fitted on labelled rows; empty: contextual only.
};

/// The prefix of all texts, and what follows it for one of them.
std::string model_prefix(const ModelStage& stage);
std::string model_item(std::string_view text);

/// Whether the example of the pool must not be shown to the text: for texts that stand in the pool themselves.
using SkipExample = std::function<bool(std::size_t text, std::size_t example)>;

/// Log-probabilities of the labels' words less those behind texts that say nothing ("contextual calibration", Zhao et al. 2021; with
/// a pool behind examples taken at random), rows × labels. Equal items are scored once. Errors: those of Inference.
Result<std::vector<float>> model_scores(Inference& inference, const ModelStage& stage, std::span<const std::string_view> texts, const TenantId& tenant, std::stop_token stop, const SkipExample& skip = {});

/// The same as probabilities: through the stage's calibration, or softmax.
Result<std::vector<float>> model_probabilities(Inference& inference, const ModelStage& stage, std::span<const std::string_view> texts, const TenantId& tenant, std::stop_token stop);

}  // namespace heng::insight
