#include "heng/guard_policy/file.h"

#include <algorithm>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "heng/base/hash.h"
#include "heng/base/text.h"

namespace heng::guard_policy {
namespace {

constexpr std::size_t most_bytes = 1024 * 1024;
constexpr int most_depth = 8;

Value convert(const toml::node& node, int depth);

Value convert_table(const toml::table& table, int depth) {
  Value out;
  out.line = static_cast<int>(table.source().begin.line);
  Value::Table entries;
  for (const auto& [key, node] : table) entries.emplace_back(std::string(key.str()), convert(node, depth + 1));
  std::stable_sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.second.line < b.second.line; });
  out.data = std::move(entries);
  return out;
}

Value convert(const toml::node& node, int depth) {
  Value out;
  out.line = static_cast<int>(node.source().begin.line);
  if (depth > most_depth) return out;
  if (const auto* table = node.as_table()) return convert_table(*table, depth);
  if (const auto* array = node.as_array()) {
    Value::Array items;
    for (const auto& item : *array) items.push_back(convert(item, depth + 1));
    out.data = std::move(items);
  } else if (const auto text = node.value_exact<std::string>()) {
    out.data = *text;
  } else if (const auto flag = node.value_exact<bool>()) {
    out.data = *flag;
  } else if (const auto whole = node.value_exact<std::int64_t>()) {
    out.data = *whole;
  } else if (const auto real = node.value_exact<double>()) {
    out.data = *real;
  } else if (const auto date = node.value_exact<toml::date>()) {
    out.data = fmt::format("{:04}-{:02}-{:02}", date->year, date->month, date->day);
  }
  return out;
}

bool is_date(std::string_view s) {
  if (s.size() != 10 || s[4] != '-' || s[7] != '-') return false;
  for (const std::size_t i : {0, 1, 2, 3, 5, 6, 8, 9})
    if (s[i] < '0' || s[i] > '9') return false;
  const int month = (s[5] - '0') * 10 + s[6] - '0', day = (s[8] - '0') * 10 + s[9] - '0';
  return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

Result<Header> read_header(Reader& reader, std::string_view bytes) {
  Header out;
  out.kind = HENG_TRY(reader.text("kind"));
  out.id = HENG_TRY(reader.text("id"));
  out.version = HENG_TRY(reader.text("version"));
  out.owner = HENG_TRY(reader.text("owner"));
  out.clause = HENG_TRY(reader.text("clause"));
  out.effective_from = HENG_TRY(reader.text("effective_from"));
  out.effective_until = HENG_TRY(reader.text_or("effective_until", ""));
  if (!is_date(out.effective_from)) return reader.fail(reader.line_of("effective_from"), "effective_from must be a date such as 2026-09-30");
  if (!out.effective_until.empty() && !is_date(out.effective_until)) return reader.fail(reader.line_of("effective_until"), "effective_until must be a date such as 2027-12-31");
  if (!out.effective_until.empty() && out.effective_until < out.effective_from)
    return reader.fail(reader.line_of("effective_until"), "the policy ends before it begins");
  out.sha256 = sha256_hex(bytes);
  return out;
}

}  // namespace

const Value* Value::find(std::string_view key) const {
  if (const auto* table = std::get_if<Table>(&data))
    for (const auto& [name, value] : *table)
      if (name == key) return &value;
  return nullptr;
}

Error Reader::fail(int line, const std::string& reason) const {
  return {ErrorCode::malformed_input, fmt::format("{}, line {}: {}{}", file_, line, where_.empty() ? "" : where_ + ": ", reason)};
}

int Reader::line_of(std::string_view key) const {
  const Value* value = table_.find(key);
  return value ? value->line : table_.line;
}

const Value* Reader::take(std::string_view key) {
  known_.emplace_back(key);
  return table_.find(key);
}

Result<std::string> Reader::text(std::string_view key) {
  auto out = HENG_TRY(text_or(key, ""));
  if (out.empty()) return fail(line_of(key), fmt::format("\"{}\" is missing or empty", key));
  return out;
}

Result<std::string> Reader::text_or(std::string_view key, std::string otherwise) {
  const Value* value = take(key);
  if (!value) return otherwise;
  if (const auto* text = std::get_if<std::string>(&value->data)) return *text;
  return fail(value->line, fmt::format("\"{}\" must be text in quotes", key));
}

Result<std::int64_t> Reader::whole_or(std::string_view key, std::int64_t otherwise, std::int64_t least, std::int64_t most) {
  const Value* value = take(key);
  if (!value) return otherwise;
  const auto* whole = std::get_if<std::int64_t>(&value->data);
  if (!whole || *whole < least || *whole > most) return fail(value->line, fmt::format("\"{}\" must be a whole number from {} to {}", key, least, most));
  return *whole;
}

Result<bool> Reader::flag_or(std::string_view key, bool otherwise) {
  const Value* value = take(key);
  if (!value) return otherwise;
  if (const auto* flag = std::get_if<bool>(&value->data)) return *flag;
  return fail(value->line, fmt::format("\"{}\" must be true or false", key));
}

Result<std::vector<std::string>> Reader::texts_or_none(std::string_view key) {
  std::vector<std::string> out;
  const Value* value = take(key);
  if (!value) return out;
  const auto* array = std::get_if<Value::Array>(&value->data);
  if (!array) return fail(value->line, fmt::format("\"{}\" must be a list of texts", key));
  for (const auto& item : *array) {
    const auto* text = std::get_if<std::string>(&item.data);
    if (!text || text->empty()) return fail(item.line, fmt::format("\"{}\" must hold texts only, none empty", key));
    out.push_back(*text);
  }
  return out;
}

Result<std::vector<const Value*>> Reader::tables_or_none(std::string_view key) {
  std::vector<const Value*> out;
  const Value* value = take(key);
  if (!value) return out;
  const auto* array = std::get_if<Value::Array>(&value->data);
  if (!array) return fail(value->line, fmt::format("write [[{}]], with two brackets", key));
  for (const auto& item : *array) {
    if (!std::holds_alternative<Value::Table>(item.data)) return fail(item.line, fmt::format("write [[{}]], with two brackets", key));
    out.push_back(&item);
  }
  return out;
}

Result<void> Reader::finish() const {
  if (const auto* table = std::get_if<Value::Table>(&table_.data))
    for (const auto& [key, value] : *table)
      if (std::find(known_.begin(), known_.end(), key) == known_.end()) return fail(value.line, fmt::format("there is no setting \"{}\"; known are {}", key, text::join(known_, ", ")));
  return {};
}

Result<File> parse(std::string_view bytes, const std::string& name) {
  if (bytes.size() > most_bytes) return Error(ErrorCode::too_large, fmt::format("{} has {} bytes, a policy may have {}", name, bytes.size(), most_bytes));
  File out;
  out.name = name;
  try {
    out.root = convert_table(toml::parse(bytes, name), 0);
  } catch (const toml::parse_error& error) {
    return Error(ErrorCode::malformed_input, fmt::format("{}, line {}: {}", name, error.source().begin.line, error.description()));
  }
  Reader reader(out.root, name, "");
  out.header = HENG_TRY(read_header(reader, bytes));
  return out;
}

Reader body(const File& file) {
  Reader out(file.root, file.name, "");
  for (const char* key : {"kind", "id", "version", "owner", "clause", "effective_from", "effective_until"}) out.take(key);
  return out;
}

bool in_force(const Header& header, std::string_view date) {
  return header.effective_from <= date && (header.effective_until.empty() || date <= header.effective_until);
}

}  // namespace heng::guard_policy
