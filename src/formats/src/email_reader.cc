#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

#include "charset.h"
#include "heng/base/text.h"
#include "readers.h"

namespace heng::formats {
namespace {

constexpr int max_part_depth = 20;
constexpr std::size_t max_parts = 1000;

using Fields = std::map<std::string, std::string>;  // names in lower case; the first of each

std::string decode_base64(std::string_view text) {
  std::string out;
  unsigned bits = 0;
  int count = 0;
  for (char c : text) {
    int value = c >= 'A' && c <= 'Z' ? c - 'A' : c >= 'a' && c <= 'z' ? c - 'a' + 26 : c >= '0' && c <= '9' ? c - '0' + 52
              : c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
    if (value < 0) continue;
    bits = (bits << 6 | static_cast<unsigned>(value)) & 0xFFFFFF;
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>(bits >> count & 0xFF);
    }
  }
  return out;
}

int hex(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }

std::string decode_quoted_printable(std::string_view text, bool header) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '_' && header) {
      out += ' ';
    } else if (text[i] != '=') {
      out += text[i];
    } else if (i + 2 < text.size() && hex(text[i + 1]) >= 0 && hex(text[i + 2]) >= 0) {
      out += static_cast<char>(hex(text[i + 1]) * 16 + hex(text[i + 2]));
      i += 2;
    } else if (i + 1 < text.size() && (text[i + 1] == '\n' || text[i + 1] == '\r')) {
      i += text[i + 1] == '\r' && i + 2 < text.size() && text[i + 2] == '\n' ? 2 : 1;
    } else {
      out += '=';
    }
  }
  return out;
}

// RFC 2047: "=?charset?B|Q?text?=".
std::string decode_words(std::string_view raw) {
  std::string out;
  bool after_word = false;
  while (!raw.empty()) {
    std::size_t start = raw.find("=?");
    std::size_t charset_end = start == std::string_view::npos ? start : raw.find('?', start + 2);
    std::size_t kind_end = charset_end == std::string_view::npos ? charset_end : raw.find('?', charset_end + 1);
    std::size_t end = kind_end == std::string_view::npos ? kind_end : raw.find("?=", kind_end + 1);
    if (end == std::string_view::npos || kind_end != charset_end + 2) {
      out += start == std::string_view::npos || end == std::string_view::npos ? raw : raw.substr(0, start + 2);
      if (start == std::string_view::npos || end == std::string_view::npos) break;
      raw.remove_prefix(start + 2);
      continue;
    }
    std::string_view between = raw.substr(0, start);
    if (!after_word || !text::trim(between).empty()) out += between;
    std::string charset(raw.substr(start + 2, charset_end - start - 2));
    charset.resize(std::min(charset.find('*'), charset.size()));
    std::string_view body = raw.substr(kind_end + 1, end - kind_end - 1);
    bool base64 = raw[charset_end + 1] == 'B' || raw[charset_end + 1] == 'b';
    std::string bytes = base64 ? decode_base64(body) : decode_quoted_printable(body, true);
    out += to_utf8(bytes, charset);
    after_word = true;
    raw.remove_prefix(end + 2);
  }
  return clean_line(text::is_valid_utf8(out) ? out : to_utf8(out, ""));
}

// "multipart/mixed; boundary=\"x\"": the value and its parameters.
struct Value {
  std::string main;
  Fields parameters;
};

Value parse_value(std::string_view raw) {
  Value value;
  bool quoted = false;
  std::vector<std::string> parts(1);
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] == '"') quoted = !quoted;
    else if (raw[i] == '\\' && quoted && i + 1 < raw.size()) parts.back() += raw[++i];
    else if (raw[i] == ';' && !quoted) parts.emplace_back();
    else parts.back() += raw[i];
  }
  value.main = text::lower(text::replace_invalid_utf8(text::trim(parts[0])));
  for (std::size_t i = 1; i < parts.size(); ++i) {
    std::size_t equals = parts[i].find('=');
    if (equals == std::string::npos) continue;
    std::string key = text::lower(text::replace_invalid_utf8(text::trim(std::string_view(parts[i]).substr(0, equals))));
    value.parameters.emplace(key, text::trim(std::string_view(parts[i]).substr(equals + 1)));
  }
  return value;
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    bool escape = text[i] == '%' && i + 2 < text.size() && hex(text[i + 1]) >= 0 && hex(text[i + 2]) >= 0;
    out += escape ? static_cast<char>(hex(text[i + 1]) * 16 + hex(text[i + 2])) : text[i];
    if (escape) i += 2;
  }
  return out;
}

