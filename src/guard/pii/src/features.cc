#include <algorithm>

#include "heng/base/text.h"
#include "heng/guard_pii/tagger.h"

namespace heng::guard_pii {
namespace {

enum class Kind { letter, digit, han, space, line, mark };

Kind kind_of(char32_t c) {
  if (c < 0x80) {
    if ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') return Kind::letter;
    if (c >= '0' && c <= '9') return Kind::digit;
    if (c == '\n' || c == '\r') return Kind::line;
    return c <= ' ' ? Kind::space : Kind::mark;
  }
  if (text::is_cjk(c)) return Kind::han;
  if (text::is_space(c)) return Kind::space;
  if ((c >= 0xC0 && c < 0x2000 && c != 0xD7 && c != 0xF7) || (c >= 0xAC00 && c < 0xD7A4) || (c >= 0x3041 && c <= 0x30FF)) return Kind::letter;
  return Kind::mark;
}

class Hash {
 public:
  explicit Hash(std::uint32_t seed) : value_(2166136261u ^ seed * 0x9E3779B1u) {}
  Hash& add(std::string_view s) {
    for (const char c : s) value_ = (value_ ^ static_cast<unsigned char>(c)) * 16777619u;
    value_ = (value_ ^ 0x1Fu) * 16777619u;
    return *this;
  }
  Hash& add(std::uint32_t n) {
    value_ = (value_ ^ n) * 16777619u;
    return *this;
  }
  std::uint32_t value() const {
    std::uint32_t v = value_;
    v ^= v >> 16;
    v *= 0x85EBCA6Bu;
    v ^= v >> 13;
    return v == 0 ? 1 : v;
  }

