#pragma once

#include <string>
#include <vector>

#include "heng/contracts/inference.h"

namespace heng::redteam {

/// A model that writes exactly what the attacker wants: the worst case behind every guard. Streams in pieces of a few bytes, so that
/// a filter which looks at pieces is caught. Not for use by several threads at once.
class HijackedModel final : public Inference {
 public:
  std::string content;                    ///< What it writes.
  std::string reasoning;                  ///< What it thinks aloud.
  std::vector<ToolCall> calls;            ///< What it calls.
  bool echo = false;                      ///< Writes its own prompt instead.
  std::size_t piece_bytes = 5;

  Result<ChatResult> chat(const ChatRequest&, const ChatSink& sink, std::stop_token stop) override;
  Result<ScoreResult> score(const ScoreRequest&, std::stop_token) override { return {ErrorCode::unsupported, "the hijacked model scores nothing"}; }
  Result<EmbedResult> embed(const EmbedRequest&, std::stop_token) override { return {ErrorCode::unavailable, "the hijacked model has no embeddings"}; }
  Result<ReplayResult> replay(const ReplayRequest&, std::stop_token) override { return {ErrorCode::unsupported, "the hijacked model replays nothing"}; }
  Result<std::vector<std::int32_t>> tokenize(const std::string&, const std::string& text) override { return std::vector<std::int32_t>(text.size() / 4 + 1); }
  std::vector<ModelInfo> models() const override;
  std::vector<InferenceStats> stats() const override { return {}; }
};

}  // namespace heng::redteam
