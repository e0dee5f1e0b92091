#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <toml++/toml.h>
#include <vector>

#include "heng/base/error.h"
#include "heng/base/result.h"
#include "heng/base/text.h"
#include "heng/streams/setup.h"

namespace heng::streams {

/// Letters, digits, '-' and '_', 1 to 64 of them.
inline bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

/// Reads one table of streams.toml. The first thing wrong is kept, with its line; what the table does not know is wrong too.
class TableReader {
 public:
  TableReader(const toml::table& table, std::string name, const std::string& file) : table_(table), name_(std::move(name)), file_(file) {}

  const std::string& name() const { return name_; }
  const std::string& file() const { return file_; }
  void rename(std::string name) { name_ = std::move(name); }

  const toml::node* node(const char* key) {
    known_.emplace_back(key);
    return table_.get(key);
  }
  const toml::table* table(const char* key) {
    const auto* found = node(key);
    if (found == nullptr || error_) return nullptr;
    if (const auto* as_table = found->as_table()) return as_table;
    fail(*found, fmt::format("{} must be a table", key));
    return nullptr;
  }
  TableReader& text(const char* key, std::string& out) {
    const auto* found = node(key);
    if (found == nullptr || error_) return *this;
    const auto value = found->value_exact<std::string>();
    if (!value || value->size() > 4096) return fail(*found, fmt::format("{} must be text in quotes, at most 4096 bytes", key));
    out = *value;
    return *this;
  }
  TableReader& texts(const char* key, std::vector<std::string>& out) {
    const auto* found = node(key);
    if (found == nullptr || error_) return *this;
    out.clear();
    if (const auto one = found->value_exact<std::string>()) {
      out.push_back(*one);
    } else if (const auto* array = found->as_array()) {
      for (const auto& item : *array) {
        const auto value = item.value_exact<std::string>();
        if (!value) return fail(item, fmt::format("{} must hold texts only", key));
        out.push_back(*value);
      }
    } else {
      return fail(*found, fmt::format("{} must be a list of texts", key));
    }
    for (const auto& value : out)
      if (text::trim(value).empty()) return fail(*found, fmt::format("{} holds an empty text", key));
    if (out.empty()) return fail(*found, fmt::format("{} is empty", key));
    return *this;
  }
  TableReader& choice(const char* key, std::string& out, const std::vector<std::string>& choices) {
    text(key, out);
    if (!error_ && table_.get(key) != nullptr && std::find(choices.begin(), choices.end(), out) == choices.end())
      fail(*table_.get(key), fmt::format("{} is \"{}\"; it must be one of {}", key, out, fmt::join(choices, ", ")));
    return *this;
  }
  TableReader& flag(const char* key, bool& out) {
    const auto* found = node(key);
    if (found == nullptr || error_) return *this;
    const auto value = found->value_exact<bool>();
    if (!value) return fail(*found, fmt::format("{} must be true or false", key));
    out = *value;
    return *this;
  }
  TableReader& whole(const char* key, int& out, std::int64_t least, std::int64_t most) {
    const auto* found = node(key);
    if (found == nullptr || error_) return *this;
    const auto value = found->value_exact<std::int64_t>();
    if (!value || *value < least || *value > most) return fail(*found, fmt::format("{} must be a whole number from {} to {}", key, least, most));
    out = static_cast<int>(*value);
    return *this;
  }
  TableReader& real(const char* key, double& out, double least, double most) {
    const auto* found = node(key);
    if (found == nullptr || error_) return *this;
    const auto value = found->value<double>();
    if (!found->is_number() || !value || !(*value >= least && *value <= most)) return fail(*found, fmt::format("{} must be a number from {} to {}", key, least, most));
    out = *value;
    return *this;
  }
  TableReader& duration(const char* key, std::int64_t& out_ms, std::int64_t least_ms, std::int64_t most_ms) {
    const auto* found = node(key);
    if (found == nullptr || error_) return *this;
    const auto value = found->value_exact<std::string>();
    const auto parsed = value ? parse_duration(*value) : std::nullopt;
    if (!parsed) return fail(*found, fmt::format("{} must be a duration such as \"90s\", \"15m\", \"1h\" or \"7d\"", key));
    if (*parsed < least_ms || *parsed > most_ms) return fail(*found, fmt::format("{} is {} s; it must be {} to {} s", key, *parsed / 1000, least_ms / 1000, most_ms / 1000));
    out_ms = *parsed;
    return *this;
  }
  TableReader& fail(const toml::node& at, const std::string& message) {
    if (!error_) error_ = wrong(at, message);
    return *this;
  }
  TableReader& fail_at_start(const std::string& message) { return fail(table_, message); }
  Error wrong(const toml::node& at, const std::string& message) const {
    return {ErrorCode::malformed_input, fmt::format("{}, line {}: {} {}", file_, at.source().begin.line, name_, message)};
  }
  /// The first thing wrong so far.
  Result<void> finish_value() const {
    if (error_) return *error_;
    return {};
  }
  /// The same, and nothing unknown may stand there.
  Result<void> finish() const {
    if (error_) return *error_;
    for (const auto& [key, value] : table_) {
      const std::string name(key.str());
      if (std::find(known_.begin(), known_.end(), name) == known_.end())
        return wrong(value, fmt::format("has no setting \"{}\"; it knows {}", name, fmt::join(known_, ", ")));
    }
    return {};
  }

 private:
  const toml::table& table_;
  std::string name_;
  const std::string& file_;
  std::vector<std::string> known_;
  std::optional<Error> error_;
};

}  // namespace heng::streams
