#include "tool_calls.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "heng/base/text.h"

namespace heng::pipeline {
namespace {

using Json = nlohmann::json;

bool is_word(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// Whether `value` stands in `text` as a whole: "100" is not in "1000".
bool stands_in(const std::string& text, const std::string& value) {
  if (value.empty()) return false;
  for (std::size_t at = text.find(value); at != std::string::npos; at = text.find(value, at + 1)) {
    const bool begins = at == 0 || !is_word(text[at - 1]) || !is_word(value.front());
    const std::size_t end = at + value.size();
    if (begins && (end == text.size() || !is_word(text[end]) || !is_word(value.back()))) return true;
  }
  return false;
}

std::string as_text(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// Where a value of a chat comes from.
Labels origin(const ChatRequest& chat, const std::string& value) {
  Labels model{.source = "model", .integrity = Integrity::untrusted};
  for (const auto& message : chat.messages) {
    if (message.role == "user" && stands_in(message.content, value)) return {.source = "user", .integrity = Integrity::user};
    if (message.role == "tool" && stands_in(message.content, value)) model.source = "tool:" + message.name;
  }
  return model;
}

Labels wish(const ChatRequest& chat) {
  Labels out{.source = "user", .integrity = Integrity::user};
  for (const auto& message : chat.messages)
    if (message.role == "tool") out = join(out, {.source = "tool:" + message.name, .integrity = Integrity::untrusted});
  return out;
}

/// The most sensitive class that the guard finds in a value; what it cannot judge counts as C3.
DataClass class_of(const Guard& guard, const Principal& principal, const std::string& value) {
  const auto verdict = guard.check_record(principal, value);
  if (!verdict.ok()) return DataClass::c3;
  DataClass out = DataClass::c1;
  for (const auto& finding : verdict->findings) out = std::max(out, finding.data_class);
  return out;
}

const char* name_of(ToolDecision decision) {
  return decision == ToolDecision::allow ? "allow" : decision == ToolDecision::confirm ? "confirm" : "deny";
}

}  // namespace

std::vector<std::string> canaries_of(const ChatRequest& chat) {
  constexpr std::string_view mark = "canary-";
  constexpr std::size_t least = 8, most = 64, most_canaries = 32;
  std::vector<std::string> out;
  for (const auto& message : chat.messages) {
    if (message.role != "system") continue;
    for (std::size_t at = message.content.find(mark); at != std::string::npos; at = message.content.find(mark, at + 1)) {
      std::size_t end = at + mark.size();
      while (end < message.content.size() && is_word(message.content[end]) && end - at < mark.size() + most) ++end;
      auto word = message.content.substr(at + mark.size(), end - at - mark.size());
      if (word.size() >= least && out.size() < most_canaries) out.push_back(std::move(word));
    }
  }
  return out;
}

std::vector<std::string> user_turns(const std::vector<Message>& messages) {
  std::vector<std::string> out;
  for (const auto& message : messages)
    if (message.role == "user") out.push_back(message.content);
  return out;
}

Result<void> permit_tool(Flow& flow, const std::string& tool, const std::string& argument, LabelledValue value) {
  const auto denied = [&](const std::string& reason) {
    flow.note("tool:" + tool, "deny", reason);
    return Error(ErrorCode::policy_denied, fmt::format("the tool {} may not be called: {}", tool, reason));
  };
  if (flow.ports.stops)
    if (auto may = flow.ports.stops->check({flow.request.principal.tenant, "", "", tool}); !may.ok()) return denied(may.error().message);
  if (!flow.ports.tools) return denied("there is no tool gate");
  ToolUse use;
  use.tool = tool;
  use.intent = {.source = "user", .integrity = Integrity::user};
  use.in_request = flow.tool_calls[tool];
  value.labels.data_class = std::max(value.labels.data_class, flow.question_class);
  use.arguments.emplace(argument, std::move(value));
  auto verdict = flow.ports.tools->decide(flow.request.principal, std::move(use));
  if (!verdict.ok()) return denied("the tool gate failed: " + verdict.error().message);
  // nobody is there to confirm within a question
  if (verdict->decision != ToolDecision::allow) return denied(verdict->reason);
  ++flow.tool_calls[tool];
  return {};
}

std::vector<ToolNotice> judge_calls(const ChatterPorts& ports, const Principal& principal, const ChatRequest& chat, const std::vector<ToolCall>& calls) {
  std::vector<ToolNotice> out;
  std::map<std::string, std::int64_t> before;
  for (const auto& call : calls) {
    ToolNotice notice;
    notice.id = call.id;
    notice.name = call.name;
    notice.decision = "deny";
    const auto halted = ports.stops ? ports.stops->check({principal.tenant, "", "", call.name}) : Result<void>();
    const Json arguments = Json::parse(call.arguments_json.empty() ? "{}" : call.arguments_json, nullptr, false);
    if (!halted.ok()) {
      notice.reason = halted.error().message;
    } else if (!ports.tools) {
      notice.reason = "there is no tool gate";
    } else if (!arguments.is_object()) {
      notice.reason = "the arguments are no JSON object";
    } else {
      ToolUse use;
      use.tool = call.name;
      use.returned = true;
      use.intent = wish(chat);
      use.in_request = before[call.name];
      for (const auto& [name, json] : arguments.items()) {
        LabelledValue value{as_text(json), {}};
        value.labels = origin(chat, value.value);
        value.labels.data_class = class_of(ports.guard, principal, value.value);
        use.arguments.emplace(name, std::move(value));
      }
      auto verdict = ports.tools->decide(principal, std::move(use));
      if (verdict.ok()) {
        notice.decision = name_of(verdict->decision);
        notice.reason = verdict->reason;
        notice.clause = verdict->clause;
        notice.untrusted = verdict->untrusted;
        if (verdict->decision != ToolDecision::deny) ++before[call.name];
      } else {
        notice.reason = "the tool gate failed: " + verdict.error().message;
      }
    }
    out.push_back(std::move(notice));
  }
  return out;
}

}  // namespace heng::pipeline
