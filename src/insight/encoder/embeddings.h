#pragma once

#include <functional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "encoder/matrix.h"
#include "heng/contracts/inference.h"

namespace heng::insight {

/// The embedding model a head was trained on. Another model's vectors mean something else, so its hash is part of the head.
struct EmbeddingSource {
  std::string model, sha256;
  int dimensions = 0;
};

/// Vectors of the texts, those of several models side by side; equal texts are computed once. Errors: conflict (a model's
/// weights are not the ones of the head; says both), those of Inference.
Result<Matrix> embed_texts(Inference& inference, std::span<const EmbeddingSource> sources, std::span<const std::string_view> texts, Priority priority, std::stop_token stop,
                           const std::function<void(std::size_t done, std::size_t total)>& progress = {});

/// The embedding models to train on: those asked for, or those that suit the language. Errors: not_found.
Result<std::vector<EmbeddingSource>> choose_sources(const Inference& inference, const std::vector<std::string>& asked, bool chinese);

}  // namespace heng::insight
