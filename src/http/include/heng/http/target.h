#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "heng/base/result.h"
#include "heng/http/message.h"

namespace heng::http {

/// A request target in parts. `segments` are decoded one by one, so that "%2F" stays inside its segment.
struct Target {
  std::string path;
  std::vector<std::string> segments;
  Pairs query;
};

/// Decodes %XX; with `plus_is_space` also "+". Errors: malformed_input (half an escape, invalid UTF-8, control character).
Result<std::string> percent_decode(std::string_view text, bool plus_is_space);
/// Parses origin form ("/a/b?c=d") and absolute form ("http://host/a"). Errors: malformed_input, too_large.
Result<Target> parse_target(std::string_view target);
/// Parses "a=1&b=2". Errors: malformed_input, too_large (more than 256 fields).
Result<Pairs> parse_query(std::string_view query);

}  // namespace heng::http
