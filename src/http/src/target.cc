#include "heng/http/target.h"

#include <fmt/format.h>

#include "heng/base/text.h"

namespace heng::http {
namespace {

constexpr std::size_t most_fields = 256;
constexpr std::size_t most_segments = 64;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

Result<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0)
        return Error(ErrorCode::malformed_input,
                     fmt::format("the address holds a '%' at byte {} that no two hex digits follow; write '%25' for a "
                                 "percent sign", i));
      c = static_cast<char>(high * 16 + low);
      i += 2;
    } else if (c == '+' && plus_is_space) {
      c = ' ';
    }
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      return Error(ErrorCode::malformed_input, fmt::format("the address holds a control character near byte {}", i));
    out += c;
  }
  if (const auto at = text::first_invalid_utf8(out); at != std::string_view::npos)
    return Error(ErrorCode::malformed_input, fmt::format("the decoded address is not valid UTF-8 at byte {}", at));
  return out;
}

Result<Pairs> parse_query(std::string_view query) {
  Pairs out;
  while (!query.empty()) {
    const auto end = query.find('&');
    const auto field = query.substr(0, end);
    query = end == std::string_view::npos ? std::string_view{} : query.substr(end + 1);
    if (field.empty()) continue;
    if (out.size() == most_fields)
      return Error(ErrorCode::too_large, fmt::format("the query has more than {} fields", most_fields));
    const auto equals = field.find('=');
    auto name = HENG_TRY(percent_decode(field.substr(0, equals), true));
    auto value = equals == std::string_view::npos ? std::string{}
                                                  : HENG_TRY(percent_decode(field.substr(equals + 1), true));
    out.emplace_back(std::move(name), std::move(value));
  }
  return out;
}

Result<Target> parse_target(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!text::starts_with_ci(target, scheme)) continue;
    const auto slash = target.find_first_of("/?", scheme.size());
    target = slash == std::string_view::npos ? std::string_view("/") : target.substr(slash);
  }
  target = target.substr(0, target.find('#'));
  const auto mark = target.find('?');
  auto raw_path = target.substr(0, mark);
  Target out;
  if (mark != std::string_view::npos) out.query = HENG_TRY(parse_query(target.substr(mark + 1)));
  if (raw_path.empty()) raw_path = "/";
  if (raw_path.front() != '/') return Error(ErrorCode::malformed_input, "the address must begin with '/'");
  out.path = HENG_TRY(percent_decode(raw_path, false));
  for (auto rest = raw_path.substr(1); !rest.empty();) {
    const auto end = rest.find('/');
    if (out.segments.size() == most_segments)
      return Error(ErrorCode::too_large, fmt::format("the address has more than {} segments", most_segments));
    out.segments.push_back(HENG_TRY(percent_decode(rest.substr(0, end), false)));
    if (end == std::string_view::npos) break;
    rest = rest.substr(end + 1);
    if (rest.empty()) out.segments.emplace_back();
  }
  return out;
}

}  // namespace heng::http
