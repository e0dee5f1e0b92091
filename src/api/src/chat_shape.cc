#include "chat_shape.h"

#include <fmt/format.h>

#include "json_parts.h"

namespace heng::api {
namespace {

std::string_view finish_name(FinishReason finish, bool has_tools) {
  switch (finish) {
    case FinishReason::stop: return has_tools ? "tool_calls" : "stop";
    case FinishReason::tool_calls: return "tool_calls";
    case FinishReason::length: return "length";
    case FinishReason::deadline: return "length";
    case FinishReason::cancelled: return "stop";
  }
  return "stop";
}

Json full_usage(const Usage& usage) {
  return {{"prompt_tokens", usage.prompt_tokens},
          {"completion_tokens", usage.completion_tokens},
          {"total_tokens", usage.prompt_tokens + usage.completion_tokens},
          {"prompt_tokens_details", {{"cached_tokens", usage.cached_tokens}}}};
}

/// The completion form's log-probabilities are parallel lists.
Json completion_logprobs(const std::vector<TokenInfo>& tokens, int top) {
  Json out{{"tokens", Json::array()}, {"token_logprobs", Json::array()}, {"top_logprobs", Json::array()}, {"text_offset", Json::array()}};
  std::size_t offset = 0;
  for (const auto& token : tokens) {
    out["tokens"].push_back(token.text);
    out["token_logprobs"].push_back(std::max(token.logprob, -9999.0));
    Json others = Json::object();
    for (const auto& other : token.top)
      if (static_cast<int>(others.size()) < top) others[other.text] = std::max(other.logprob, -9999.0);
    out["top_logprobs"].push_back(std::move(others));
    out["text_offset"].push_back(offset);
    offset += token.text.size();
  }
  return out;
}

Json heng_value(const ChatReply& reply) {
  Json out{{"audit_index", reply.audit_index}, {"model_sha256", reply.result.model_sha256}};
  if (reply.result.finish == FinishReason::deadline) out["stopped_by"] = "deadline";
  if (!reply.review.empty()) out["review"] = reply.review;
  out["ai_label"] = label_value(reply.label);
  if (reply.injection_score >= 0.5) out["injection_score"] = reply.injection_score;
  for (const auto& notice : reply.tools)
    out["tool_policy"].push_back({{"id", notice.id}, {"name", notice.name}, {"decision", notice.decision}, {"reason", notice.reason}, {"clause", notice.clause}, {"untrusted", notice.untrusted}});
  return out;
}

}  // namespace

ChatShape::ChatShape(ChatForm form, const RequestId& id, std::string model, std::int64_t created_s, int top_logprobs, bool include_usage)
    : form_(form),
      id_((form == ChatForm::chat ? "chatcmpl-" : "cmpl-") + id.value),
      model_(std::move(model)),
      created_s_(created_s),
      top_logprobs_(top_logprobs),
      include_usage_(include_usage) {}

Json ChatShape::frame(const char* chat_object, const char* completion_object) const {
  return {{"id", id_}, {"object", form_ == ChatForm::chat ? chat_object : completion_object}, {"created", created_s_}, {"model", model_},
          {"system_fingerprint", nullptr}, {"choices", Json::array()}};
}

Json ChatShape::whole(const ChatReply& reply) const {
  const auto& result = reply.result;
  Json out = frame("chat.completion", "text_completion");
  Json choice{{"index", 0}};
  if (form_ == ChatForm::chat) {
    choice["message"] = message_value(result.message);
    choice["logprobs"] = top_logprobs_ >= 0 ? tokens_value(result.tokens, top_logprobs_) : Json(nullptr);
  } else {
    choice["text"] = result.message.content;
    choice["logprobs"] = top_logprobs_ >= 0 ? completion_logprobs(result.tokens, top_logprobs_) : Json(nullptr);
  }
  choice["finish_reason"] = finish_name(result.finish, !result.message.tool_calls.empty());
  out["choices"].push_back(std::move(choice));
  out["usage"] = full_usage(result.usage);
  out["heng"] = heng_value(reply);
  return out;
}

Json ChatShape::chunk(Json delta, Json finish, Json logprobs) const {
  Json out = frame("chat.completion.chunk", "text_completion");
  Json choice{{"index", 0}};
  if (form_ == ChatForm::chat) {
    choice["delta"] = std::move(delta);
  } else {
    choice["text"] = delta.contains("content") ? delta["content"] : Json("");
  }
  choice["logprobs"] = std::move(logprobs);
  choice["finish_reason"] = std::move(finish);
  out["choices"].push_back(std::move(choice));
  if (include_usage_) out["usage"] = nullptr;
  return out;
}

Json ChatShape::first() const { return chunk({{"role", "assistant"}, {"content", ""}}, nullptr); }

Json ChatShape::text_delta(const std::string& text) const { return chunk({{"content", text}}, nullptr); }

std::vector<Json> ChatShape::deltas(const ChatDelta& delta) const {
  std::vector<Json> out;
  Json logprobs = nullptr;
  if (top_logprobs_ >= 0 && !delta.tokens.empty())
    logprobs = form_ == ChatForm::chat ? tokens_value(delta.tokens, top_logprobs_) : completion_logprobs(delta.tokens, top_logprobs_);
  if (!delta.reasoning.empty() && form_ == ChatForm::chat) out.push_back(chunk({{"reasoning_content", delta.reasoning}}, nullptr));
  if (!delta.content.empty() || (!logprobs.is_null() && delta.tool_calls.empty()))
    out.push_back(chunk({{"content", delta.content}}, nullptr, std::move(logprobs)));
  for (const auto& call : delta.tool_calls) {
    Json part{{"index", call.index}};
    if (!call.id.empty()) part["id"] = call.id;
    if (!call.name.empty()) part["type"] = "function";
    part["function"] = Json::object();
    if (!call.name.empty()) part["function"]["name"] = call.name;
    part["function"]["arguments"] = call.arguments_part;
    out.push_back(chunk({{"tool_calls", Json::array({std::move(part)})}}, nullptr));
  }
  return out;
}

void ChatShape::add_usage_chunk(std::vector<Json>& out, const Usage& usage) const {
  if (!include_usage_) return;
  Json last = frame("chat.completion.chunk", "text_completion");
  last["usage"] = full_usage(usage);
  out.push_back(std::move(last));
}

std::vector<Json> ChatShape::last(const ChatReply& reply) const {
  std::vector<Json> out;
  Json closing = chunk(Json::object(), finish_name(reply.result.finish, !reply.result.message.tool_calls.empty()));
  closing["heng"] = heng_value(reply);
  out.push_back(std::move(closing));
  add_usage_chunk(out, reply.result.usage);
  return out;
}

Json ChatShape::whole(const AskAnswer& answer) const {
  Json out = frame("chat.completion", "text_completion");
  Json message{{"role", "assistant"}, {"content", answer.answer}, {"refusal", nullptr}};
  message["heng"] = answer_value(answer);
  out["choices"].push_back({{"index", 0}, {"message", std::move(message)}, {"logprobs", nullptr}, {"finish_reason", "stop"}});
  out["usage"] = full_usage(answer.usage);
  out["heng"] = {{"audit_index", answer.audit_index}, {"model_sha256", answer.model_sha256}, {"ai_label", label_value(answer.label)}};
  return out;
}

std::vector<Json> ChatShape::last(const AskAnswer& answer) const {
  std::vector<Json> out;
  Json closing = chunk(Json::object(), "stop");
  closing["heng"] = answer_value(answer);
  out.push_back(std::move(closing));
  add_usage_chunk(out, answer.usage);
  return out;
}

std::string event_line(const Json& data) { return "data: " + dump(data) + "\n\n"; }

std::string named_event(const std::string& name, const std::string& data) { return "event: " + name + "\ndata: " + data + "\n\n"; }

http::Response event_stream_head() {
  return http::Response::empty(200).header("content-type", "text/event-stream; charset=utf-8").header("cache-control", "no-cache").header(
      "x-accel-buffering", "no");
}

Result<ModelInfo> find_model(const Api& api, const std::string& name, ModelInfo::Kind kind) {
  std::string known;
  for (auto& model : api.services.inference.models()) {
    if (model.kind != kind) continue;
    if (model.name == name || (name.empty() && model.is_default)) return model;
    known += (known.empty() ? "" : ", ") + model.name;
  }
  return Error(ErrorCode::not_found,
               fmt::format("there is no {} model '{}'; there is: {}", kind == ModelInfo::Kind::chat ? "chat" : "embedding", name,
                           known.empty() ? "none" : known), "model");
}

}  // namespace heng::api
