#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "encoder/embeddings.h"
#include "encoder/matrix.h"

namespace heng::insight {

/// Labelled rows from which each text gets the examples that are most like it (Liu et al. 2022, "What makes good in-context
/// examples for GPT-3?").
struct ExamplePool {
  std::vector<std::string> texts;
  std::vector<int> labels;
  std::vector<EmbeddingSource> sources;   ///< Whose vectors `vectors` holds, one row a text.
  Matrix vectors;

  /// Numbers of the rows nearest by cosine similarity, the most similar last, where it is read last. `skip`: rows left out.
  std::vector<std::size_t> nearest(const float* vector, std::size_t count, const std::function<bool(std::size_t)>& skip) const;
  /// Rows that have nothing to do with each other; the same for the same `set`.
  std::vector<std::size_t> any(std::size_t count, std::size_t set) const;

  void write(std::string& out) const;     ///< Without `sources`.
  /// Errors: corrupt.
  static Result<ExamplePool> read(std::string_view bytes, std::vector<EmbeddingSource> sources, int classes);
};

/// At most `most` rows, the labels in turn; every row where there are fewer. Errors: those of Inference.
Result<ExamplePool> make_pool(Inference& inference, std::span<const std::string_view> texts, std::span<const int> labels, int classes, std::vector<EmbeddingSource> sources, std::size_t most,
                              std::vector<std::size_t>* taken, std::stop_token stop);

}  // namespace heng::insight
