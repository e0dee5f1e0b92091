#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace heng::insight_bert {

/// A piece of text: code points [begin, end).
struct Piece {
  std::int32_t id = 0;
  std::size_t begin = 0, end = 0;
};

/// BERT's tokenisation (Devlin et al. 2019) with positions: lower case, each Han character and each mark alone, words and
/// figures by longest known piece. What no piece fits is read character by character, so that every position is covered.
class WordPiece {
 public:
  /// `vocabulary`: as in GGUF, "▁" before a word's first piece.
  explicit WordPiece(const std::vector<std::string>& vocabulary);

  std::vector<Piece> split(std::u32string_view text) const;
  std::int32_t cls() const { return cls_; }
  std::int32_t sep() const { return sep_; }

 private:
  std::int32_t find(const std::string& piece, bool first) const;
  void split_word(const std::u32string& word, std::size_t begin, std::vector<Piece>& out) const;
  std::unordered_map<std::string, std::int32_t> first_, inner_;
  std::int32_t unknown_ = 0, cls_ = 0, sep_ = 0;
};

}  // namespace heng::insight_bert
