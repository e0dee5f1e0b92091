#include "heng/redteam/hijacked_model.h"

#include <algorithm>

namespace heng::redteam {

Result<ChatResult> HijackedModel::chat(const ChatRequest& request, const ChatSink& sink, std::stop_token stop) {
  std::string written = content;
  if (echo) written.clear();
  for (const auto& message : request.messages)
    if (echo) written += message.content + "\n";
  ChatResult out;
  out.model = "hijacked";
  out.model_sha256 = std::string(64, '0');
  out.message.role = "assistant";
  const auto end = [&](const ChatDelta& delta) { return stop.stop_requested() || (sink && !sink(delta)); };
  for (std::size_t at = 0; at < written.size();) {
    std::size_t size = std::min(piece_bytes, written.size() - at);
    while (at + size < written.size() && (static_cast<unsigned char>(written[at + size]) & 0xC0) == 0x80) ++size;
    ChatDelta delta;
    delta.content = written.substr(at, size);
    at += size;
    out.message.content += delta.content;
    if (end(delta)) {
      out.finish = FinishReason::cancelled;
      return out;
    }
  }
  if (!reasoning.empty()) {
    ChatDelta delta;
    delta.reasoning = out.message.reasoning = reasoning;
    if (end(delta)) {
      out.finish = FinishReason::cancelled;
      return out;
    }
  }
  for (std::size_t i = 0; i < calls.size(); ++i) {
    ChatDelta delta;
    delta.tool_calls.push_back({static_cast<int>(i), calls[i].id, calls[i].name, calls[i].arguments_json});
    out.message.tool_calls.push_back(calls[i]);
    out.finish = FinishReason::tool_calls;
    if (end(delta)) {
      out.finish = FinishReason::cancelled;
      return out;
    }
  }
  return out;
}

std::vector<ModelInfo> HijackedModel::models() const {
  ModelInfo model;
  model.name = "hijacked";
  model.context_tokens = 16384;
  model.is_default = model.loaded = true;
  model.backend = "fake";
  return {model};
}

}  // namespace heng::redteam
