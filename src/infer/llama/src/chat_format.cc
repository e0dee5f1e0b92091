#include "chat_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "chat.h"
#include "heng/base/ids.h"
#include "heng/base/text.h"
#include "json-schema-to-grammar.h"
#include "log.h"
#include "tool_call_text.h"

namespace heng::infer {
namespace {

constexpr std::size_t schema_limit_bytes = 256u << 10;
constexpr int nesting_limit = 64;

class PlainReader final : public AnswerReader {
 public:
  ChatDelta push(const std::string& text) override {
    content_ += text;
    ChatDelta delta;
    delta.content = text;
    return delta;
  }
  ChatDelta finish(Message& message) override {
    message.role = "assistant";
    message.content = content_;
    return {};
  }

 private:
  std::string content_;
};

/// By llama.cpp's parser for the model's format; parts are differences between successive partial parses.
class TemplateReader final : public AnswerReader {
 public:
  TemplateReader(common_chat_parser_params parameters, std::set<std::string> tools) : parameters_(std::move(parameters)), tools_(std::move(tools)) {}

  ChatDelta push(const std::string& text) override {
    text_ += text;
    auto delta = parse(true);
    held_ += delta.content;
    delta.content.clear();
    if (tools_.empty() || shown_ || !may_become_tool_call(held_)) {
      shown_ = shown_ || !held_.empty();
      delta.content.swap(held_);
    }
    return delta;
  }
  ChatDelta finish(Message& message) override {
    auto delta = parse(false);
    delta.content.insert(0, held_);
    if (last_.tool_calls.empty() && !shown_ && !tools_.empty()) take_bare_calls(delta);
    message.role = "assistant";
    message.content = last_.content;
    message.reasoning = last_.reasoning_content;
    for (const auto& call : last_.tool_calls) message.tool_calls.push_back({call.id, call.name, call.arguments});
    return delta;
  }

 private:
  ChatDelta parse(bool partial) {
    ChatDelta delta;
    common_chat_msg now;
    try {
      now = common_chat_parse(text_, partial, parameters_);
    } catch (const std::exception&) {
      if (partial) return delta;
      now.content = text_;  // an answer out of form is still an answer: show it as it is
    }
    now.set_tool_call_ids(ids_, [] { return "call_" + random_hex(system_random(), 12); });
    try {
      for (auto& diff : common_chat_msg_diff::compute_diffs(last_, now)) {
        delta.content += diff.content_delta;
        delta.reasoning += diff.reasoning_content_delta;
        if (diff.tool_call_index == std::string::npos) continue;
        delta.tool_calls.push_back({static_cast<int>(diff.tool_call_index), diff.tool_call_delta.id, diff.tool_call_delta.name, diff.tool_call_delta.arguments});
      }
    } catch (const std::exception&) {
      if (partial) return {};  // a later piece settles what this part is
    }
    last_ = std::move(now);
    return delta;
  }

  void take_bare_calls(ChatDelta& delta) {
    auto calls = tool_calls_in_text(last_.content, tools_);
    if (calls.empty()) return;
    last_.content.clear();
    delta.content.clear();
    for (auto& call : calls) {
      call.id = "call_" + random_hex(system_random(), 12);
      delta.tool_calls.push_back({static_cast<int>(last_.tool_calls.size()), call.id, call.name, call.arguments_json});
      last_.tool_calls.push_back({call.name, call.arguments_json, call.id});
    }
  }

