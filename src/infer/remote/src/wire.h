#pragma once

#include <string>
#include <string_view>

#include "heng/contracts/inference.h"

namespace heng::infer {

/// OpenAI's JSON, to and from the contract's types.
std::string chat_body(const ChatRequest& request, const std::string& remote_model);
std::string completion_body(const ChatRequest& request, const std::string& remote_model);
std::string embedding_body(const std::vector<std::string>& texts, const std::string& remote_model);

/// Collects a streamed answer.
class ChatCollector {
 public:
  /// One event's data. Errors: malformed_input, unavailable (an error event).
  Result<ChatDelta> take(const std::string& json);
  bool finished() const { return finished_; }
  ChatResult result(const std::string& model) const;

 private:
  ChatResult result_;
  bool finished_ = false;
};

/// Errors: malformed_input.
Result<EmbedResult> read_embeddings(const std::string& body, std::size_t texts);
/// The contract's error for a status and its body.
Error error_of(int status, const std::string& body);

}  // namespace heng::infer