 private:
  std::uint32_t value_;
};

const Token& token_at(const std::vector<Token>& tokens, std::size_t i, int offset) {
  static const Token before{0, 0, "\x01", "^"}, behind{0, 0, "\x02", "$"};
  const auto at = static_cast<std::ptrdiff_t>(i) + offset;
  if (at < 0) return before;
  if (at >= static_cast<std::ptrdiff_t>(tokens.size())) return behind;
  return tokens[static_cast<std::size_t>(at)];
}

/// The last `points` code points.
std::string_view tail(std::string_view s, int points) {
  std::size_t i = s.size();
  for (int k = 0; k < points && i > 0; ++k)
    do --i;
    while (i > 0 && (static_cast<unsigned char>(s[i]) & 0xC0) == 0x80);
  return s.substr(i);
}
std::string_view head(std::string_view s, int points) {
  std::size_t i = 0;
  for (int k = 0; k < points && i < s.size(); ++k)
    do ++i;
    while (i < s.size() && (static_cast<unsigned char>(s[i]) & 0xC0) == 0x80);
  return s.substr(0, i);
}

void features_chinese(const std::vector<Token>& t, std::size_t i, std::vector<std::uint32_t>& out) {
  const auto w = [&](int k) -> std::string_view { return token_at(t, i, k).lower; };
  const auto lists = [&](int k) { return static_cast<std::uint32_t>(token_at(t, i, k).lists); };
  const auto shape = [&](int k) -> std::string_view { return token_at(t, i, k).shape; };
  std::uint32_t id = 100;
  for (int k = -3; k <= 3; ++k) out.push_back(Hash(++id).add(w(k)).value());
  for (int k = -3; k <= 2; ++k) out.push_back(Hash(++id).add(w(k)).add(w(k + 1)).value());
  for (int k = -2; k <= 1; ++k) out.push_back(Hash(++id).add(w(k)).add(w(k + 1)).add(w(k + 2)).value());
  out.push_back(Hash(++id).add(w(-1)).add(w(1)).value());
  out.push_back(Hash(++id).add(w(-1)).add(lists(0)).add(lists(1)).add(lists(2)).value());
  out.push_back(Hash(++id).add(w(-2)).add(lists(-1)).add(lists(0)).add(lists(1)).value());
  out.push_back(Hash(++id).add(w(1)).add(lists(-2)).add(lists(-1)).add(lists(0)).value());
  out.push_back(Hash(++id).add(w(2)).add(lists(-1)).add(lists(0)).add(lists(1)).value());
  out.push_back(Hash(++id).add(w(3)).add(lists(0)).add(lists(1)).add(lists(2)).value());
  out.push_back(Hash(++id).add(lists(-2)).add(lists(-1)).add(lists(0)).add(lists(1)).add(lists(2)).value());
  out.push_back(Hash(++id).add(shape(-1)).add(shape(0)).add(shape(1)).value());
  out.push_back(Hash(++id).add(w(-2)).add(w(-1)).add(lists(0)).add(lists(1)).value());
  out.push_back(Hash(++id).add(w(1)).add(w(2)).add(lists(-1)).add(lists(0)).value());
  out.push_back(Hash(++id).add(w(2)).add(w(3)).add(lists(0)).add(lists(1)).value());
  out.push_back(Hash(++id).add(w(3)).add(w(4)).add(lists(0)).add(lists(1)).add(lists(2)).value());
  const auto pair = [&](int k) { return static_cast<std::uint32_t>(token_at(t, i, k).pair); };
  for (int k = -2; k <= 2; ++k) out.push_back(Hash(++id).add(pair(k)).value());
  for (int k = -2; k <= 1; ++k) out.push_back(Hash(++id).add(pair(k)).add(pair(k + 1)).value());
  for (int k = -1; k <= 1; ++k) out.push_back(Hash(++id).add(pair(k - 1)).add(pair(k)).add(pair(k + 1)).add(lists(0)).value());
  out.push_back(Hash(++id).add(pair(-1)).add(pair(0)).add(lists(-1)).add(lists(0)).add(lists(1)).value());
  out.push_back(Hash(++id).add(pair(0)).add(pair(1)).add(lists(0)).add(lists(1)).add(lists(2)).value());
  out.push_back(Hash(++id).add(pair(-2)).add(pair(-1)).add(lists(-2)).add(lists(-1)).add(lists(0)).value());
  out.push_back(Hash(++id).add(pair(2)).add(pair(3)).add(lists(0)).add(lists(1)).add(lists(2)).value());
  out.push_back(Hash(++id).add(pair(1)).add(pair(2)).add(lists(-1)).add(lists(0)).add(lists(1)).value());
}

void features_english(const std::vector<Token>& t, std::size_t i, std::vector<std::uint32_t>& out) {
  const auto w = [&](int k) -> std::string_view { return token_at(t, i, k).lower; };
  const auto shape = [&](int k) -> std::string_view { return token_at(t, i, k).shape; };
  const auto lists = [&](int k) { return static_cast<std::uint32_t>(token_at(t, i, k).lists); };
  std::uint32_t id = 0;
  for (int k = -3; k <= 3; ++k) out.push_back(Hash(++id).add(w(k)).value());
  for (int k = -3; k <= 2; ++k) out.push_back(Hash(++id).add(w(k)).add(w(k + 1)).value());
  out.push_back(Hash(++id).add(w(-1)).add(w(1)).value());
  out.push_back(Hash(++id).add(w(-2)).add(w(-1)).add(shape(0)).value());
  out.push_back(Hash(++id).add(w(1)).add(w(2)).add(shape(0)).value());
  for (int k = -2; k <= 2; ++k) out.push_back(Hash(++id).add(shape(k)).value());
  for (int k = -2; k <= 1; ++k) out.push_back(Hash(++id).add(shape(k)).add(shape(k + 1)).value());
  out.push_back(Hash(++id).add(shape(-1)).add(shape(0)).add(shape(1)).value());
  out.push_back(Hash(++id).add(shape(0)).add(shape(1)).add(shape(2)).value());
  out.push_back(Hash(++id).add(w(-1)).add(shape(0)).value());
  out.push_back(Hash(++id).add(w(1)).add(shape(0)).value());
  out.push_back(Hash(++id).add(w(-2)).add(shape(-1)).add(shape(0)).value());
  out.push_back(Hash(++id).add(w(2)).add(shape(0)).add(shape(1)).value());
  out.push_back(Hash(++id).add(lists(0)).value());
  out.push_back(Hash(++id).add(lists(0)).add(shape(0)).value());
  out.push_back(Hash(++id).add(lists(-1)).add(lists(0)).value());
  out.push_back(Hash(++id).add(lists(0)).add(lists(1)).value());
  out.push_back(Hash(++id).add(lists(-1)).add(lists(0)).add(lists(1)).add(shape(0)).value());
  out.push_back(Hash(++id).add(w(-1)).add(lists(0)).value());
  out.push_back(Hash(++id).add(w(1)).add(lists(0)).value());
  out.push_back(Hash(++id).add(w(-1)).add(lists(0)).add(lists(1)).value());
  out.push_back(Hash(++id).add(w(-2)).add(lists(-1)).add(lists(0)).value());
  out.push_back(Hash(++id).add(head(w(0), 3)).value());
  for (int n = 2; n <= 4; ++n) out.push_back(Hash(++id).add(tail(w(0), n)).value());
  out.push_back(Hash(++id).add(tail(w(1), 3)).add(shape(0)).value());
}

}  // namespace

void look_up_words(std::vector<Token>& tokens, const std::function<std::uint8_t(std::uint32_t)>& bits) {
  const auto is_han = [&](std::size_t i) { return i < tokens.size() && tokens[i].shape == "\xE6\xB1\x89"; };
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    tokens[i].lists = bits(list_hash(tokens[i].lower));
    tokens[i].pair = 0;
    if (!is_han(i) || !is_han(i + 1)) continue;
    const std::string two = tokens[i].lower + tokens[i + 1].lower;
    tokens[i].pair = bits(list_hash(two));
    if (is_han(i + 2) && bits(list_hash(two + tokens[i + 2].lower))) tokens[i].pair |= 128;
  }
}

