#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "heng/base/result.h"

namespace heng::guard_policy {

/// A value of a policy file, with where it stands.
struct Value {
  using Table = std::vector<std::pair<std::string, Value>>;
  using Array = std::vector<Value>;
  std::variant<bool, std::int64_t, double, std::string, Array, Table> data;  ///< Dates are text, "2026-09-30".
  int line = 0;

  const Value* find(std::string_view key) const;   ///< Of a table; null where there is none.
};

/// What every policy says of itself.
struct Header {
  std::string kind;               ///< "personal_data", "marketing", "suitability", "tools", "egress".
  std::string id, version, owner;
  std::string clause;             ///< The text it puts into practice, as the institution cites it.
  std::string effective_from, effective_until;  ///< "2026-09-30"; until empty: no end.
  std::string sha256;             ///< Of the file's bytes.
};

/// Reads typed values and complains with file and line.
class Reader {
 public:
  Reader(const Value& table, std::string file, std::string where) : table_(table), file_(std::move(file)), where_(std::move(where)) {}
  Result<std::string> text(std::string_view key);                             ///< Must be there and not empty.
  Result<std::string> text_or(std::string_view key, std::string otherwise);
  Result<std::int64_t> whole_or(std::string_view key, std::int64_t otherwise, std::int64_t least, std::int64_t most);
  Result<bool> flag_or(std::string_view key, bool otherwise);
  Result<std::vector<std::string>> texts_or_none(std::string_view key);
  Result<std::vector<const Value*>> tables_or_none(std::string_view key);     ///< [[key]] in order.
  const Value* take(std::string_view key);                                    ///< Any kind; counts as known.
  /// Errors: malformed_input for a key that nobody asked for: a misspelt setting is never ignored.
  Result<void> finish() const;
  Error fail(int line, const std::string& reason) const;
  Error fail(const std::string& reason) const { return fail(table_.line, reason); }
  int line_of(std::string_view key) const;

 private:
  const Value& table_;
  std::string file_, where_;
  std::vector<std::string> known_;
};

struct File {
  Header header;
  Value root;
  std::string name;               ///< As given: for messages.
};

/// Parses the text of a policy file and reads its header. Errors: malformed_input ("FILE, line N: reason"), too_large (1 MiB).
Result<File> parse(std::string_view text, const std::string& name);
/// The keys of the header, for Reader::take by those who read the rest.
Reader body(const File& file);

/// True where `date` ("2026-11-24") lies within the policy's effective dates.
bool in_force(const Header& header, std::string_view date);

}  // namespace heng::guard_policy