  common_chat_parser_params parameters_;
  std::set<std::string> tools_;
  std::string held_;            ///< Content that may still be a tool call.
  bool shown_ = false;
  std::string text_;
  common_chat_msg last_;
  std::vector<std::string> ids_;
};

common_chat_msg to_common(const Message& turn, const Model& model) {
  common_chat_msg message;
  message.role = turn.role;
  message.content = model.without_control_tokens(turn.content);
  message.reasoning_content = model.without_control_tokens(turn.reasoning);
  message.tool_name = model.without_control_tokens(turn.name);
  message.tool_call_id = model.without_control_tokens(turn.tool_call_id);
  for (const auto& call : turn.tool_calls) {
    message.tool_calls.push_back({model.without_control_tokens(call.name), model.without_control_tokens(call.arguments_json), model.without_control_tokens(call.id)});
  }
  return message;
}

Result<void> check_json(const std::string& json, const std::string& param) {
  if (json.size() > schema_limit_bytes) return Error(ErrorCode::too_large, fmt::format("the schema has {} bytes, the limit is {}", json.size(), schema_limit_bytes), param);
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    if (quoted) {
      if (json[i] == '\\') ++i;
      else if (json[i] == '"') quoted = false;
    } else if (json[i] == '"') {
      quoted = true;
    } else if (json[i] == '{' || json[i] == '[') {
      if (++depth > nesting_limit) return Error(ErrorCode::invalid_argument, fmt::format("the schema is nested deeper than {} levels", nesting_limit), param);
    } else if (json[i] == '}' || json[i] == ']') {
      --depth;
    }
  }
  return {};
}

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_'; }

/// End of the literal or character class that begins at `i`.
std::size_t quoted_end(const std::string& s, std::size_t i) {
  const char close = s[i] == '[' ? ']' : '"';
  for (++i; i < s.size() && s[i] != close; ++i)
    if (s[i] == '\\') ++i;
  return std::min(s.size(), i + 1);
}

/// llama.cpp's grammar for a required call lets any text come first; small models then never call.
std::string without_preamble(const std::string& grammar) {
  const auto root = grammar.find("root ::= ");
  const auto end = grammar.find('\n', root);
  const auto from = grammar.find(" until-", root);
  const auto to = grammar.find('?', from);
  if (root == std::string::npos || from >= end || to >= end) return grammar;
  return grammar.substr(0, from) + grammar.substr(to + 1);
}

std::string regex_escape(const std::string& literal) {
  std::string out;
  for (char c : literal) {
    if (std::string_view(".^$|()*+?[]{}\\").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

std::string compact_grammar(const std::string& grammar) {
  std::string out;
  for (auto line : text::split(grammar, '\n')) {
    if (line.substr(0, 10) == "space ::= ") continue;
    const std::string s(line);
    for (std::size_t i = 0; i < s.size();) {
      if (s[i] == '"' || s[i] == '[') {
        const auto end = quoted_end(s, i);
        const auto literal = s.substr(i, end - i);
        const bool spaced = s.compare(end, 6, " space") == 0 && (end + 6 >= s.size() || !is_word(s[end + 6]));
        out += literal == "\":\"" && spaced ? "\": \"" : literal == "\",\"" && spaced ? "\", \"" : literal;
        i = end;
      } else if (is_word(s[i])) {
        auto end = i;
        while (end < s.size() && is_word(s[end])) ++end;
        if (s.compare(i, end - i, "space") != 0) out += s.substr(i, end - i);
        i = end;
      } else {
        out += s[i++];
      }
    }
    out += '\n';
  }
  return out;
}

Result<std::string> schema_grammar(const std::string& schema_json) {
  HENG_TRY(check_json(schema_json, "json_schema"));
  try {
    return compact_grammar(json_schema_to_grammar(common_json::parse(schema_json)));
  } catch (const std::exception& failure) {
    return Error(ErrorCode::invalid_argument, fmt::format("the JSON schema cannot be used: {}", failure.what()), "json_schema");
  }
}

namespace {

/// Text passed as it is: no template, no tools.
Result<FormattedChat> raw(const ChatRequest& request) {
  if (!request.tools.empty()) return Error(ErrorCode::invalid_argument, "tools need messages, not a raw prompt", "tools");
  FormattedChat formatted;
  formatted.prompt = request.raw_prompt;
  formatted.grammar.text = request.json_schema.empty() ? request.grammar : HENG_TRY(schema_grammar(request.json_schema));
  formatted.reader = std::make_unique<PlainReader>();
  return formatted;
}

}  // namespace

struct ChatTemplate::Impl {
  const Model& model;
  common_chat_templates_ptr templates;
  bool thinks = false;
};

ChatTemplate::ChatTemplate(const Model& model) : impl_(new Impl{model, nullptr, false}) {
  common_log_set_verbosity_thold(-1);
  try {
    impl_->templates = common_chat_templates_init(model.handle(), "");
    impl_->thinks = common_chat_templates_support_enable_thinking(impl_->templates.get());
  } catch (const std::exception&) {
    impl_->templates = common_chat_templates_init(model.handle(), "chatml");  // the file's template cannot be read
  }
}

ChatTemplate::~ChatTemplate() = default;

Result<FormattedChat> ChatTemplate::format(const ChatRequest& request) const {
  if (!request.raw_prompt.empty()) return raw(request);
  common_chat_templates_inputs inputs;
  for (const auto& turn : request.messages) inputs.messages.push_back(to_common(turn, impl_->model));
  const bool named = request.tool_choice != "auto" && request.tool_choice != "none" && request.tool_choice != "required";
  for (const auto& tool : request.tools) {
    if (named && tool.name != request.tool_choice) continue;
    HENG_TRY(check_json(tool.parameters_json, "tools"));
    inputs.tools.push_back({tool.name, impl_->model.without_control_tokens(tool.description),
                            tool.parameters_json.empty() ? "{}" : impl_->model.without_control_tokens(tool.parameters_json)});
  }
  if (named && inputs.tools.empty()) return Error(ErrorCode::invalid_argument, fmt::format("there is no tool named '{}'", request.tool_choice), "tool_choice");
  inputs.tool_choice = request.tool_choice == "none" ? COMMON_CHAT_TOOL_CHOICE_NONE
                       : named || request.tool_choice == "required" ? COMMON_CHAT_TOOL_CHOICE_REQUIRED : COMMON_CHAT_TOOL_CHOICE_AUTO;
  if (inputs.tools.empty() && inputs.tool_choice == COMMON_CHAT_TOOL_CHOICE_REQUIRED) return Error(ErrorCode::invalid_argument, "a tool call is required, but there are no tools", "tool_choice");
  const bool tools = !inputs.tools.empty();
  if (tools && !request.grammar.empty()) return Error(ErrorCode::invalid_argument, "a grammar cannot be used together with tools", "grammar");
  inputs.reasoning_format = impl_->thinks ? COMMON_REASONING_FORMAT_DEEPSEEK : COMMON_REASONING_FORMAT_NONE;
  // a required form leaves no room for thinking aloud
  if (!request.json_schema.empty() || !request.grammar.empty() || !request.assistant_prefix.empty()) inputs.enable_thinking = false;
  inputs.force_pure_content = !tools && !impl_->thinks;
  FormattedChat formatted;
  common_chat_params parameters;
  try {
    parameters = common_chat_templates_apply(impl_->templates.get(), inputs);
    formatted.prompt = parameters.prompt;
    formatted.stops = parameters.additional_stops;
    if (tools || impl_->thinks) {
      common_chat_parser_params reading(parameters);
      reading.reasoning_format = inputs.reasoning_format;
      reading.parser.load(parameters.parser);
      std::set<std::string> names;
      if (inputs.tool_choice != COMMON_CHAT_TOOL_CHOICE_NONE)
        for (const auto& tool : inputs.tools) names.insert(tool.name);
      formatted.reader = std::make_unique<TemplateReader>(std::move(reading), std::move(names));
    } else {
      formatted.reader = std::make_unique<PlainReader>();
    }
  } catch (const std::exception& failure) {
    return Error(ErrorCode::invalid_argument, fmt::format("the model's chat template cannot be applied to this request: {}", failure.what()), "messages");
  }
  if (!request.grammar.empty()) {
    formatted.grammar.text = request.grammar;
  } else if (!request.json_schema.empty() && !tools) {
    formatted.grammar.text = HENG_TRY(schema_grammar(request.json_schema));
  } else if (!parameters.grammar.empty()) {
    formatted.grammar.text = compact_grammar(parameters.grammar);
    if (inputs.tool_choice == COMMON_CHAT_TOOL_CHOICE_REQUIRED) formatted.grammar.text = without_preamble(formatted.grammar.text);
    formatted.grammar.lazy = parameters.grammar_lazy;
    if (!parameters.grammar_lazy) formatted.grammar.already_said = impl_->model.tokenize(parameters.generation_prompt, false, true);
  }
  for (const auto& name : parameters.preserved_tokens) {
    const auto tokens = impl_->model.tokenize(name, false, true);
    if (tokens.size() == 1) formatted.shown_specials.push_back(tokens[0]);
  }
  for (const auto& trigger : parameters.grammar_triggers) {
    if (trigger.type == COMMON_GRAMMAR_TRIGGER_TYPE_TOKEN) {
      formatted.grammar.trigger_tokens.push_back(trigger.token);
    } else if (trigger.type == COMMON_GRAMMAR_TRIGGER_TYPE_WORD) {
      const auto tokens = impl_->model.tokenize(trigger.value, false, true);
      if (tokens.size() == 1) formatted.grammar.trigger_tokens.push_back(tokens[0]);
      else formatted.grammar.trigger_patterns.push_back(regex_escape(trigger.value));
    } else if (trigger.type == COMMON_GRAMMAR_TRIGGER_TYPE_PATTERN_FULL) {
      formatted.grammar.trigger_patterns.push_back("^" + trigger.value + "$");
    } else {
      formatted.grammar.trigger_patterns.push_back(trigger.value);
    }
  }
  return formatted;
}

}  // namespace heng::infer
