#include "heng/http/multipart.h"

#include <fmt/format.h>

#include <optional>

#include "heng/base/text.h"

namespace heng::http {
namespace {

constexpr std::size_t most_parts = 1000;
constexpr std::size_t most_header_bytes = 8 * 1024;

/// Value of `name=` in a header such as `form-data; name="file"; filename="a.pdf"`; quotes and escapes undone.
std::optional<std::string> parameter(std::string_view header, std::string_view name) {
  std::size_t i = header.find(';');
  while (i != std::string_view::npos && i < header.size()) {
    ++i;
    while (i < header.size() && (header[i] == ' ' || header[i] == '\t')) ++i;
    const auto key_begin = i;
    while (i < header.size() && header[i] != '=' && header[i] != ';') ++i;
    const auto key = header.substr(key_begin, i - key_begin);
    std::string value;
    if (i < header.size() && header[i] == '=') {
      ++i;
      if (i < header.size() && header[i] == '"') {
        for (++i; i < header.size() && header[i] != '"'; ++i) {
          if (header[i] == '\\' && i + 1 < header.size() && (header[i + 1] == '"' || header[i + 1] == '\\')) ++i;
          value += header[i];
        }
        i = header.find(';', i);
      } else {
        const auto end = header.find(';', i);
        value = text::trim(header.substr(i, end == std::string_view::npos ? end : end - i));
        i = end;
      }
    }
    if (text::equals_ci(key, name)) return value;
  }
  return std::nullopt;
}

Result<Part> parse_part(std::string_view bytes) {
  Part part;
  std::string_view head;
  if (bytes.substr(0, 2) == "\r\n") {
    part.content = bytes.substr(2);
  } else {
    const auto end = bytes.substr(0, most_header_bytes).find("\r\n\r\n");
    if (end == std::string_view::npos)
      return Error(ErrorCode::malformed_input, "a part of the form has no end of its header within 8 KiB");
    head = bytes.substr(0, end);
    part.content = bytes.substr(end + 4);
  }
  while (!head.empty()) {
    const auto end = head.find("\r\n");
    const auto line = head.substr(0, end);
    head = end == std::string_view::npos ? std::string_view{} : head.substr(end + 2);
    const auto colon = line.find(':');
    if (colon == std::string_view::npos)
      return Error(ErrorCode::malformed_input, "a header line of a part of the form has no colon");
    const auto name = text::trim(line.substr(0, colon));
    const auto value = text::trim(line.substr(colon + 1));
    if (text::equals_ci(name, "content-type")) part.media_type = value;
    if (!text::equals_ci(name, "content-disposition")) continue;
    part.name = parameter(value, "name").value_or("");
    part.filename = parameter(value, "filename").value_or("");
  }
  if (!text::is_valid_utf8(part.name) || !text::is_valid_utf8(part.filename))
    return Error(ErrorCode::malformed_input, "a part's name or file name is not valid UTF-8");
  return part;
}

}  // namespace

Result<std::vector<Part>> parse_multipart(std::string_view content_type, std::string_view body) {
  const auto boundary = parameter(content_type, "boundary");
  if (!text::starts_with_ci(content_type, "multipart/form-data") || !boundary || boundary->empty() || boundary->size() > 70)
    return Error(ErrorCode::malformed_input, "content-type must be multipart/form-data with a boundary of 1 to 70 characters",
                 "content-type");
  const std::string first = "--" + *boundary;
  const std::string between = "\r\n--" + *boundary;
  std::size_t at = 0;
  if (body.substr(0, first.size()) == first) {
    at = first.size();
  } else {
    at = body.find(between);
    if (at == std::string_view::npos) return Error(ErrorCode::malformed_input, "the form holds no boundary line");
    at += between.size();
  }
  std::vector<Part> parts;
  for (;;) {
    if (body.substr(at, 2) == "--") return parts;
    while (at < body.size() && (body[at] == ' ' || body[at] == '\t')) ++at;
    if (body.substr(at, 2) != "\r\n") return Error(ErrorCode::malformed_input, "a boundary line of the form does not end");
    at += 2;
    if (parts.size() == most_parts)
      return Error(ErrorCode::too_large, fmt::format("the form has more than {} parts", most_parts));
    // an empty part's closing boundary begins with the CRLF that ends its header
    const auto end = body.find(between, at >= 2 ? at - 2 : at);
    if (end == std::string_view::npos)
      return Error(ErrorCode::malformed_input, "the form ends before its closing boundary; was the upload cut off?");
    parts.push_back(HENG_TRY(parse_part(end < at ? std::string_view{} : body.substr(at, end - at))));
    at = end + between.size();
  }
}

}  // namespace heng::http
