#pragma once

#include <string>
#include <string_view>

#include "heng/base/result.h"
#include "heng/contracts/inference.h"

namespace heng::api {

/// A chat or completion request as a client sent it.
struct ParsedChat {
  ChatRequest chat;              ///< Without tenant and deadline.
  std::string kb;                ///< Asked for by model name or `heng` field; empty: plain chat.
  bool stream = false;
  bool include_usage = false;
  bool json_object = false;
  int passages = 6;
};

struct ChatRequestLimits {
  int max_tokens = 4096;
};

/// Reads an OpenAI chat completion request. Unknown fields are ignored; wrong types and ranges are errors that name the
/// field. Errors: malformed_input, invalid_argument, too_large, unsupported (n > 1, images, audio).
Result<ParsedChat> parse_chat_request(std::string_view body, const ChatRequestLimits& limits);
/// The same for the older completion request with one prompt.
Result<ParsedChat> parse_completion_request(std::string_view body, const ChatRequestLimits& limits);

/// What only shows once a request is read whole. Errors: invalid_argument.
Result<void> check_combinations(const ParsedChat& parsed);

/// "heng/kb:NAME" → NAME; empty for other models.
std::string kb_of_model(std::string_view model);

}  // namespace heng::api
