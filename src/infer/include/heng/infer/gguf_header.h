#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "heng/base/result.h"

namespace heng::infer {

/// What a GGUF file (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md) says about itself.
struct GgufHeader {
  std::string architecture;                          ///< "qwen2", "bert"; "" for an adapter without one.
  std::string type;                                  ///< "model" or "adapter".
  std::map<std::string, std::int64_t> integers;      ///< Scalar integer and boolean keys.
  std::map<std::string, std::string> strings;        ///< String keys up to 64 KiB.
  std::uint64_t tensors = 0;
  std::uint64_t size_needed_bytes = 0;               ///< The file must have at least so many.

  /// integers["<architecture>.<key>"], or `otherwise`.
  std::int64_t number(const std::string& key, std::int64_t otherwise) const;
};

/// Parses the header in `bytes`, the beginning of a file of `file_size` bytes. The model library ends the process on some
/// broken files, so every length, type and offset is checked here first.
/// Errors: malformed_input (not GGUF, or nonsense inside), too_large (the header goes on behind `bytes`), corrupt (the file
/// ends before its tensors do).
Result<GgufHeader> parse_gguf_header(std::string_view bytes, std::uint64_t file_size);

/// The same from a file, with the path in messages. Errors: not_found, corrupt.
Result<GgufHeader> read_gguf_header(const std::filesystem::path& path);

}  // namespace heng::infer
