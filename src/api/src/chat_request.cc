#include "chat_request.h"

#include <fmt/format.h>

#include <charconv>

#include "fields.h"
#include "heng/base/text.h"

namespace heng::api {
namespace {

constexpr std::size_t most_name = 256;
constexpr std::size_t most_tools = 128;
constexpr std::size_t most_stops = 16;
constexpr int default_max_tokens = 1024;

/// Text of a content field: a string, or an array of text parts.
Result<std::string> read_content(const Fields& fields) {
  const auto* content = fields.find("content");
  if (content == nullptr) return std::string();
  if (content->is_string()) return content->get<std::string>();
  if (!content->is_array()) return fields.wrong("content", "a string or an array of parts");
  std::string out;
  for (std::size_t i = 0; i < content->size(); ++i) {
    const Fields part((*content)[i], fields.name_of(fmt::format("content[{}]", i)));
    if (!(*content)[i].is_object()) return Error(ErrorCode::invalid_argument, part.name_of("") + " must be an object", part.name_of(""));
    const auto type = HENG_TRY(part.required_text("type", 64));
    if (type != "text" && type != "refusal")
      return Error(ErrorCode::unsupported, fmt::format("'{}' is '{}'; the models here read text only", part.name_of("type"), type),
                   part.name_of("type"));
    const auto text = HENG_TRY(part.text(type));
    if (!text) return part.wrong(type, "a string");
    out += *text;
  }
  return out;
}

/// As OpenAI's: letters, digits, '-' and '_', 1 to 64 of them.
Result<std::string> read_function_name(const Fields& function) {
  auto name = HENG_TRY(function.required_text("name", 64));
  for (const char c : name)
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
      return function.wrong("name", "of letters, digits, '-' and '_'");
  return name;
}

Result<std::vector<ToolCall>> read_tool_calls(const Fields& message) {
  std::vector<ToolCall> out;
  const auto* calls = HENG_TRY(message.array("tool_calls"));
  if (calls == nullptr) return out;
  for (std::size_t i = 0; i < calls->size(); ++i) {
    const auto path = message.name_of(fmt::format("tool_calls[{}]", i));
    const Fields call((*calls)[i], path);
    if (!(*calls)[i].is_object()) return Error(ErrorCode::invalid_argument, fmt::format("'{}' must be an object", path), path);
    const auto* function = HENG_TRY(call.object("function"));
    if (function == nullptr) return call.wrong("function", "an object");
    const Fields inner(*function, path + ".function");
    out.push_back({HENG_TRY(call.text("id", most_name)).value_or(""), HENG_TRY(read_function_name(inner)),
                   HENG_TRY(inner.text("arguments")).value_or("{}")});
  }
  return out;
}

Result<Message> read_message(const Json& value, const std::string& path) {
  if (!value.is_object()) return Error(ErrorCode::invalid_argument, fmt::format("'{}' must be an object", path), path);
  const Fields fields(value, path);
  Message message;
  message.role = HENG_TRY(fields.required_text("role", 64));
  if (message.role == "developer") message.role = "system";
  if (message.role == "function") message.role = "tool";
  if (message.role != "system" && message.role != "user" && message.role != "assistant" && message.role != "tool")
    return fields.wrong("role", "one of system, developer, user, assistant, tool");
  message.content = HENG_TRY(read_content(fields));
  message.name = HENG_TRY(fields.text("name", most_name)).value_or("");
  message.tool_call_id = HENG_TRY(fields.text("tool_call_id", most_name)).value_or("");
  message.reasoning = HENG_TRY(fields.text("reasoning_content")).value_or("");
  message.tool_calls = HENG_TRY(read_tool_calls(fields));
  if (message.role != "assistant" && fields.find("content") == nullptr) return fields.wrong("content", "a string or an array of parts");
  return message;
}

Result<void> read_tools(const Fields& fields, ChatRequest& chat) {
  const auto* tools = HENG_TRY(fields.array("tools"));
  if (tools != nullptr) {
    if (tools->size() > most_tools)
      return Error(ErrorCode::invalid_argument, fmt::format("'tools' has {} entries, the limit is {}", tools->size(), most_tools), "tools");
    for (std::size_t i = 0; i < tools->size(); ++i) {
      const auto path = fmt::format("tools[{}]", i);
      if (!(*tools)[i].is_object()) return Error(ErrorCode::invalid_argument, fmt::format("'{}' must be an object", path), path);
      const Fields tool((*tools)[i], path);
      const auto type = HENG_TRY(tool.text("type", 64)).value_or("function");
      if (type != "function") return tool.wrong("type", "\"function\"");
      const auto* function = HENG_TRY(tool.object("function"));
      if (function == nullptr) return tool.wrong("function", "an object");
      const Fields inner(*function, path + ".function");
      ToolSpec spec;
      spec.name = HENG_TRY(read_function_name(inner));
      spec.description = HENG_TRY(inner.text("description")).value_or("");
      const auto* parameters = HENG_TRY(inner.object("parameters"));
      spec.parameters_json = parameters == nullptr ? R"({"type":"object","properties":{}})" : dump(*parameters);
      chat.tools.push_back(std::move(spec));
    }
  }
  const auto* choice = fields.find("tool_choice");
  if (choice == nullptr) return {};
  if (choice->is_string()) {
    chat.tool_choice = choice->get<std::string>();
    if (chat.tool_choice != "auto" && chat.tool_choice != "none" && chat.tool_choice != "required")
      return fields.wrong("tool_choice", "\"auto\", \"none\", \"required\" or an object that names a function");
    return {};
  }
  if (!choice->is_object()) return fields.wrong("tool_choice", "a string or an object");
  const Fields named(*choice, "tool_choice");
  const auto* function = HENG_TRY(named.object("function"));
  if (function == nullptr) return named.wrong("function", "an object");
  chat.tool_choice = HENG_TRY(read_function_name(Fields(*function, "tool_choice.function")));
  return {};
}

Result<void> read_response_format(const Fields& fields, ParsedChat& out) {
  const auto* format = HENG_TRY(fields.object("response_format"));
  if (format == nullptr) return {};
  const Fields inner(*format, "response_format");
  const auto type = HENG_TRY(inner.required_text("type", 64));
  if (type == "text") return {};
  if (type == "json_object") {
    out.json_object = true;
    out.chat.json_schema = R"({"type":"object"})";
    return {};
  }
  if (type != "json_schema") return inner.wrong("type", "\"text\", \"json_object\" or \"json_schema\"");
  const auto* holder = HENG_TRY(inner.object("json_schema"));
  if (holder == nullptr) return inner.wrong("json_schema", "an object");
  const Fields described(*holder, "response_format.json_schema");
  const auto* schema = HENG_TRY(described.object("schema"));
  if (schema == nullptr) return described.wrong("schema", "an object");
  out.chat.json_schema = dump(*schema);
  return {};
}

Result<void> read_stop(const Fields& fields, ChatRequest& chat) {
  const auto* stop = fields.find("stop");
  if (stop == nullptr) return {};
  if (stop->is_string()) {
    if (!stop->get_ref<const std::string&>().empty()) chat.stop.push_back(stop->get<std::string>());
    return {};
  }
  if (!stop->is_array()) return fields.wrong("stop", "a string or an array of strings");
  if (stop->size() > most_stops)
    return Error(ErrorCode::invalid_argument, fmt::format("'stop' has {} strings, the limit is {}", stop->size(), most_stops), "stop");
  for (const auto& text : *stop) {
    if (!text.is_string()) return fields.wrong("stop", "a string or an array of strings");
    if (!text.get_ref<const std::string&>().empty()) chat.stop.push_back(text.get<std::string>());
  }
  return {};
}

Result<void> read_logit_bias(const Fields& fields, Sampling& sampling) {
  const auto* bias = HENG_TRY(fields.object("logit_bias"));
  if (bias == nullptr) return {};
  if (bias->size() > 300)
    return Error(ErrorCode::invalid_argument, fmt::format("'logit_bias' has {} entries, the limit is 300", bias->size()), "logit_bias");
  for (const auto& [name, value] : bias->items()) {
    const auto token = HENG_TRY(parse_integer(name, "logit_bias", 0, INT32_MAX));
    if (!value.is_number() || !(value.get<double>() >= -100 && value.get<double>() <= 100))
      return Error(ErrorCode::invalid_argument, fmt::format("'logit_bias.{}' must be a number from -100 to 100", name), "logit_bias");
    sampling.logit_bias.emplace_back(static_cast<std::int32_t>(token), value.get<double>());
  }
  return {};
}

Result<void> read_sampling(const Fields& fields, Sampling& sampling) {
  // OpenAI's defaults are 1 and 1; ours are greedy, because answers about money should not vary
  sampling.temperature = HENG_TRY(fields.number("temperature", 0, 2)).value_or(sampling.temperature);
  sampling.top_p = HENG_TRY(fields.number("top_p", 0, 1)).value_or(sampling.top_p);
  sampling.min_p = HENG_TRY(fields.number("min_p", 0, 1)).value_or(sampling.min_p);
  sampling.top_k = static_cast<int>(HENG_TRY(fields.integer("top_k", 0, 1'000'000)).value_or(sampling.top_k));
  sampling.repeat_penalty = HENG_TRY(fields.number("repeat_penalty", 0, 10)).value_or(sampling.repeat_penalty);
  sampling.frequency_penalty = HENG_TRY(fields.number("frequency_penalty", -2, 2)).value_or(0);
  sampling.presence_penalty = HENG_TRY(fields.number("presence_penalty", -2, 2)).value_or(0);
  sampling.seed = static_cast<std::uint64_t>(HENG_TRY(fields.integer("seed", -most_integer, most_integer)).value_or(0));
  return read_logit_bias(fields, sampling);
}

Result<void> read_heng(const Fields& fields, ParsedChat& out) {
  out.kb = kb_of_model(out.chat.model);
  if (text::starts_with_ci(out.chat.model, "heng/")) {
    if (out.kb.empty())
      return Error(ErrorCode::not_found, "models of the form heng/… are knowledge bases: heng/kb:NAME", "model");
    out.chat.model.clear();
  }
  const auto* heng = HENG_TRY(fields.object("heng"));
  if (heng == nullptr) return {};
  const Fields inner(*heng, "heng");
  if (const auto kb = HENG_TRY(inner.text("kb", 64)); kb && !kb->empty()) out.kb = *kb;
  out.passages = static_cast<int>(HENG_TRY(inner.integer("passages", 1, 50)).value_or(out.passages));
  out.chat.lora = HENG_TRY(inner.text("lora", 64)).value_or("");
  out.chat.grammar = HENG_TRY(inner.text("grammar", 64 * 1024)).value_or("");
  const auto priority = HENG_TRY(inner.text("priority", 64)).value_or("interactive");
  if (priority != "interactive" && priority != "batch") return inner.wrong("priority", "\"interactive\" or \"batch\"");
  out.chat.priority = priority == "batch" ? Priority::batch : Priority::interactive;
  return {};
}

/// Fields that chat and completion requests share.
Result<void> read_common(const Fields& fields, const ChatRequestLimits& limits, ParsedChat& out) {
  out.chat.model = HENG_TRY(fields.required_text("model", 256));
  const auto n = HENG_TRY(fields.integer("n", 1, 128)).value_or(1);
  if (n != 1) return Error(ErrorCode::unsupported, "'n' must be 1: one answer a request is made here; send several requests", "n");
  out.stream = HENG_TRY(fields.boolean("stream")).value_or(false);
  if (const auto* options = HENG_TRY(fields.object("stream_options")))
    out.include_usage = HENG_TRY(Fields(*options, "stream_options").boolean("include_usage")).value_or(false);
  HENG_TRY(read_sampling(fields, out.chat.sampling));
  HENG_TRY(read_stop(fields, out.chat));
  const auto older = HENG_TRY(fields.integer("max_tokens", 1, INT32_MAX));
  const auto newer = HENG_TRY(fields.integer("max_completion_tokens", 1, INT32_MAX));
  const auto wanted = newer.value_or(older.value_or(std::min(default_max_tokens, limits.max_tokens)));
  out.chat.max_tokens = static_cast<int>(std::min<std::int64_t>(wanted, limits.max_tokens));
  HENG_TRY(fields.text("user", 1024));
  return read_heng(fields, out);
}

}  // namespace

std::string kb_of_model(std::string_view model) {
  constexpr std::string_view prefix = "heng/kb:";
  return model.starts_with(prefix) ? std::string(model.substr(prefix.size())) : std::string();
}

Result<void> check_combinations(const ParsedChat& parsed) {
  const auto& chat = parsed.chat;
  if (!chat.raw_prompt.empty() && !parsed.kb.empty())
    return Error(ErrorCode::invalid_argument, "knowledge bases are asked through /v1/chat/completions", "model");
  if (!chat.grammar.empty() && !chat.json_schema.empty())
    return Error(ErrorCode::invalid_argument, "'heng.grammar' and 'response_format' exclude each other; send one", "heng.grammar");
  if (chat.tool_choice == "auto" || chat.tool_choice == "none" || chat.tool_choice == "required") return {};
  for (const auto& tool : chat.tools)
    if (tool.name == chat.tool_choice) return {};
  return Error(ErrorCode::invalid_argument, "'tool_choice' names a function that 'tools' does not hold", "tool_choice");
}

Result<ParsedChat> parse_chat_request(std::string_view body, const ChatRequestLimits& limits) {
  const auto json = HENG_TRY(parse_object(body));
  const Fields fields(json);
  ParsedChat out;
  HENG_TRY(read_response_format(fields, out));
  HENG_TRY(read_common(fields, limits, out));
  const auto* messages = HENG_TRY(fields.array("messages"));
  if (messages == nullptr) return fields.wrong("messages", "an array of messages");
  if (messages->empty()) return Error(ErrorCode::invalid_argument, "'messages' is empty; send at least one message", "messages");
  for (std::size_t i = 0; i < messages->size(); ++i)
    out.chat.messages.push_back(HENG_TRY(read_message((*messages)[i], fmt::format("messages[{}]", i))));
  HENG_TRY(read_tools(fields, out.chat));
  const auto logprobs = HENG_TRY(fields.boolean("logprobs")).value_or(false);
  const auto top = HENG_TRY(fields.integer("top_logprobs", 0, 20));
  if (logprobs) out.chat.top_logprobs = static_cast<int>(top.value_or(0));
  HENG_TRY(fields.boolean("parallel_tool_calls"));
  return out;
}

Result<ParsedChat> parse_completion_request(std::string_view body, const ChatRequestLimits& limits) {
  const auto json = HENG_TRY(parse_object(body));
  const Fields fields(json);
  ParsedChat out;
  HENG_TRY(read_common(fields, limits, out));
  const auto* prompt = fields.find("prompt");
  if (prompt == nullptr) return fields.wrong("prompt", "a string");
  if (prompt->is_array() && prompt->size() == 1) prompt = &(*prompt)[0];
  if (!prompt->is_string())
    return Error(ErrorCode::unsupported, "'prompt' must be one string: token ids and several prompts are not taken", "prompt");
  out.chat.raw_prompt = prompt->get<std::string>();
  if (out.chat.raw_prompt.empty()) return Error(ErrorCode::invalid_argument, "'prompt' is empty", "prompt");
  if (const auto top = HENG_TRY(fields.integer("logprobs", 0, 20))) out.chat.top_logprobs = static_cast<int>(*top);
  if (HENG_TRY(fields.boolean("echo")).value_or(false))
    return Error(ErrorCode::unsupported, "'echo' is not offered; put the prompt before the answer yourself", "echo");
  return out;
}

}  // namespace heng::api
