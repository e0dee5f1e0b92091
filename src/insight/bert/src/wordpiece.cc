#include "heng/insight_bert/wordpiece.h"

#include <unicode/uchar.h>

#include "heng/base/text.h"

namespace heng::insight_bert {
namespace {

constexpr std::string_view word_mark = "▁";
constexpr std::size_t longest_word = 100;  // as BERT's own

/// Letters and digits of scripts that are written in words.
bool in_word(char32_t c) {
  return u_isalnum(static_cast<UChar32>(c)) && !text::is_cjk(c);
}

char32_t lower(char32_t c) { return static_cast<char32_t>(u_tolower(static_cast<UChar32>(c))); }

std::string utf8(std::u32string_view s) { return text::from_utf32(s); }

}  // namespace

WordPiece::WordPiece(const std::vector<std::string>& vocabulary) {
  for (std::size_t i = 0; i < vocabulary.size(); ++i) {
    const std::string& piece = vocabulary[i];
    const auto id = static_cast<std::int32_t>(i);
    if (piece == "[UNK]") unknown_ = id;
    if (piece == "[CLS]") cls_ = id;
    if (piece == "[SEP]") sep_ = id;
    if (piece.starts_with(word_mark)) first_.emplace(piece.substr(word_mark.size()), id);
    else inner_.emplace(piece, id);
  }
}

std::int32_t WordPiece::find(const std::string& piece, bool first) const {
  const auto& table = first ? first_ : inner_;
  const auto found = table.find(piece);
  return found == table.end() ? -1 : found->second;
}

void WordPiece::split_word(const std::u32string& word, std::size_t begin, std::vector<Piece>& out) const {
  const std::size_t before = out.size();
  std::size_t at = 0;
  while (at < word.size()) {
    std::size_t size = word.size() - at;
    std::int32_t id = -1;
    for (; size > 0; --size) {
      id = find(utf8(std::u32string_view(word).substr(at, size)), at == 0);
      if (id >= 0) break;
    }
    if (id < 0) break;
    out.push_back({id, begin + at, begin + at + size});
    at += size;
  }
  if (at == word.size()) return;
  out.resize(before);
  for (std::size_t i = 0; i < word.size(); ++i) {
    const std::int32_t id = find(utf8(std::u32string_view(word).substr(i, 1)), true);
    out.push_back({id < 0 ? unknown_ : id, begin + i, begin + i + 1});
  }
}

std::vector<Piece> WordPiece::split(std::u32string_view text) const {
  std::vector<Piece> out;
  out.reserve(text.size());
  std::size_t i = 0;
  while (i < text.size()) {
    if (text::is_space(text[i]) || u_iscntrl(static_cast<UChar32>(text[i]))) {
      ++i;
      continue;
    }
    if (!in_word(text[i])) {
      const std::int32_t id = find(utf8(text.substr(i, 1)), true);
      out.push_back({id < 0 ? unknown_ : id, i, i + 1});
      ++i;
      continue;
    }
    std::u32string word;
    const std::size_t begin = i;
    while (i < text.size() && in_word(text[i]) && word.size() < longest_word) word += lower(text[i++]);
    split_word(word, begin, out);
  }
  return out;
}

}  // namespace heng::insight_bert
