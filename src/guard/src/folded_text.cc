#include "folded_text.h"

#include "heng/base/text.h"

namespace heng::guard {

namespace {

bool is_dash(char32_t c) {
  return (c >= 0x2010 && c <= 0x2015) || c == 0x2212 || c == 0xFE58 || c == 0xFE63 || c == 0xFF0D || c == 0x2043;
}

bool is_wide_space(char32_t c) {
  return c == 0x00A0 || (c >= 0x2000 && c <= 0x200A) || c == 0x202F || c == 0x205F || c == 0x3000;
}

}  // namespace

char32_t fold(char32_t c) {
  if (c < 0x80) return c >= U'A' && c <= U'Z' ? c + 32 : c;
  if (is_dash(c)) return U'-';
  if (is_wide_space(c)) return U' ';
  if (c == 0xFFE5) return U'¥';
  if (c >= 0xFF01 && c <= 0xFF5E) {
    // the wide comma and stops separate Chinese clauses: they stay what they are
    if (c == U'，' || c == U'；' || c == U'！' || c == U'？') return c;
    return fold(static_cast<char32_t>(c - 0xFEE0));
  }
  if (c == 0xFFE1) return U'£';
  if (c == 0x301C || c == 0x223C) return U'~';
  if (c == 0x2018 || c == 0x2019) return U'\'';
  if (c == 0x201C || c == 0x201D) return U'"';
  if (c >= 0x00C0 && c <= 0x00DE && c != 0x00D7) return c + 32;
  if (c >= 0x0391 && c <= 0x03A9) return c + 32;
  if (c >= 0x0410 && c <= 0x042F) return c + 32;
  return c;
}

FoldedText fold(std::string_view text) {
  FoldedText out;
  if (!text::is_valid_utf8(text)) return out;
  out.original = text::to_utf32(text);
  out.folded = out.original;
  for (std::size_t i = 0; i < out.folded.size(); ++i) {
    char32_t& c = out.folded[i];
    // a wide comma inside wide digits groups thousands: １，２３４
    if (c == U'，' && i > 0 && i + 1 < out.folded.size() && out.original[i - 1] >= 0xFF10 &&
        out.original[i - 1] <= 0xFF19 && out.original[i + 1] >= 0xFF10 && out.original[i + 1] <= 0xFF19)
      c = U',';
    else
      c = fold(c);
  }
  return out;
}

std::string FoldedText::slice(std::size_t begin, std::size_t end) const {
  end = std::min(end, original.size());
  if (begin >= end) return {};
  return text::from_utf32(std::u32string_view(original).substr(begin, end - begin));
}

bool word_at(const FoldedText& text, std::size_t i, std::u32string_view word) {
  if (i + word.size() > text.size()) return false;
  if (std::u32string_view(text.folded).substr(i, word.size()) != word) return false;
  return !is_ascii_letter(word.back()) || !is_ascii_letter(text.at(i + word.size()));
}

std::size_t skip_blanks(const FoldedText& text, std::size_t i, std::size_t most) {
  for (std::size_t n = 0; n < most && is_blank(text.at(i)); ++n) ++i;
  return i;
}

}  // namespace heng::guard