std::string file_name(const Value& disposition, const Value& type) {
  for (const auto* parameters : {&disposition.parameters, &type.parameters}) {
    for (const char* key : {"filename*", "filename*0*", "name*"}) {
      auto found = parameters->find(key);
      if (found == parameters->end()) continue;
      std::size_t first = found->second.find('\''), second = first == std::string::npos ? first : found->second.find('\'', first + 1);
      if (second == std::string::npos) continue;
      return clean_line(to_utf8(percent_decoded(found->second.substr(second + 1)), found->second.substr(0, first)));
    }
    for (const char* key : {"filename", "name"}) {
      if (auto found = parameters->find(key); found != parameters->end()) return decode_words(found->second);
    }
  }
  return "";
}

struct Part {
  Fields fields;
  std::string_view body;
  std::string field(const char* name) const {
    auto found = fields.find(name);
    return found == fields.end() ? "" : found->second;
  }
};

Part split_part(std::string_view raw) {
  Part part;
  std::string name, value;
  auto close = [&] {
    if (!name.empty()) part.fields.emplace(name, std::string(text::trim(value)));
    name.clear();
    value.clear();
  };
  while (!raw.empty()) {
    std::size_t end = std::min(raw.find('\n'), raw.size());
    std::string_view line = raw.substr(0, end);
    raw.remove_prefix(std::min(end + 1, raw.size()));
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.empty()) break;
    if (line[0] == ' ' || line[0] == '\t') {
      value += ' ';
      value += text::trim(line);
      continue;
    }
    close();
    std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    name = text::lower(text::replace_invalid_utf8(line.substr(0, colon)));
    value = line.substr(colon + 1);
  }
  close();
  part.body = raw;
  return part;
}

std::vector<std::string_view> split_multipart(std::string_view body, const std::string& boundary) {
  std::vector<std::string_view> parts;
  std::string mark = "--" + boundary;
  std::size_t begin = std::string_view::npos;
  for (std::size_t at = body.find(mark); at != std::string_view::npos; at = body.find(mark, at + mark.size())) {
    if (at > 0 && body[at - 1] != '\n') continue;
    if (begin != std::string_view::npos) parts.push_back(body.substr(begin, at > begin ? at - begin - 1 : 0));
    std::string_view after = body.substr(at + mark.size());
    if (after.starts_with("--")) return parts;
    std::size_t line_end = after.find('\n');
    if (line_end == std::string_view::npos) return parts;
    begin = at + mark.size() + line_end + 1;
  }
  if (begin != std::string_view::npos && begin <= body.size()) parts.push_back(body.substr(begin));
  return parts;
}

std::string decoded_body(const Part& part) {
  std::string encoding = text::lower(text::replace_invalid_utf8(part.field("content-transfer-encoding")));
  if (encoding.starts_with("base64")) return decode_base64(part.body);
  if (encoding.starts_with("quoted-printable")) return decode_quoted_printable(part.body, false);
  return std::string(part.body);
}

class EmailReader {
 public:
  explicit EmailReader(Builder& builder) : builder_(builder) {}

  void read(std::string_view bytes) {
    Part message = split_part(bytes);
    std::string subject = decode_words(message.field("subject"));
    builder_.document().title = subject;
    builder_.add(BlockKind::heading, subject, 1);
    for (auto [name, label] : {std::pair{"from", "From"}, {"to", "To"}, {"cc", "Cc"}, {"date", "Date"}}) {
      std::string value = decode_words(message.field(name));
      if (!value.empty()) builder_.add(BlockKind::paragraph, fmt::format("{}: {}", label, value));
    }
    read_part(message, 0);
  }

