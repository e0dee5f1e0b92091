#pragma once

#include "chat_format.h"
#include "decoder.h"
#include "heng/contracts/inference.h"
#include "model.h"

namespace heng::infer {

/// What a call into a chat model needs; owned by the engine.
struct ChatCall {
  const Model& model;
  const ChatTemplate& format;
  Decoder& decoder;

  Result<ChatResult> chat(const ChatRequest& request, const ChatSink& sink, std::stop_token stop) const;
  Result<ScoreResult> score(const ScoreRequest& request, std::stop_token stop) const;
  Result<ReplayResult> replay(const ReplayRequest& request, std::stop_token stop) const;

 private:
  Result<JobPtr> chat_job(const ChatRequest& request, FormattedChat& formatted, std::stop_token stop) const;
  Result<const Adapter*> find_adapter(const std::string& name) const;
};

}  // namespace heng::infer
