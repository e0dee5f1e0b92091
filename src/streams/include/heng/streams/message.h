#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "heng/base/result.h"

namespace heng::streams {

/// A message as its sender gives it: news, a post, a filing. Times are Unix milliseconds, 0: not known.
struct Message {
  std::string id;                     ///< The sender's own; the same id with the same text again is the same message. May be empty.
  std::string text;                   ///< UTF-8, uncleaned; a title is its first line.
  std::string source;                 ///< Who published it; may be empty.
  std::int64_t event_ms = 0;          ///< When what it tells of happened.
  std::int64_t published_ms = 0;      ///< When it was published.
};

/// Reads {"text"|"content"|"body"[,"title"|"headline","id","source"|"publisher","published"|"published_at"|"time"|"date",
/// "event_time"|"event_date"]}. Times are text or Unix seconds or milliseconds; one that cannot be read counts as unknown.
/// Errors: malformed_input (what is missing or of the wrong type).
Result<Message> parse_message(std::string_view json, int utc_offset_minutes);

/// A line of a file: a JSON object, or the text itself where it does not begin with "{" and `plain` is allowed.
Result<Message> parse_line(std::string_view line, bool plain, int utc_offset_minutes);

/// The messages of a request body as JSON texts: JSON Lines, one array, or {"items":[…]}. Errors: malformed_input, too_large (`most`).
Result<std::vector<std::string>> split_body(std::string_view body, std::size_t most);

}  // namespace heng::streams
