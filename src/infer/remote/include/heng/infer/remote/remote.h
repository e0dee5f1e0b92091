#pragma once

#include <memory>
#include <string>
#include <vector>

#include "heng/contracts/inference.h"

namespace heng::infer {

/// Any OpenAI-compatible server.
struct RemoteSettings {
  std::string url;                         ///< "https://host[:port][/v1]" or "http://…".
  std::string api_key;                     ///< Sent as a bearer token, or empty.
  struct Model {
    std::string name;                      ///< Here.
    std::string remote_name;               ///< There; empty: the same.
    ModelInfo::Kind kind = ModelInfo::Kind::chat;
    int context_tokens = 0;
    int dimensions = 0;
    std::string query_prefix, passage_prefix;  ///< For embeddings.
  };
  std::vector<Model> models;
  int connect_timeout_ms = 5'000;
  int read_timeout_ms = 60'000;            ///< Longest silence of the server.
  int attempts = 3;                        ///< Tries of a request that has produced nothing yet.
  int backoff_ms = 200;                    ///< Before the second try; doubled each time, with jitter.
  int breaker_failures = 5;                ///< Failures in a row that open the circuit.
  int breaker_open_ms = 10'000;            ///< How long it stays open: calls fail at once with `unavailable`.
  std::string ca_file;                     ///< PEM of the authorities to trust; empty: the system's.
  std::size_t max_response_bytes = 64 << 20;
};

/// Inference on another machine. Thread-safe; holds no connection between calls. score() and replay() are `unsupported`:
/// the protocol has no way to ask for them.
class RemoteInference final : public Inference {
 public:
  /// Errors: invalid_argument (URL, no models, unreadable ca_file).
  static Result<std::unique_ptr<RemoteInference>> create(RemoteSettings settings);
  ~RemoteInference() override;

  Result<ChatResult> chat(const ChatRequest&, const ChatSink& sink, std::stop_token stop) override;
  Result<ScoreResult> score(const ScoreRequest&, std::stop_token stop) override;
  Result<EmbedResult> embed(const EmbedRequest&, std::stop_token stop) override;
  Result<ReplayResult> replay(const ReplayRequest&, std::stop_token stop) override;
  Result<std::vector<std::int32_t>> tokenize(const std::string& model, const std::string& text) override;
  std::vector<ModelInfo> models() const override;
  std::vector<InferenceStats> stats() const override;

 private:
  struct Impl;
  explicit RemoteInference(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace heng::infer
