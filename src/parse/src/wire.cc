#include "heng/parse/wire.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "heng/base/hash.h"
#include "heng/base/text.h"

namespace heng::parse {
namespace {

using nlohmann::json;

constexpr std::array kind_names = {"heading", "paragraph", "list_item", "table", "code", "header", "footer", "caption"};
constexpr int max_nesting = 8;
constexpr int max_page = 10'000'000;

std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

json encode_block(const Block& block) {
  json line{{"kind", kind_names[static_cast<std::size_t>(block.kind)]}};
  if (block.level != 0) line["level"] = block.level;
  if (!block.text.empty()) line["text"] = block.text;
  if (!block.rows.empty()) line["rows"] = block.rows;
  if (block.header_rows != 0) line["header_rows"] = block.header_rows;
  if (block.page != 0) line["page"] = block.page;
  if (!block.sheet.empty()) line["sheet"] = block.sheet;
  for (const PageBox& box : block.boxes) {
    line["boxes"].push_back({box.page, box.x0, box.y0, box.x1, box.y1, box.page_width, box.page_height});
  }
  return line;
}

Error broken(std::string_view why) {
  return Error(ErrorCode::malformed_input, fmt::format("the parser's output is not usable: {}", why));
}

// nlohmann's destructor and our code recurse no deeper than this allows.
bool nested_too_deep(std::string_view line) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    char c = line[i];
    if (quoted) {
      if (c == '\\') ++i;
      else if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '[' || c == '{') {
      if (++depth > max_nesting) return true;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return false;
}

// Reads fields of one line; the first wrong one is remembered.
class Fields {
 public:
  explicit Fields(const json& line) : line_(line) {}

  void string(const char* name, std::string& out) {
    auto found = line_.find(name);
    if (found == line_.end()) return;
    if (found->is_string()) out = found->get<std::string>();
    else wrong_ = name;
  }

  void integer(const char* name, int low, int high, int& out) {
    auto found = line_.find(name);
    if (found == line_.end()) return;
    std::int64_t value = found->is_number_integer() ? found->get<std::int64_t>() : low - std::int64_t{1};
    if (value < low || value > high) wrong_ = name;
    else out = static_cast<int>(value);
  }

  void strings(const char* name, std::vector<std::string>& out) {
    auto found = line_.find(name);
    if (found == line_.end()) return;
    if (!read_strings(*found, out)) wrong_ = name;
  }

  void rows(std::vector<std::vector<std::string>>& out) {
    auto found = line_.find("rows");
    if (found == line_.end()) return;
    if (!found->is_array()) { wrong_ = "rows"; return; }
    for (const json& row : *found) {
      if (!read_strings(row, out.emplace_back())) { wrong_ = "rows"; return; }
    }
  }

  void boxes(std::vector<PageBox>& out) {
    auto found = line_.find("boxes");
    if (found == line_.end()) return;
    if (!found->is_array()) { wrong_ = "boxes"; return; }
    for (const json& entry : *found) {
      if (!read_box(entry, out.emplace_back())) { wrong_ = "boxes"; return; }
    }
  }

  const std::string& wrong() const { return wrong_; }

 private:
  static bool read_strings(const json& value, std::vector<std::string>& out) {
    if (!value.is_array()) return false;
    for (const json& text : value) {
      if (!text.is_string()) return false;
      out.push_back(text.get<std::string>());
    }
    return true;
  }

  static bool read_box(const json& entry, PageBox& box) {
    if (!entry.is_array() || entry.size() != 7 || !entry[0].is_number_integer()) return false;
    std::array<double, 6> numbers{};
    for (std::size_t i = 0; i < 6; ++i) {
      if (!entry[i + 1].is_number()) return false;
      numbers[i] = entry[i + 1].get<double>();
      if (!std::isfinite(numbers[i]) || std::fabs(numbers[i]) > 1e7) return false;
    }
    std::int64_t page = entry[0].get<std::int64_t>();
    if (page < 1 || page > max_page) return false;
    box = {static_cast<int>(page), numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]};
    return true;
  }

