#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "heng/contracts/inference.h"

namespace heng::infer {

/// An engine for unit tests of other rooms: no weights, no threads, instant answers that a test chooses.
///
/// Chat answers come from `reply` (default: an echo of the last user message), streamed in pieces of `piece_bytes`.
/// Embeddings are hashed character bigrams, so that similar texts have similar vectors. Scores are lower the fewer
/// characters of the candidate occur in the item. Thread-safe after set-up; keeps every chat request it saw.
class FakeInference final : public Inference {
 public:
  struct Settings {
    std::string chat_model = "fake";
    std::string embedding_model = "fake-embedding";
    int context_tokens = 4096;
    int dimensions = 64;
    std::size_t piece_bytes = 8;
    /// The whole answer to a request; may hold tool calls. An error is returned as chat()'s error.
    std::function<Result<Message>(const ChatRequest&)> reply;
    /// logprob of a candidate behind prefix + item.
    std::function<double(const std::string& prefix, const std::string& item, const std::string& candidate)> score;
  };

  FakeInference();
  explicit FakeInference(Settings settings);

  std::vector<ChatRequest> chat_requests() const;

  Result<ChatResult> chat(const ChatRequest&, const ChatSink& sink, std::stop_token stop) override;
  Result<ScoreResult> score(const ScoreRequest&, std::stop_token stop) override;
  Result<EmbedResult> embed(const EmbedRequest&, std::stop_token stop) override;
  Result<ReplayResult> replay(const ReplayRequest&, std::stop_token stop) override;
  Result<std::vector<std::int32_t>> tokenize(const std::string& model, const std::string& text) override;
  std::vector<ModelInfo> models() const override;
  std::vector<InferenceStats> stats() const override;

 private:
  Settings settings_;
  mutable std::mutex mutex_;
  std::vector<ChatRequest> requests_;
  InferenceStats stats_;
};

}  // namespace heng::infer