std::uint32_t list_hash(std::string_view lower) { return Hash(77).add(lower).value(); }

std::vector<Token> tokenise(std::string_view s) {
  std::vector<Token> out;
  std::size_t i = 0;
  while (i < s.size()) {
    const std::size_t begin = i;
    const char32_t c = text::next(s, i);
    const Kind kind = kind_of(c);
    if (kind == Kind::space) continue;
    if (kind == Kind::letter || kind == Kind::digit || kind == Kind::line) {
      while (i < s.size()) {
        std::size_t next = i;
        const Kind more = kind_of(text::next(s, next));
        if (more != kind && !(kind == Kind::line && more == Kind::space)) break;
        i = next;
        if (kind == Kind::letter && i - begin > 96) break;
      }
    }
    Token token;
    token.begin = begin;
    token.end = i;
    const auto raw = s.substr(begin, i - begin);
    if (kind == Kind::line) {
      token.lower = token.shape = "\n";
    } else if (kind == Kind::digit) {
      token.shape = "d" + std::to_string(std::min<std::size_t>(raw.size(), 9));
      token.lower = raw.size() <= 2 ? std::string(raw) : token.shape;
    } else if (kind == Kind::letter) {
      token.lower = text::lower(raw);
      std::size_t k = 0;
      std::string first;
      text::append(first, text::next(raw, k));
      const bool capital = text::lower(first) != first;
      const bool rest_lower = k < raw.size() && text::lower(raw.substr(k)) == raw.substr(k);
      token.shape = capital ? (k >= raw.size() ? "X" : rest_lower ? "Xx" : text::lower(raw.substr(k, 1)) == raw.substr(k, 1) ? "XxX" : "XX") : token.lower == raw ? "x" : "xX";
    } else {
      token.lower = std::string(raw);
      token.shape = kind == Kind::han ? "\xE6\xB1\x89" : "#";
    }
    out.push_back(std::move(token));
  }
  return out;
}

void features_of(const std::vector<Token>& tokens, std::size_t i, bool chinese, std::vector<std::uint32_t>& out) {
  chinese ? features_chinese(tokens, i, out) : features_english(tokens, i, out);
}

}  // namespace heng::guard_pii
