#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "heng/base/result.h"
#include "heng/contracts/inference.h"
#include "heng/redteam/campaign.h"

namespace heng::redteam {

/// A secret that was put into training data on purpose: the text before it, and the secret itself. Letters and digits of the secret
/// are what is random of it; other characters are its form.
struct PlantedCanary {
  std::string name, prefix, secret;
};

struct MemorisationSettings {
  std::string model;                       ///< Empty: the default model.
  TenantId tenant;
  std::vector<PlantedCanary> canaries;
  std::vector<std::string> texts;          ///< Training texts of which continuations are asked for.
  int candidates = 256;                    ///< Ranked for each canary, itself among them: 2…4096.
  int prefix_tokens = 50, suffix_tokens = 50;
  int prefixes = 20;                       ///< Continuations asked for, at most.
  double most_extracted = 0.0;             ///< Largest share of continuations that may come out word for word.
  std::uint64_t seed = 1;
};

/// One canary a line: {"name","prefix","secret"}. Errors: malformed_input (name, line, reason).
Result<std::vector<PlantedCanary>> read_canaries(std::string_view text, const std::string& name);

/// Exposure: log2 of the candidates minus log2 of the canary's rank among random ones of its form, by the model's log-probability
/// (Carlini et al., "The Secret Sharer", USENIX Security 2019, with the rank estimated on a sample, section 4.2). A model that never
/// saw the canary gives every rank alike, so a rank within the first hundredth fails.
/// Extraction: a prefix of 50 tokens continued greedily for 50 tokens; word for word means extracted (Carlini et al., "Quantifying
/// Memorization Across Neural Language Models", ICLR 2023). Public text that models know goes along as a control: where it is not
/// found either, a pass proves little, which the result says.
/// Counts its calls in `calls` and makes no more than `most_calls`; ranking one canary counts as one, however many batches it takes. Errors: those of the model, cancelled.
Result<std::vector<MemorisationResult>> measure_memorisation(Inference& inference, const MemorisationSettings& settings, std::int64_t most_calls,
                                                             std::int64_t& calls, const Told& told, std::stop_token stop);

}  // namespace heng::redteam
