#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "heng/base/result.h"
#include "heng/insight_bert/transformer.h"

namespace heng::insight_bert {

/// A BERT embedding model in GGUF (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md): sizes, vocabulary, weights.
class EncoderFile {
 public:
  /// Errors: not_found, malformed_input (not GGUF, or broken), unsupported (not a BERT model with a word-piece vocabulary,
  /// or weights of another type than f32 and f16).
  static Result<EncoderFile> open(const std::filesystem::path& path);

  EncoderShape shape;                        ///< `frozen` is the caller's to choose.
  std::vector<std::string> vocabulary;       ///< As in the file: "▁" before a word's first piece.
  std::string sha256;

  /// Copies the weights to where `layout` has them.
  Result<void> load(const Layout& layout, float* values) const;

 private:
  struct Place {
    std::uint64_t rows = 1, cols = 0, offset = 0;
    std::uint32_t type = 0;
  };
  Result<void> copy(const std::string& name, std::size_t count, float* out) const;
  std::string bytes_;
  std::uint64_t data_ = 0;
  std::map<std::string, Place> tensors_;
};

}  // namespace heng::insight_bert
