#pragma once

#include <string>
#include <vector>

#include "context.h"
#include "fields.h"
#include "heng/contracts/answer.h"
#include "heng/http/message.h"

namespace heng::api {

enum class ChatForm { chat, completion };

/// OpenAI's objects for one request, whole and in chunks. A value.
class ChatShape {
 public:
  ChatShape(ChatForm form, const RequestId& id, std::string model, std::int64_t created_s, int top_logprobs, bool include_usage);

  Json whole(const ChatReply& reply) const;
  Json first() const;                                        ///< The role.
  std::vector<Json> deltas(const ChatDelta& delta) const;
  std::vector<Json> last(const ChatReply& reply) const;      ///< The finish, then the usage where asked for.

  /// Of an answer from a knowledge base, whose citations go into a `heng` field.
  Json whole(const AskAnswer& answer) const;
  Json text_delta(const std::string& text) const;
  std::vector<Json> last(const AskAnswer& answer) const;

 private:
  Json chunk(Json delta, Json finish, Json logprobs = nullptr) const;
  Json frame(const char* chat_object, const char* completion_object) const;
  void add_usage_chunk(std::vector<Json>& out, const Usage& usage) const;

  ChatForm form_;
  std::string id_, model_;
  std::int64_t created_s_;
  int top_logprobs_;
  bool include_usage_;
};

/// "data: …\n\n".
std::string event_line(const Json& data);
/// "event: NAME\ndata: …\n\n".
std::string named_event(const std::string& name, const std::string& data);
http::Response event_stream_head();

/// The model of a request; an empty name becomes the default's. Errors: not_found (says which there are).
Result<ModelInfo> find_model(const Api& api, const std::string& name, ModelInfo::Kind kind);

}  // namespace heng::api
