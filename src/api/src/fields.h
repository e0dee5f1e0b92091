#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "heng/base/result.h"
#include "heng/http/message.h"

namespace heng::api {

using Json = nlohmann::ordered_json;

inline constexpr std::size_t any_length = static_cast<std::size_t>(-1);  ///< The body's limit is limit enough.
/// The largest whole number that every JSON reader keeps exactly, 2^53 - 1.
inline constexpr std::int64_t most_integer = 9'007'199'254'740'991;

/// Parses a request's JSON: valid UTF-8, at most 64 levels deep, no name twice in one object. Errors: malformed_input
/// (with the byte), too_large.
Result<Json> parse_json(std::string_view bytes);
/// The same, for a body that must be an object.
Result<Json> parse_object(std::string_view bytes);
/// The text of a JSON value; invalid UTF-8 is replaced.
std::string dump(const Json& value);

/// Reads the fields of an object with checks of type and range. null counts as absent. Errors name the field.
class Fields {
 public:
  explicit Fields(const Json& object, std::string path = {}) : object_(object), path_(std::move(path)) {}

  const Json* find(std::string_view name) const;   ///< Nothing where absent or null.
  Result<std::optional<std::string>> text(std::string_view name, std::size_t most_characters = any_length) const;
  /// Present and not blank (spaces, tabs and line ends only).
  Result<std::string> required_text(std::string_view name, std::size_t most_characters = any_length) const;
  Result<std::optional<std::int64_t>> integer(std::string_view name, std::int64_t least, std::int64_t most) const;
  Result<std::optional<double>> number(std::string_view name, double least, double most) const;
  Result<std::optional<bool>> boolean(std::string_view name) const;
  Result<const Json*> array(std::string_view name) const;
  Result<const Json*> object(std::string_view name) const;
  std::string name_of(std::string_view name) const;  ///< "messages[2].content".
  Error wrong(std::string_view name, std::string_view must_be) const;

 private:
  const Json& object_;
  std::string path_;
};

/// A whole number in a query or path. Errors: invalid_argument, naming it.
Result<std::int64_t> parse_integer(std::string_view text, std::string_view name, std::int64_t least, std::int64_t most);

}  // namespace heng::api
