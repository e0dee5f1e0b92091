#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "heng/base/result.h"
#include "heng/guard_pii/types.h"

namespace heng::guard_pii {

/// A piece of text as the tagger sees it: a word, a number, a Chinese character, a mark.
struct Token {
  std::size_t begin = 0, end = 0;   ///< Bytes.
  std::string lower;                ///< Simple lower case.
  std::string shape;                ///< "Xx", "X", "x", "d4", "#", "汉", "\n" …
  std::uint8_t lists = 0;           ///< Which word lists hold it: bits of the model.
  std::uint8_t pair = 0;            ///< The same for it with its next one or two, where those are Chinese characters.
};
std::vector<Token> tokenise(std::string_view text);

/// The features of token `i` as hashes; what the trainer and the tagger share.
void features_of(const std::vector<Token>& tokens, std::size_t i, bool chinese, std::vector<std::uint32_t>& out);

/// Hash of a lower-case word in the model's word lists.
std::uint32_t list_hash(std::string_view lower);
/// Fills lists and pair of each token; `bits` gives those of a hash, 0 where it is in no list.
void look_up_words(std::vector<Token>& tokens, const std::function<std::uint8_t(std::uint32_t)>& bits);

/// One linear-chain model: BIO tags, feature rows (8 bit), transitions, word lists.
class TagModel {
 public:
  /// Errors: corrupt.
  static Result<std::unique_ptr<TagModel>> read(std::string_view bytes);
  ~TagModel();
  void look_up(std::vector<Token>& tokens) const;
  /// Tag of each token in [begin, end): 0 is "outside", 2k+1 begins entity k, 2k+2 continues it.
  std::vector<int> best_path(const std::vector<Token>& tokens, std::size_t begin, std::size_t end, bool chinese) const;
  const std::vector<Type>& entities() const;

 private:
  struct Impl;
  explicit TagModel(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Names, addresses, organisations, places in Chinese and English, by an averaged structured perceptron (Collins 2002) over
/// words, shapes, affixes and word lists. Trained by src/guard/pii/train; the model is built into the program.
///
/// Lifetime: made once; immutable. Threads: safe. Cost: linear in the text.
class Tagger {
 public:
  /// An empty model is the built-in one. Errors: corrupt.
  static Result<std::unique_ptr<Tagger>> read(std::string_view english, std::string_view chinese);
  ~Tagger();
  /// Adds matches to `out`; `text` must be valid UTF-8.
  void tag(std::string_view text, std::vector<Match>& out) const;

 private:
  Tagger(std::unique_ptr<TagModel> english, std::unique_ptr<TagModel> chinese);
  std::unique_ptr<TagModel> english_, chinese_;
};

}  // namespace heng::guard_pii
