#include "heng/streams/message.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "heng/base/text.h"
#include "heng/base/time_text.h"

namespace heng::streams {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t longest_id = 256, longest_source = 256;

const Json* first_of(const Json& object, std::initializer_list<const char*> names) {
  for (const char* name : names)
    if (const auto found = object.find(name); found != object.end() && !found->is_null()) return &*found;
  return nullptr;
}

Result<std::string> read_text(const Json* value, const char* name) {
  if (value == nullptr) return std::string();
  if (!value->is_string()) return Error(ErrorCode::malformed_input, fmt::format("\"{}\" must be text", name), name);
  return value->get<std::string>();
}

std::int64_t read_time(const Json* value, int utc_offset_minutes) {
  if (value == nullptr) return 0;
  std::string text;
  if (value->is_string()) text = value->get<std::string>();
  else if (value->is_number_unsigned()) text = std::to_string(value->get<std::uint64_t>());
  const auto parsed = parse_time(text, utc_offset_minutes);
  return parsed.ok() ? *parsed : 0;
}

std::string cut(const std::string& text, std::size_t most) { return text.size() <= most ? text : text.substr(0, text::complete_utf8_prefix(text.substr(0, most))); }

Result<Message> read_object(const Json& object, int utc_offset_minutes) {
  if (!object.is_object()) return Error(ErrorCode::malformed_input, "not a JSON object");
  Message out;
  const auto title = HENG_TRY(read_text(first_of(object, {"title", "headline"}), "title"));
  const auto body = HENG_TRY(read_text(first_of(object, {"text", "content", "body"}), "text"));
  if (title.empty() && body.empty()) return Error(ErrorCode::malformed_input, "no \"text\" (or \"content\", \"body\", \"title\")", "text");
  out.text = title.empty() || body.starts_with(title) ? body : body.empty() ? title : title + "\n" + body;
  if (const auto* id = first_of(object, {"id"})) {
    if (!id->is_string() && !id->is_number_integer()) return Error(ErrorCode::malformed_input, "\"id\" must be text or a whole number", "id");
    out.id = cut(id->is_string() ? id->get<std::string>() : id->dump(), longest_id);
  }
  out.source = cut(HENG_TRY(read_text(first_of(object, {"source", "publisher"}), "source")), longest_source);
  out.published_ms = read_time(first_of(object, {"published", "published_at", "published_time", "time", "datetime", "date"}), utc_offset_minutes);
  out.event_ms = read_time(first_of(object, {"event_time", "event_date"}), utc_offset_minutes);
  return out;
}

/// Deeper than this nobody means it.
Result<Json> parse(std::string_view text) {
  if (const auto at = text::first_invalid_utf8(text); at != std::string_view::npos) return Error(ErrorCode::malformed_input, fmt::format("not UTF-8 at byte {}", at));
  constexpr int most_depth = 64;
  bool deep = false;
  Json out = Json::parse(text, [&](int depth, Json::parse_event_t, Json&) { deep = deep || depth > most_depth; return !deep; }, false);
  if (deep) return Error(ErrorCode::malformed_input, fmt::format("nested deeper than {} levels", most_depth));
  if (out.is_discarded()) return Error(ErrorCode::malformed_input, "not JSON");
  return out;
}

}  // namespace

Result<Message> parse_message(std::string_view json, int utc_offset_minutes) {
  const auto object = HENG_TRY(parse(json));
  return read_object(object, utc_offset_minutes);
}

Result<Message> parse_line(std::string_view line, bool plain, int utc_offset_minutes) {
  const auto trimmed = text::trim(line);
  if (!plain || trimmed.starts_with("{")) return parse_message(trimmed, utc_offset_minutes);
  Message out;
  out.text = std::string(trimmed);
  return out;
}

Result<std::vector<std::string>> split_body(std::string_view body, std::size_t most) {
  std::vector<std::string> out;
  const auto trimmed = text::trim(body);
  const Error too_many(ErrorCode::too_large, fmt::format("more than {} messages in one request; send them in several", most), "items");
  if (trimmed.empty()) return Error(ErrorCode::malformed_input, "the body is empty; send JSON Lines or a JSON array of {\"text\":…}");
  const bool wrapped = trimmed.front() == '{' && trimmed.find("\"items\"") != std::string_view::npos;
  if (trimmed.front() == '[' || wrapped) {
    const auto whole = parse(trimmed);
    const Json* list = !whole.ok() ? nullptr : whole->is_array() ? &*whole : whole->contains("items") && (*whole)["items"].is_array() ? &(*whole)["items"] : nullptr;
    if (list != nullptr) {
      if (list->size() > most) return too_many;
      for (const auto& item : *list) out.push_back(item.dump());
      return out;
    }
    if (trimmed.front() == '[') return Error(ErrorCode::malformed_input, "the body is not a JSON array: " + (whole.ok() ? std::string("not an array") : whole.error().message));
  }
  for (std::size_t begin = 0; begin < body.size();) {
    const auto end = std::min(body.find('\n', begin), body.size());
    const auto line = text::trim(body.substr(begin, end - begin));
    begin = end + 1;
    if (line.empty()) continue;
    if (out.size() == most) return too_many;
    out.emplace_back(line);
  }
  return out;
}

}  // namespace heng::streams
