#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "bytes.h"

namespace audit_check {

struct Key {
  std::string name, id, public_key;  // id: 4 bytes
};
/// "NAME+KEYID+BASE64"; empty where the text is no such key.
std::optional<Key> parse_key(std::string_view text);

struct Head {
  std::string origin;
  std::uint64_t size = 0;
  Digest root{};
};
/// A signed checkpoint; `why` says what is wrong with it.
std::optional<Head> open_head(std::string_view note, const Key& key, std::string& why);

struct Request {
  std::filesystem::path folder;
  Key key;
  std::optional<Head> older;                 ///< A checkpoint seen earlier.
  std::optional<std::uint64_t> witnessed_size;
  std::function<void(std::uint64_t done, std::uint64_t of)> progress;
};

struct Problem {
  std::string kind;                          ///< changed, dropped, inserted, reordered, truncated, tile, contents, signature, history.
  std::optional<std::uint64_t> record;
  std::string message;
};

struct Report {
  std::optional<Head> head;
  std::vector<Problem> problems;             ///< The first 100.
  std::uint64_t problem_count = 0;
  std::uint64_t content_bytes = 0;
};

Report check(const Request& request);

}  // namespace audit_check
