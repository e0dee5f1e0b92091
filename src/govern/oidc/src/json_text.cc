#include "json_text.h"

#include <set>
#include <vector>

#include "heng/base/text.h"

namespace heng::oidc {
namespace {

constexpr int most_depth = 16;
struct Refused {};

}  // namespace

std::optional<Json> parse_object(std::string_view text, std::size_t most_bytes) {
  if (text.size() > most_bytes || !text::is_valid_utf8(text)) return std::nullopt;
  std::vector<std::set<std::string>> names;
  const auto watch = [&](int depth, Json::parse_event_t event, Json& value) {
    if (depth > most_depth) throw Refused{};
    if (event == Json::parse_event_t::object_start) names.emplace_back();
    if (event == Json::parse_event_t::object_end) names.pop_back();
    if (event == Json::parse_event_t::key && !names.back().insert(value.get<std::string>()).second) throw Refused{};
    return true;
  };
  try {
    Json out = Json::parse(text.begin(), text.end(), watch);
    if (!out.is_object()) return std::nullopt;
    return out;
  } catch (const Refused&) {
    return std::nullopt;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

std::optional<std::string> text_of(const Json& object, const char* name) {
  const auto at = object.find(name);
  if (at == object.end() || !at->is_string()) return std::nullopt;
  return at->get<std::string>();
}

}  // namespace heng::oidc