  const json& line_;
  std::string wrong_;
};

Result<Block> decode_block(const json& line) {
  Block block;
  std::string kind;
  Fields fields(line);
  fields.string("kind", kind);
  fields.integer("level", 0, 100, block.level);
  fields.string("text", block.text);
  fields.rows(block.rows);
  fields.integer("header_rows", 0, 1'000'000, block.header_rows);
  fields.integer("page", 0, max_page, block.page);
  fields.string("sheet", block.sheet);
  fields.boxes(block.boxes);
  if (!fields.wrong().empty()) return broken(fmt::format("field {} of a block", fields.wrong()));
  for (std::size_t i = 0; i < kind_names.size(); ++i) {
    if (kind != kind_names[i]) continue;
    block.kind = static_cast<BlockKind>(i);
    if (block.header_rows > static_cast<int>(block.rows.size())) return broken("more header rows than rows");
    if ((block.kind == BlockKind::table) == block.rows.empty()) return broken("rows outside a table or a table without");
    return block;
  }
  return broken("unknown kind of block");
}

Error decode_error(const json& error) {
  std::string code, message = "no reason given";
  if (error.is_object()) {
    Fields fields(error);
    fields.string("code", code);
    fields.string("message", message);
  }
  message.resize(std::min<std::size_t>(message.size(), 2000));
  message = text::replace_invalid_utf8(message);
  for (ErrorCode known : {ErrorCode::unsupported, ErrorCode::too_large, ErrorCode::deadline_exceeded,
                          ErrorCode::unavailable, ErrorCode::internal}) {
    if (code == to_string(known)) return Error(known, message);
  }
  return Error(ErrorCode::malformed_input, message);
}

class Decoder {
 public:
  explicit Decoder(const DecodeLimits& limits) : limits_(limits) {}

  Result<void> line(std::string_view text) {
    if (text.size() > limits_.max_line_bytes) return broken("a line is too long");
    if (ended_) return broken("a line after the end");
    if (nested_too_deep(text)) return broken("nested too deep");
    json line = json::parse(text, nullptr, false);
    if (!line.is_object()) return broken("a line is not a JSON object");
    if (line.contains("error")) return decode_error(line["error"]);
    if (line.contains("kind")) return block(line);
    if (line.contains("attachment")) return attachment(line);
    if (line.contains("document")) return document(line["document"]);
    if (line.contains("end")) return end(line);
    return broken("an unknown line");
  }

  Result<ParserOutput> finish() && {
    if (!ended_) return broken("it stops in the middle");
    return std::move(output_);
  }

 private:
  Result<void> block(const json& line) {
    if (output_.document.blocks.size() >= limits_.max_blocks) return broken("too many blocks");
    output_.document.blocks.push_back(HENG_TRY(decode_block(line)));
    return {};
  }

  Result<void> attachment(const json& line) {
    Attachment found;
    std::string encoded;
    Fields fields(line);
    fields.string("attachment", found.name);
    fields.string("base64", encoded);
    if (!fields.wrong().empty()) return broken("an attachment");
    found.bytes = HENG_TRY(from_base64(encoded));
    output_.attachments.push_back(std::move(found));
    return {};
  }

  Result<void> document(const json& line) {
    if (!line.is_object()) return broken("the document line");
    Fields fields(line);
    fields.string("title", output_.document.title);
    fields.string("media_type", output_.document.media_type);
    fields.integer("pages", 0, max_page, output_.document.pages);
    fields.strings("warnings", output_.document.warnings);
    if (!fields.wrong().empty()) return broken(fmt::format("field {} of the document", fields.wrong()));
    return {};
  }

  Result<void> end(const json& line) {
    if (!line["end"].is_number_unsigned() || line["end"].get<std::size_t>() != output_.document.blocks.size()) {
      return broken("blocks are missing");
    }
    ended_ = true;
    return {};
  }

  const DecodeLimits& limits_;
  ParserOutput output_;
  bool ended_ = false;
};

}  // namespace

void encode(const ParserOutput& output, const std::function<bool(std::string_view)>& write) {
  const ParsedDocument& document = output.document;
  json head{{"title", document.title}, {"media_type", document.media_type}, {"pages", document.pages},
            {"warnings", document.warnings}};
  if (!write(dump({{"document", head}}))) return;
  for (const Block& block : document.blocks) {
    if (!write(dump(encode_block(block)))) return;
  }
  for (const Attachment& attachment : output.attachments) {
    if (!write(dump({{"attachment", attachment.name}, {"base64", to_base64(attachment.bytes)}}))) return;
  }
  write(dump({{"end", document.blocks.size()}}));
}

std::string encode_error(const Error& error) {
  return dump({{"error", {{"code", std::string(to_string(error.code))}, {"message", error.message}}}});
}

Result<ParserOutput> decode(std::string_view lines, const DecodeLimits& limits) {
  Decoder decoder(limits);
  while (!lines.empty()) {
    std::size_t end = lines.find('\n');
    if (end == std::string_view::npos) return broken("it stops in the middle of a line");
    HENG_TRY(decoder.line(lines.substr(0, end)));
    lines.remove_prefix(end + 1);
  }
  return std::move(decoder).finish();
}

}  // namespace heng::parse
