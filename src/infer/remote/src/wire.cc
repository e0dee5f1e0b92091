#include "wire.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "heng/base/text.h"

namespace heng::infer {
namespace {

using nlohmann::json;

constexpr std::size_t tool_calls_limit = 128;

std::string dump(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

json to_json(const Message& turn) {
  json out = {{"role", turn.role}, {"content", turn.content}};
  if (!turn.tool_call_id.empty()) out["tool_call_id"] = turn.tool_call_id;
  if (!turn.name.empty() && turn.role != "tool") out["name"] = turn.name;
  for (const auto& call : turn.tool_calls) {
    out["tool_calls"].push_back({{"id", call.id}, {"type", "function"}, {"function", {{"name", call.name}, {"arguments", call.arguments_json}}}});
  }
  return out;
}

void add_common(json& body, const ChatRequest& request, const std::string& model) {
  const auto& s = request.sampling;
  body["model"] = model;
  body["max_tokens"] = request.max_tokens;
  body["temperature"] = s.temperature;
  body["top_p"] = s.top_p;
  body["seed"] = static_cast<std::int64_t>(s.seed & 0x7fffffff);
  if (s.frequency_penalty != 0) body["frequency_penalty"] = s.frequency_penalty;
  if (s.presence_penalty != 0) body["presence_penalty"] = s.presence_penalty;
  for (auto [token, bias] : s.logit_bias) body["logit_bias"][std::to_string(token)] = bias;
  if (!request.stop.empty()) body["stop"] = request.stop;
  body["stream"] = true;
  body["stream_options"] = {{"include_usage", true}};
}

std::string text_or(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

int number_or(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_integer() ? static_cast<int>(std::clamp<std::int64_t>(found->get<std::int64_t>(), 0, 1 << 30)) : 0;
}

double logprob_of(const json& entry) {
  const auto found = entry.find("logprob");
  return found != entry.end() && found->is_number() ? found->get<double>() : 0;
}

std::vector<TokenInfo> read_logprobs(const json& choice) {
  std::vector<TokenInfo> tokens;
  const auto logprobs = choice.find("logprobs");
  if (logprobs == choice.end() || !logprobs->is_object()) return tokens;
  const auto content = logprobs->find("content");
  if (content == logprobs->end() || !content->is_array()) return tokens;
  for (const auto& entry : *content) {
    if (!entry.is_object()) continue;
    TokenInfo info;
    info.token = -1;  // the protocol has texts, not ids
    info.text = text_or(entry, "token");
    info.logprob = logprob_of(entry);
    if (const auto top = entry.find("top_logprobs"); top != entry.end() && top->is_array()) {
      for (const auto& other : *top)
        if (other.is_object()) info.top.push_back({-1, text_or(other, "token"), logprob_of(other)});
    }
    tokens.push_back(std::move(info));
  }
  return tokens;
}

}  // namespace

std::string chat_body(const ChatRequest& request, const std::string& remote_model) {
  json body;
  add_common(body, request, remote_model);
  for (const auto& turn : request.messages) body["messages"].push_back(to_json(turn));
  for (const auto& tool : request.tools) {
    auto parameters = json::parse(tool.parameters_json, nullptr, false);
    if (parameters.is_discarded()) parameters = json::object();
    body["tools"].push_back({{"type", "function"}, {"function", {{"name", tool.name}, {"description", tool.description}, {"parameters", parameters}}}});
  }
  if (!request.tools.empty()) {
    const bool named = request.tool_choice != "auto" && request.tool_choice != "none" && request.tool_choice != "required";
    if (named) body["tool_choice"] = {{"type", "function"}, {"function", {{"name", request.tool_choice}}}};
    else body["tool_choice"] = request.tool_choice;
  }
  if (!request.json_schema.empty()) {
    body["response_format"] = {{"type", "json_schema"}, {"json_schema", {{"name", "answer"}, {"strict", true}, {"schema", json::parse(request.json_schema, nullptr, false)}}}};
  }
  if (!request.grammar.empty()) body["grammar"] = request.grammar;  // llama-server's extension
  if (request.top_logprobs >= 0) {
    body["logprobs"] = true;
    body["top_logprobs"] = request.top_logprobs;
  }
  return dump(body);
}

std::string completion_body(const ChatRequest& request, const std::string& remote_model) {
  json body;
  add_common(body, request, remote_model);
  body["prompt"] = request.raw_prompt;
  return dump(body);
}

std::string embedding_body(const std::vector<std::string>& texts, const std::string& remote_model) {
  return dump({{"model", remote_model}, {"input", texts}, {"encoding_format", "float"}});
}

Result<ChatDelta> ChatCollector::take(const std::string& data) {
  ChatDelta delta;
  const auto event = json::parse(data, nullptr, false);
  if (event.is_discarded() || !event.is_object()) return Error(ErrorCode::malformed_input, "the remote server sent an event that is not JSON");
  if (event.contains("error")) return error_of(500, data);
  if (const auto usage = event.find("usage"); usage != event.end() && usage->is_object()) {
    result_.usage.prompt_tokens = number_or(*usage, "prompt_tokens");
    result_.usage.completion_tokens = number_or(*usage, "completion_tokens");
    if (const auto details = usage->find("prompt_tokens_details"); details != usage->end() && details->is_object()) result_.usage.cached_tokens = number_or(*details, "cached_tokens");
  }
  const auto choices = event.find("choices");
  if (choices == event.end() || !choices->is_array() || choices->empty() || !choices->front().is_object()) return delta;
  const auto& choice = choices->front();
  delta.tokens = read_logprobs(choice);
  result_.tokens.insert(result_.tokens.end(), delta.tokens.begin(), delta.tokens.end());
  const auto reason = text_or(choice, "finish_reason");
  finished_ |= !reason.empty();
  if (reason == "length") result_.finish = FinishReason::length;
  if (reason == "tool_calls") result_.finish = FinishReason::tool_calls;
  delta.content = text_or(choice, "text");
  const auto part = choice.find("delta");
  if (part != choice.end() && part->is_object()) {
    delta.content += text_or(*part, "content");
    delta.reasoning = text_or(*part, "reasoning_content");
    if (const auto calls = part->find("tool_calls"); calls != part->end() && calls->is_array()) {
      for (const auto& call : *calls) {
        if (!call.is_object()) continue;
        const auto index = static_cast<std::size_t>(number_or(call, "index"));
        if (index >= tool_calls_limit) return Error(ErrorCode::malformed_input, "the remote server sent too many tool calls");
        const auto function = call.value("function", json::object());
        if (!function.is_object()) continue;
        delta.tool_calls.push_back({static_cast<int>(index), text_or(call, "id"), text_or(function, "name"), text_or(function, "arguments")});
        auto& all = result_.message.tool_calls;
        if (all.size() <= index) all.resize(index + 1);
        all[index].id += delta.tool_calls.back().id;
        all[index].name += delta.tool_calls.back().name;
        all[index].arguments_json += delta.tool_calls.back().arguments_part;
      }
    }
  }
  result_.message.content += delta.content;
  result_.message.reasoning += delta.reasoning;
  return delta;
}

ChatResult ChatCollector::result(const std::string& model) const {
  auto result = result_;
  result.message.role = "assistant";
  result.model = model;
  return result;
}

Result<EmbedResult> read_embeddings(const std::string& body, std::size_t texts) {
  const Error bad(ErrorCode::malformed_input, "the remote server's embeddings cannot be read");
  const auto reply = json::parse(body, nullptr, false);
  if (reply.is_discarded() || !reply.is_object() || !reply.contains("data") || !reply["data"].is_array() || reply["data"].size() != texts) return bad;
  EmbedResult result;
  result.vectors.resize(texts);
  for (std::size_t i = 0; i < texts; ++i) {
    const auto& entry = reply["data"][i];
    if (!entry.is_object() || !entry.contains("embedding") || !entry["embedding"].is_array()) return bad;
    const auto index = entry.contains("index") ? static_cast<std::size_t>(number_or(entry, "index")) : i;
    if (index >= texts || !result.vectors[index].empty() || entry["embedding"].empty()) return bad;
    double sum = 0;
    for (const auto& value : entry["embedding"]) {
      if (!value.is_number()) return bad;
      result.vectors[index].push_back(value.get<float>());
      sum += static_cast<double>(result.vectors[index].back()) * result.vectors[index].back();
    }
    if (!(sum > 0) || !std::isfinite(sum)) return bad;
    for (float& value : result.vectors[index]) value = static_cast<float>(value / std::sqrt(sum));
  }
  if (reply.contains("usage") && reply["usage"].is_object()) result.tokens = number_or(reply["usage"], "prompt_tokens");
  return result;
}

Error error_of(int status, const std::string& body) {
  std::string message = fmt::format("the remote server answered {}", status);
  const auto reply = json::parse(body, nullptr, false);
  if (!reply.is_discarded() && reply.is_object() && reply.contains("error")) {
    const auto said = reply["error"].is_object() ? text_or(reply["error"], "message") : reply["error"].is_string() ? reply["error"].get<std::string>() : "";
    if (!said.empty()) message += ": " + said.substr(0, text::complete_utf8_prefix(said.substr(0, 300)));
  }
  switch (status) {
    case 400: case 422: return {ErrorCode::invalid_argument, message};
    case 401: case 403: return {ErrorCode::unavailable, message + "; check the api_key of this model"};
    case 404: return {ErrorCode::not_found, message};
    case 413: return {ErrorCode::too_large, message};
    case 429: return {ErrorCode::overloaded, message};
    default: return {ErrorCode::unavailable, message};
  }
}

}  // namespace heng::infer
