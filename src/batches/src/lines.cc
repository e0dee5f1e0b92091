#include "lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "heng/base/text.h"

namespace heng::batches {
namespace {

using Json = nlohmann::ordered_json;
constexpr int deepest = 64;
constexpr std::size_t longest_custom_id = 512;

std::string dump(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

/// Parses; what is nested too deep or has a name twice in one object is refused, as in a request's body.
Result<Json> parse(std::string_view text) {
  std::vector<std::set<std::string>> names;
  std::string wrong;
  const auto look = [&](int depth, Json::parse_event_t event, Json& parsed) {
    if (depth > deepest && wrong.empty()) wrong = fmt::format("nested deeper than {} levels", deepest);
    if (event == Json::parse_event_t::object_start) names.emplace_back();
    if (event == Json::parse_event_t::object_end && !names.empty()) names.pop_back();
    if (event == Json::parse_event_t::key && !names.empty() && !names.back().insert(parsed.get<std::string>()).second && wrong.empty())
      wrong = fmt::format("the name \"{}\" stands twice in one object", parsed.get<std::string>().substr(0, 80));
    return true;
  };
  Json out;
  try {
    out = Json::parse(text, look);
  } catch (const Json::parse_error& error) {
    return Error(ErrorCode::malformed_input, fmt::format("not JSON (byte {})", error.byte));
  } catch (const Json::exception&) {
    return Error(ErrorCode::malformed_input, "holds a number that is too large");
  }
  if (!wrong.empty()) return Error(ErrorCode::malformed_input, wrong);
  return out;
}

/// The field as text; nothing where it is absent or something else.
std::optional<std::string> text_of(const Json& object, const char* name) {
  const auto at = object.find(name);
  if (at == object.end() || !at->is_string()) return std::nullopt;
  return at->get<std::string>();
}

Result<void> read_fields(const Json& object, std::string_view endpoint, BatchLine& out) {
  const auto custom_id = text_of(object, "custom_id");
  if (!custom_id || custom_id->empty() || custom_id->size() > longest_custom_id)
    return Error(ErrorCode::invalid_argument, fmt::format("\"custom_id\" must be a text of 1 to {} bytes", longest_custom_id), "custom_id");
  out.custom_id = *custom_id;
  const auto method = text_of(object, "method");
  if (!method || *method != "POST") return Error(ErrorCode::invalid_argument, "\"method\" must be \"POST\"", "method");
  const auto url = text_of(object, "url");
  if (!url || *url != endpoint) return Error(ErrorCode::invalid_argument, fmt::format("\"url\" must be the batch's endpoint, \"{}\"", endpoint), "url");
  const auto body = object.find("body");
  if (body == object.end() || !body->is_object()) return Error(ErrorCode::invalid_argument, "\"body\" must be an object", "body");
  const auto stream = body->find("stream");
  if (stream != body->end() && stream->is_boolean() && stream->get<bool>()) return Error(ErrorCode::unsupported, "a batch does not stream; leave \"stream\" out", "body.stream");
  out.body = dump(*body);
  return {};
}

}  // namespace

Result<std::string> StoredPieces::piece(std::int64_t number) {
  auto reader = HENG_TRY(pool_.reader());
  auto row = HENG_TRY(reader->prepare("SELECT bytes FROM part WHERE file = ? AND number = ?"));
  row.bind_all(file_, number);
  if (!HENG_TRY(row.step())) return std::string();
  return std::string(row.blob(0));
}

Result<bool> LineReader::next(InputLine& out) {
  while (HENG_TRY(next_physical(out)))
    if (out.too_long || !text::trim(out.text).empty()) return true;
  return false;
}

Result<bool> LineReader::next_physical(InputLine& out) {
  out.text.clear();
  out.too_long = false;
  out.tries = 0;
  bool begun = false;
  for (;;) {
    if (at_ == piece_.size()) {
      if (ended_) return begun;
      piece_ = HENG_TRY(source_.piece(pieces_++));
      at_ = 0;
      if (piece_.empty()) {
        ended_ = true;
        if (begun && !out.too_long && out.text.ends_with('\r')) out.text.pop_back();
        return begun;
      }
      if (pieces_ == 1 && piece_.starts_with("\xef\xbb\xbf")) at_ = 3;
      continue;
    }
    if (!begun) out.number = ++number_;
    begun = true;
    const auto end = piece_.find('\n', at_);
    const auto length = (end == std::string::npos ? piece_.size() : end) - at_;
    if (out.too_long || out.text.size() + length > longest_) {
      out.too_long = true;
      out.text.clear();
    } else {
      out.text.append(piece_, at_, length);
    }
    at_ += length;
    if (end == std::string::npos) continue;
    ++at_;
    if (!out.too_long && out.text.ends_with('\r')) out.text.pop_back();
    return true;
  }
}

BatchLine parse_line(const InputLine& line, std::string_view endpoint, std::size_t longest) {
  BatchLine out;
  if (line.too_long) {
    out.error = Error(ErrorCode::too_large, fmt::format("the line is longer than {} bytes", longest));
    return out;
  }
  if (const auto bad = text::first_invalid_utf8(line.text); bad != std::string_view::npos) {
    out.error = Error(ErrorCode::malformed_input, fmt::format("not UTF-8 (byte {} of the line)", bad));
    return out;
  }
  const auto parsed = parse(line.text);
  if (!parsed.ok()) out.error = parsed.error();
  else if (!parsed->is_object()) out.error = Error(ErrorCode::malformed_input, "not a JSON object");
  else if (auto read = read_fields(*parsed, endpoint, out); !read.ok()) out.error = read.error();
  return out;
}

std::string answered_line(const std::string& id, const std::string& custom_id, int status, const std::string& request_id, const std::string& body) {
  return fmt::format("{{\"id\":\"{}\",\"custom_id\":{},\"response\":{{\"status_code\":{},\"request_id\":\"{}\",\"body\":{}}},\"error\":null}}\n", id, dump(custom_id), status, request_id,
                     body.empty() ? "null" : body);
}

std::string failed_line(const std::string& id, const std::string& custom_id, std::string_view code, const std::string& message, const std::string& param, std::int64_t line) {
  Json error{{"code", code}, {"message", message}};
  if (!param.empty()) error["param"] = param;
  if (line > 0) error["line"] = line;
  return dump({{"id", id}, {"custom_id", custom_id.empty() ? Json(nullptr) : Json(custom_id)}, {"response", nullptr}, {"error", std::move(error)}}) + "\n";
}

Result<void> check_kind(std::string_view name, std::string_view bytes) {
  const auto dot = name.rfind('.');
  const auto ending = dot == std::string_view::npos ? std::string_view{} : name.substr(dot);
  if (!ending.empty() && !text::equals_ci(ending, ".jsonl") && !text::equals_ci(ending, ".ndjson"))
    return Error(ErrorCode::invalid_argument, fmt::format("\"{}\" is no file of requests: send JSON Lines with the ending .jsonl", text::replace_invalid_utf8(name.substr(0, 200))), "file");
  const struct {
    std::string_view begin, what;
  } kinds[] = {{"%PDF", "a PDF"}, {"PK\x03\x04", "a ZIP archive (or an Office document)"}, {"\x1f\x8b", "compressed with gzip"}, {"\xff\xfe", "UTF-16"}, {"\xfe\xff", "UTF-16"}};
  for (const auto& kind : kinds)
    if (bytes.starts_with(kind.begin)) return Error(ErrorCode::invalid_argument, fmt::format("the file is {}: send JSON Lines in UTF-8", kind.what), "file");
  if (bytes.starts_with("\xef\xbb\xbf")) bytes.remove_prefix(3);
  const auto first = std::find_if(bytes.begin(), bytes.end(), [](char c) { return c != ' ' && c != '\t' && c != '\r' && c != '\n'; });
  if (first == bytes.end()) return Error(ErrorCode::malformed_input, "the file is empty", "file");
  if (*first == '[') return Error(ErrorCode::invalid_argument, "the file is a JSON array: write one object on each line", "file");
  if (bytes.find('\0') != std::string_view::npos) return Error(ErrorCode::invalid_argument, "the file holds zero bytes: send JSON Lines in UTF-8", "file");
  return {};
}

}  // namespace heng::batches