 private:
  void read_part(const Part& part, int depth) {
    if (builder_.failed()) return;
    if (depth > max_part_depth || ++parts_ > max_parts) {
      builder_.fail(Error(ErrorCode::too_large, fmt::format("the message has more than {} nested or {} parts in all", max_part_depth, max_parts)));
      return;
    }
    Value type = parse_value(part.field("content-type"));
    Value disposition = parse_value(part.field("content-disposition"));
    if (type.main.empty()) type.main = "text/plain";
    if (type.main == "multipart/encrypted" || type.main.starts_with("application/pkcs7-mime") || type.main.starts_with("application/x-pkcs7-mime")) {
      if (depth == 0) builder_.fail(Error(ErrorCode::unsupported, "the message is encrypted; decrypt it, save it and ingest it again"));
      else builder_.warn("an encrypted part was not read");
    } else if (type.main.starts_with("multipart/")) {
      read_multipart(part, type, depth);
    } else if (disposition.main != "attachment" && (type.main == "text/plain" || type.main == "text/html")) {
      read_body(part, type);
    } else {
      attach(part, type, disposition);
    }
  }

  void read_multipart(const Part& part, const Value& type, int depth) {
    auto boundary = type.parameters.find("boundary");
    if (boundary == type.parameters.end() || boundary->second.empty()) {
      builder_.warn("a part of the message has no boundary and was read as text");
      read_text(part.body, builder_);
      return;
    }
    std::vector<Part> parts;
    for (std::string_view raw : split_multipart(part.body, boundary->second)) parts.push_back(split_part(raw));
    if (type.main == "multipart/alternative" && !parts.empty()) {
      // the last is the richest that the sender made; calendars and the like are passed over
      std::size_t chosen = parts.size() - 1;
      while (chosen > 0 && !is_readable(parts[chosen])) --chosen;
      read_part(parts[chosen], depth + 1);
      return;
    }
    for (const Part& inner : parts) read_part(inner, depth + 1);
  }

  static bool is_readable(const Part& part) {
    Value type = parse_value(part.field("content-type"));
    if (type.main.starts_with("multipart/")) return true;
    return (type.main == "text/html" || type.main == "text/plain") && !text::trim(part.body).empty();
  }

  void read_body(const Part& part, const Value& type) {
    auto charset = type.parameters.find("charset");
    std::string utf8 = to_utf8(decoded_body(part), charset == type.parameters.end() ? "" : charset->second);
    std::string title = builder_.document().title;
    if (type.main == "text/html") read_html("\xEF\xBB\xBF" + utf8, builder_);
    else read_text(utf8, builder_);
    if (!title.empty()) builder_.document().title = title;
  }

  void attach(const Part& part, const Value& type, const Value& disposition) {
    std::string name = file_name(disposition, type);
    if (type.main == "message/rfc822") {
      builder_.attach({name.empty() ? "message.eml" : name, decoded_body(part)});
    } else if (type.main.starts_with("image/") || type.main.starts_with("audio/") || type.main.starts_with("video/")) {
      if (!name.empty()) builder_.warn(fmt::format("attachment {} ({}) was not read: it holds no text", name, type.main));
    } else if (!name.empty()) {
      builder_.attach({name, decoded_body(part)});
    } else if (type.main.starts_with("text/")) {
      builder_.attach({type.main == "text/html" ? "part.html" : type.main == "text/csv" ? "part.csv" : "part.txt", decoded_body(part)});
    } else {
      builder_.warn(fmt::format("a part of type {} was not read", type.main));
    }
  }

  Builder& builder_;
  std::size_t parts_ = 0;
};

}  // namespace

void read_email(std::string_view bytes, Builder& builder) {
  std::size_t odd = std::min<std::size_t>(bytes.size(), 64);
  bool wide = bytes.starts_with("\xFF\xFE") || bytes.starts_with("\xFE\xFF") || bytes.substr(0, odd).find('\0') != std::string_view::npos;
  std::string utf8;
  if (wide || bytes.starts_with("\xEF\xBB\xBF")) bytes = utf8 = to_utf8(bytes, "");
  while (!bytes.empty() && (bytes[0] == '\n' || bytes[0] == '\r')) bytes.remove_prefix(1);
  EmailReader(builder).read(bytes);
}

}  // namespace heng::formats
