#pragma once

#include "heng/contracts/inference.h"
#include "heng/guard/verifier.h"

namespace heng::app {

/// The verifier's view of the models: cosine by the embedding model, yes against no by the chat model. `inference` must
/// outlive the scorers.
guard::MeaningScorers meaning_scorers(Inference& inference);

}  // namespace heng::app
