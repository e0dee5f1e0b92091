#include "fields.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <set>
#include <vector>

#include "heng/base/text.h"

namespace heng::api {
namespace {

constexpr int most_levels = 64;

/// Refuses repeated names while the parser builds: which of the two counts would be anybody's guess.
struct Watch {
  std::vector<std::set<std::string>> names;
  std::optional<Error> error;

  bool operator()(int, Json::parse_event_t event, Json& parsed) {
    if (error) return false;
    using Event = Json::parse_event_t;
    if (event == Event::object_start) {
      names.emplace_back();
    } else if (event == Event::object_end) {
      if (!names.empty()) names.pop_back();
    } else if (event == Event::key && !names.empty()) {
      const auto& name = parsed.get_ref<const std::string&>();
      if (!names.back().insert(name).second)
        error = Error(ErrorCode::malformed_input, fmt::format("the JSON has the name \"{}\" twice in one object", name), name);
    }
    return !error;
  }
};

/// Checked before parsing: writing and comparing JSON values recurses.
bool nests_too_deep(std::string_view bytes) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const char c = bytes[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > most_levels) return true;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

}  // namespace

Result<Json> parse_json(std::string_view bytes) {
  if (bytes.empty()) return Error(ErrorCode::malformed_input, "the body is empty; send a JSON object");
  if (const auto at = text::first_invalid_utf8(bytes); at != std::string_view::npos)
    return Error(ErrorCode::malformed_input, fmt::format("the body is not valid UTF-8 at byte {}", at));
  if (nests_too_deep(bytes))
    return Error(ErrorCode::malformed_input, fmt::format("the JSON is nested more than {} levels deep", most_levels));
  Watch watch;
  try {
    auto value = Json::parse(bytes.begin(), bytes.end(), std::ref(watch));
    if (watch.error) return *watch.error;
    return value;
  } catch (const Json::parse_error& error) {
    if (watch.error) return *watch.error;
    return Error(ErrorCode::malformed_input, fmt::format("the body is not valid JSON at byte {}", error.byte));
  } catch (const Json::exception&) {
    return Error(ErrorCode::malformed_input, "the body holds a number that is out of range");
  }
}

Result<Json> parse_object(std::string_view bytes) {
  auto value = HENG_TRY(parse_json(bytes));
  if (!value.is_object())
    return Error(ErrorCode::invalid_argument, fmt::format("the body must be a JSON object, it is {}", value.type_name()));
  return value;
}

std::string dump(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

const Json* Fields::find(std::string_view name) const {
  if (!object_.is_object()) return nullptr;
  const auto found = object_.find(name);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

std::string Fields::name_of(std::string_view name) const {
  return path_.empty() ? std::string(name) : name.empty() ? path_ : fmt::format("{}.{}", path_, name);
}

Error Fields::wrong(std::string_view name, std::string_view must_be) const {
  const auto full = name_of(name);
  const auto* value = find(name);
  if (value == nullptr) return Error(ErrorCode::invalid_argument, fmt::format("'{}' is missing: it must be {}", full, must_be), full);
  return Error(ErrorCode::invalid_argument, fmt::format("'{}' must be {}, it is {}", full, must_be, value->is_number() ? value->dump() : value->type_name()), full);
}

Result<std::optional<std::string>> Fields::text(std::string_view name, std::size_t most_characters) const {
  const auto* value = find(name);
  if (value == nullptr) return std::optional<std::string>{};
  if (!value->is_string()) return wrong(name, "a string");
  const auto& held = value->get_ref<const std::string&>();
  // the body was checked to be UTF-8, so that characters can be counted
  if (most_characters != any_length && text::code_points(held) > most_characters)
    return Error(ErrorCode::invalid_argument,
                 fmt::format("'{}' has {} characters, the limit is {}", name_of(name), text::code_points(held), most_characters),
                 name_of(name));
  return std::optional<std::string>(held);
}

Result<std::string> Fields::required_text(std::string_view name, std::size_t most_characters) const {
  auto value = HENG_TRY(text(name, most_characters));
  if (!value || value->find_first_not_of(" \t\r\n") == std::string::npos) {
    if (value) return Error(ErrorCode::invalid_argument, fmt::format("'{}' is empty", name_of(name)), name_of(name));
    return wrong(name, "a string");
  }
  return std::move(*value);
}

Result<std::optional<std::int64_t>> Fields::integer(std::string_view name, std::int64_t least, std::int64_t most) const {
  const auto* value = find(name);
  if (value == nullptr) return std::optional<std::int64_t>{};
  const auto must = fmt::format("a whole number from {} to {}", least, most);
  std::int64_t number = 0;
  if (value->is_number_unsigned()) {
    const auto wide = value->get<std::uint64_t>();
    if (wide > static_cast<std::uint64_t>(INT64_MAX)) return wrong(name, must);
    number = static_cast<std::int64_t>(wide);
  } else if (value->is_number_integer()) {
    number = value->get<std::int64_t>();
  } else if (value->is_number_float()) {
    // 1.0 is a whole number in JSON schema, and some clients send it so
    const double wide = value->get<double>();
    if (std::floor(wide) != wide || std::abs(wide) > 9.0e15) return wrong(name, must);
    number = static_cast<std::int64_t>(wide);
  } else {
    return wrong(name, must);
  }
  if (number < least || number > most) return wrong(name, must);
  return std::optional<std::int64_t>(number);
}

Result<std::optional<double>> Fields::number(std::string_view name, double least, double most) const {
  const auto* value = find(name);
  if (value == nullptr) return std::optional<double>{};
  const auto must = fmt::format("a number from {} to {}", least, most);
  if (!value->is_number()) return wrong(name, must);
  const double number = value->get<double>();
  if (!(number >= least && number <= most)) return wrong(name, must);
  return std::optional<double>(number);
}

Result<std::optional<bool>> Fields::boolean(std::string_view name) const {
  const auto* value = find(name);
  if (value == nullptr) return std::optional<bool>{};
  if (!value->is_boolean()) return wrong(name, "true or false");
  return std::optional<bool>(value->get<bool>());
}

Result<const Json*> Fields::array(std::string_view name) const {
  const auto* value = find(name);
  if (value != nullptr && !value->is_array()) return wrong(name, "an array");
  return value;
}

Result<const Json*> Fields::object(std::string_view name) const {
  const auto* value = find(name);
  if (value != nullptr && !value->is_object()) return wrong(name, "an object");
  return value;
}

Result<std::int64_t> parse_integer(std::string_view text, std::string_view name, std::int64_t least, std::int64_t most) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < least || number > most)
    return Error(ErrorCode::invalid_argument, fmt::format("'{}' must be a whole number from {} to {}", name, least, most),
                 std::string(name));
  return number;
}

}  // namespace heng::api
