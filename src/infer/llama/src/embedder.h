#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "heng/contracts/inference.h"
#include "heng/infer/compute_lane.h"
#include "heng/infer/gguf_header.h"
#include "model.h"

namespace heng::infer {

/// Texts → unit vectors with a BERT-like encoder. Requests wait their turn for the one context; between two batches of a
/// request others get theirs. Thread-safe.
class Embedder {
 public:
  static Result<std::unique_ptr<Embedder>> create(const Model& model, const GgufHeader& header, const LlamaSettings& settings, std::shared_ptr<ComputeLane> lane);
  ~Embedder();

  Result<EmbedResult> embed(const EmbedRequest& request, std::stop_token stop);
  int dimensions() const { return dimensions_; }
  int text_limit_tokens() const { return text_limit_; }
  InferenceStats stats() const;

 private:
  struct Text {
    std::size_t index = 0;
    std::vector<Token> tokens;
  };
  Embedder(const Model& model, const LlamaSettings& settings, std::shared_ptr<ComputeLane> lane);
  Result<std::vector<Text>> prepare(const EmbedRequest& request) const;
  bool compute(std::span<const Text> texts, Priority priority, std::vector<std::vector<float>>& vectors);

  const Model& model_;
  std::shared_ptr<ComputeLane> lane_;
  ContextPtr context_;
  llama_batch batch_{};
  int dimensions_ = 0, text_limit_ = 512, batch_tokens_ = 0, queue_limit_ = 0, threads_ = 1;
  std::string query_prefix_, passage_prefix_;
  std::atomic<int> active_ = 0;
  std::atomic<std::int64_t> requests_ = 0, tokens_ = 0, overloaded_ = 0, cancelled_ = 0, late_ = 0;
};

}  // namespace heng::infer
