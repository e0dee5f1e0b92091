#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "heng/base/result.h"
#include "heng/contracts/document.h"

namespace heng::parse {

/// A file inside a document, to be parsed in a process of its own.
struct Attachment {
  std::string name;
  std::string bytes;
};

/// What heng-parse found: a document with its attachments, or why there is none.
struct ParserOutput {
  ParsedDocument document;
  std::vector<Attachment> attachments;
};

/// JSON Lines as heng-parse writes them: one line {"document"}, one per block and attachment, one {"end"}; or one {"error"}.
/// `write` is called with whole lines and returns false to stop.
void encode(const ParserOutput& output, const std::function<bool(std::string_view)>& write);
std::string encode_error(const Error& error);

struct DecodeLimits {
  std::size_t max_line_bytes = 64u << 20;
  std::size_t max_blocks = 2'000'000;
};

/// Reads the lines of an untrusted process. Everything is checked: kinds, ranges, UTF-8, counts, the final line. Errors:
/// the one that the process reported, or malformed_input where the lines are not what `encode` writes.
Result<ParserOutput> decode(std::string_view lines, const DecodeLimits& limits = {});

}  // namespace heng::parse
