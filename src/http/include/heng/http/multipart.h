#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "heng/base/result.h"

namespace heng::http {

/// One part of a multipart/form-data body. `content` points into the body.
struct Part {
  std::string name, filename, media_type;
  std::string_view content;
};

/// Parses multipart/form-data (RFC 7578). `content_type` is the header with its boundary. Errors: malformed_input,
/// too_large (more than 1,000 parts).
Result<std::vector<Part>> parse_multipart(std::string_view content_type, std::string_view body);

}  // namespace heng::http
