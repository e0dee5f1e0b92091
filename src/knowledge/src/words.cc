#include "heng/knowledge/words.h"

#include <algorithm>
#include <cstdlib>

#include <libstemmer.h>

#include "folding.h"
#include "heng/base/text.h"

namespace heng::knowledge {
namespace {

constexpr std::size_t longest_token_bytes = 64;
constexpr std::size_t longest_joined_bytes = 24;

/// Value of a Chinese or Arabic numeral up to 9,999; -1 where it is none. "一百二十" → 120, "二〇" → 20, "12" → 12.
int numeral_value(std::u32string_view s) {
  static constexpr std::u32string_view digits = U"零一二三四五六七八九";
  int total = 0, current = 0;
  bool positional = true;
  for (const char32_t c : s)
    if (c == U'十' || c == U'百' || c == U'千') positional = false;
  for (const char32_t c : s) {
    int digit = -1;
    if (c >= U'0' && c <= U'9') digit = static_cast<int>(c - U'0');
    if (c == U'〇') digit = 0;
    if (c == U'两') digit = 2;
    if (const auto at = digits.find(c); at != digits.npos) digit = static_cast<int>(at);
    if (digit >= 0) {
      current = positional ? current * 10 + digit : digit;
    } else if (c == U'十' || c == U'百' || c == U'千') {
      total += (current == 0 ? 1 : current) * (c == U'十' ? 10 : c == U'百' ? 100 : 1000);
      current = 0;
    } else {
      return -1;
    }
    if (current > 9999 || total > 9999) return -1;
  }
  return total + current;
}

bool is_numeral(char32_t c) {
  return (c >= U'0' && c <= U'9') || std::u32string_view(U"零〇一二三四五六七八九十百千两").find(c) != std::u32string_view::npos;
}

bool is_joiner(char32_t c) { return c == '-' || c == '_' || c == '&' || c == 0x2010 || c == 0x2011; }
bool is_apostrophe(char32_t c) { return c == '\'' || c == 0x2019; }

}  // namespace

struct WordSplitter::Impl {
  Impl() : stemmer(sb_stemmer_new("english", nullptr)) {}
  ~Impl() { sb_stemmer_delete(stemmer); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  sb_stemmer* stemmer;
  std::vector<FoldedChar> chars;
  const std::function<bool(const Word&)>* sink = nullptr;
  bool stopped = false;
  Word word;

  bool is_alnum(std::size_t i) const {
    return i < chars.size() && (chars[i].kind == CharClass::letter || chars[i].kind == CharClass::digit);
  }
  bool is_digit(std::size_t i) const { return i < chars.size() && chars[i].kind == CharClass::digit; }
  bool is_letter(std::size_t i) const { return i < chars.size() && chars[i].kind == CharClass::letter; }

  void emit(std::string text, std::size_t first, std::size_t last, bool same_place) {
    if (stopped || text.empty()) return;
    if (text.size() > longest_token_bytes) {
      std::size_t cut = longest_token_bytes;
      while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80) --cut;
      text.resize(cut);
    }
    word.text = std::move(text);
    word.begin = chars[first].begin;
    word.end = chars[last].end;
    word.same_place = same_place;
    stopped = !(*sink)(word);
  }

  std::string stem(const std::string& letters) const {
    if (letters.size() < 3 || letters.size() > longest_token_bytes) return letters;
    for (const char c : letters)
      if (c < 'a' || c > 'z') return letters;
    const auto* out = sb_stemmer_stem(stemmer, reinterpret_cast<const sb_symbol*>(letters.data()), static_cast<int>(letters.size()));
    if (out == nullptr) return letters;
    return std::string(reinterpret_cast<const char*>(out), static_cast<std::size_t>(sb_stemmer_length(stemmer)));
  }

  std::string slice(std::size_t first, std::size_t last) const {
    std::string out;
    for (std::size_t i = first; i <= last; ++i) text::append(out, chars[i].c);
    return out;
  }

  std::size_t cjk_run(std::size_t i, WordsFor purpose) {
    std::size_t end = i;
    while (end < chars.size() && chars[end].kind == CharClass::cjk) ++end;
    for (std::size_t p = i; p < end && !stopped; ++p) {
      const bool pair = p + 1 < end;
      if (purpose == WordsFor::index || end - i == 1) emit(slice(p, p), p, p, false);
      if (pair) emit(slice(p, p + 1), p, p + 1, purpose == WordsFor::index);
    }
    return end;
  }

  /// "第十二条", "第 12 章": also as "第12条". `i` stands on 第.
  void ordinal(std::size_t i) {
    std::size_t p = i + 1;
    while (p < chars.size() && chars[p].c == ' ' && p < i + 3) ++p;
    const std::size_t from = p;
    std::u32string numeral;
    while (p < chars.size() && is_numeral(chars[p].c) && p - from < 9) numeral.push_back(chars[p++].c);
    while (p < chars.size() && chars[p].c == ' ' && p - from < 11) ++p;
    if (numeral.empty() || p >= chars.size()) return;
    if (std::u32string_view(U"条章节款项编期届").find(chars[p].c) == std::u32string_view::npos) return;
    const int value = numeral_value(numeral);
    if (value < 0) return;
    std::string text;
    text::append(text, U'第');
    text += std::to_string(value);
    text::append(text, chars[p].c);
    emit(std::move(text), i, p, true);
  }

