#include "tool_call_text.h"

#include <nlohmann/json.hpp>

#include "heng/base/text.h"

namespace heng::infer {
namespace {

constexpr int calls_limit = 16;

/// End of the JSON object at the beginning of `text`, or 0.
std::size_t object_end(std::string_view text) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quoted) {
      if (text[i] == '\\') ++i;
      else if (text[i] == '"') quoted = false;
    } else if (text[i] == '"') {
      quoted = true;
    } else if (text[i] == '{') {
      if (++depth > 64) return 0;
    } else if (text[i] == '}' && --depth == 0) {
      return i + 1;
    }
  }
  return 0;
}

std::string_view without_fence(std::string_view text) {
  text = text::trim(text);
  if (text.substr(0, 3) != "```") return text;
  const auto line = text.find('\n');
  if (line == std::string_view::npos || text.size() < 6 || text.substr(text.size() - 3) != "```") return {};
  return text::trim(text.substr(line, text.size() - 3 - line));
}

}  // namespace

std::vector<ToolCall> tool_calls_in_text(std::string_view text, const std::set<std::string>& tools) {
  std::vector<ToolCall> calls;
  for (auto rest = without_fence(text); !rest.empty(); rest = text::trim(rest)) {
    const auto end = rest[0] == '{' ? object_end(rest) : 0;
    if (end == 0 || calls.size() == calls_limit) return {};
    const auto object = nlohmann::json::parse(rest.substr(0, end), nullptr, false);
    if (object.is_discarded() || !object.is_object() || object.size() != 2) return {};
    const auto name = object.find("name"), arguments = object.find("arguments");
    if (name == object.end() || arguments == object.end() || !name->is_string() || !arguments->is_object()) return {};
    if (!tools.contains(name->get<std::string>())) return {};
    calls.push_back({"", name->get<std::string>(), arguments->dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)});
    rest.remove_prefix(end);
  }
  return calls;
}

bool may_become_tool_call(std::string_view text) {
  text = text::trim(text);
  if (text.substr(0, 3) == "```" || std::string_view("```").substr(0, text.size()) == text) {
    const auto line = text.find('\n');
    if (line == std::string_view::npos) return text.size() < 16;
    text = text::trim(text.substr(line));
  }
  if (text.empty()) return true;
  if (text[0] != '{') return false;
  text = text::trim(text.substr(1));
  const std::string_view key = "\"name\"";
  return text.substr(0, key.size()) == key.substr(0, text.size());
}

}  // namespace heng::infer
