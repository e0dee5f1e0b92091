#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "heng/contracts/inference.h"

namespace heng::infer {

/// Several models behind one port: a request goes to the back end that serves its model's name; an empty name means the
/// default chat model (chat, score, replay, tokenize) or the default embedding model (embed).
///
/// Back ends are added at start-up or later (thread-safe) and live until the last call into them has returned, therefore
/// they are shared.
class ModelRouter final : public Inference {
 public:
  /// Adds every model of the back end. The first chat and the first embedding model become the defaults.
  /// Errors: already_exists when a name is taken.
  Result<void> add(std::shared_ptr<Inference> backend);
  /// Chooses a default; its kind decides which. Errors: not_found.
  Result<void> set_default(const std::string& model);
  /// Stops offering the model. Errors: not_found.
  Result<void> remove(const std::string& model);

  Result<ChatResult> chat(const ChatRequest&, const ChatSink& sink, std::stop_token stop) override;
  Result<ScoreResult> score(const ScoreRequest&, std::stop_token stop) override;
  Result<EmbedResult> embed(const EmbedRequest&, std::stop_token stop) override;
  Result<ReplayResult> replay(const ReplayRequest&, std::stop_token stop) override;
  Result<std::vector<std::int32_t>> tokenize(const std::string& model, const std::string& text) override;
  std::vector<ModelInfo> models() const override;
  std::vector<InferenceStats> stats() const override;

 private:
  struct Route {
    std::string name;
    ModelInfo::Kind kind;
    std::shared_ptr<Inference> backend;
  };
  Result<Route> find(const std::string& model, ModelInfo::Kind kind) const;

  mutable std::mutex mutex_;
  std::vector<Route> routes_;
  std::string default_chat_, default_embedding_;
};

}  // namespace heng::infer