  /// A stretch of digits with thousands separators, decimal or section points. Returns its end.
  std::size_t number(std::size_t i) {
    std::string plain;
    int points = 0;
    std::size_t p = i;
    while (p < chars.size()) {
      if (is_digit(p)) {
        text::append(plain, chars[p++].c);
      } else if (chars[p].c == ',' && is_digit(p + 1) && is_digit(p + 2) && is_digit(p + 3) && !is_digit(p + 4) && points == 0) {
        ++p;
      } else if (chars[p].c == '.' && is_digit(p + 1)) {
        plain.push_back('.');
        ++points;
        ++p;
      } else {
        break;
      }
    }
    const std::size_t last = p - 1;
    if (points == 1) {  // 3.50 is 3.5; 18.8.2 is a section
      while (plain.back() == '0') plain.pop_back();
      if (plain.back() == '.') plain.pop_back();
    }
    emit(std::move(plain), i, last, false);
    return p;
  }

  /// A part without joiners that mixes letters and digits: whole, and its longer runs.
  void mixed(std::size_t first, std::size_t last) {
    emit(slice(first, last), first, last, false);
    for (std::size_t p = first; p <= last && !stopped;) {
      std::size_t q = p;
      while (q <= last && chars[q].kind == chars[p].kind) ++q;
      if (q - p >= 2) {
        const std::string run = slice(p, q - 1);
        emit(is_letter(p) ? stem(run) : run, p, q - 1, true);
      }
      p = q;
    }
  }

  /// Letters, with "company's" as "company" and "U.S." as "us". Returns the end.
  std::size_t letters(std::size_t i) {
    std::size_t p = i;
    std::string text;
    while (is_letter(p)) text::append(text, chars[p++].c);
    if (p == i + 1 && p + 1 < chars.size() && chars[p].c == '.' && is_letter(p + 1) && !is_letter(p + 2)) {
      while (p + 1 < chars.size() && chars[p].c == '.' && is_letter(p + 1) && !is_letter(p + 2)) {
        text::append(text, chars[p + 1].c);
        p += 2;
      }
      emit(std::move(text), i, p - 1, false);
      return p;
    }
    std::size_t last = p - 1;
    if (p + 1 < chars.size() && is_apostrophe(chars[p].c) && is_letter(p + 1)) {
      std::size_t q = p + 1;
      std::string tail;
      while (is_letter(q)) text::append(tail, chars[q++].c);
      if (tail != "s") text += tail;
      last = q - 1;
      p = q;
    }
    emit(stem(text), i, last, false);
    return p;
  }

  std::size_t part(std::size_t i) {
    std::size_t p = i;
    bool has_letter = false, has_digit = false;
    while (is_alnum(p)) (is_letter(p++) ? has_letter : has_digit) = true;
    if (has_letter && has_digit) {
      mixed(i, p - 1);
      return p;
    }
    return has_digit ? number(i) : letters(i);
  }

  std::size_t compound(std::size_t i) {
    std::string joined;
    std::size_t p = i, parts = 0;
    for (;;) {
      const std::size_t end = part(p);
      for (std::size_t c = p; c < end; ++c)
        if (is_alnum(c)) text::append(joined, chars[c].c);
      ++parts;
      p = end;
      if (stopped || p >= chars.size() || !is_joiner(chars[p].c) || !is_alnum(p + 1)) break;
      ++p;
    }
    if (parts > 1 && parts < 5 && joined.size() <= longest_joined_bytes) emit(stem(joined), i, p - 1, true);
    return p;
  }
};

WordSplitter::WordSplitter() : impl_(std::make_unique<Impl>()) {}
WordSplitter::~WordSplitter() = default;
WordSplitter::WordSplitter(WordSplitter&&) noexcept = default;
WordSplitter& WordSplitter::operator=(WordSplitter&&) noexcept = default;

void WordSplitter::split(std::string_view text, WordsFor purpose, const std::function<bool(const Word&)>& sink) {
  Impl& impl = *impl_;
  fold(text, impl.chars);
  impl.sink = &sink;
  impl.stopped = false;
  for (std::size_t i = 0; i < impl.chars.size() && !impl.stopped;) {
    switch (impl.chars[i].kind) {
      case CharClass::cjk: {
        const std::size_t end = impl.cjk_run(i, purpose);
        for (std::size_t p = i; p < end; ++p)
          if (impl.chars[p].c == U'第') impl.ordinal(p);
        i = end;
        break;
      }
      case CharClass::letter:
      case CharClass::digit: i = impl.compound(i); break;
      case CharClass::other: ++i; break;
    }
  }
  impl.sink = nullptr;
}

std::vector<Word> WordSplitter::words(std::string_view text, WordsFor purpose) {
  std::vector<Word> out;
  split(text, purpose, [&](const Word& word) {
    out.push_back(word);
    return true;
  });
  return out;
}

}  // namespace heng::knowledge
