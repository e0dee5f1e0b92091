#include "characters.h"

#include "heng/base/text.h"

namespace heng::guard_text {
namespace {

// Letters that read as Latin ones (a practical subset of Unicode's confusables, UTS #39).
constexpr std::pair<char32_t, char> look_alikes[] = {
    {U'а', 'a'}, {U'е', 'e'}, {U'о', 'o'}, {U'р', 'p'}, {U'с', 'c'}, {U'у', 'y'}, {U'х', 'x'}, {U'і', 'i'}, {U'ј', 'j'}, {U'ѕ', 's'},
    {U'һ', 'h'}, {U'ԁ', 'd'}, {U'ԛ', 'q'}, {U'ԝ', 'w'}, {U'А', 'A'}, {U'В', 'B'}, {U'Е', 'E'}, {U'К', 'K'}, {U'М', 'M'}, {U'Н', 'H'},
    {U'О', 'O'}, {U'Р', 'P'}, {U'С', 'C'}, {U'Т', 'T'}, {U'Х', 'X'}, {U'У', 'Y'}, {U'І', 'I'}, {U'Ј', 'J'}, {U'Ѕ', 'S'}, {U'З', '3'},
    {U'ο', 'o'}, {U'α', 'a'}, {U'ν', 'v'}, {U'ι', 'i'}, {U'ρ', 'p'}, {U'κ', 'k'}, {U'υ', 'u'}, {U'Α', 'A'}, {U'Β', 'B'}, {U'Ε', 'E'},
    {U'Ζ', 'Z'}, {U'Η', 'H'}, {U'Ι', 'I'}, {U'Κ', 'K'}, {U'Μ', 'M'}, {U'Ν', 'N'}, {U'Ο', 'O'}, {U'Ρ', 'P'}, {U'Τ', 'T'}, {U'Υ', 'Y'},
    {U'Χ', 'X'}, {U'ı', 'i'}, {U'ɡ', 'g'}, {U'ɑ', 'a'}, {U'ℓ', 'l'}};

constexpr char32_t dashes[] = {0x2010, 0x2011, 0x2012, 0x2013, 0x2014, 0x2015, 0x2212, 0x2043, 0xFE58, 0xFE63, 0xFF0D, 0x30FC, 0x2500};
constexpr char32_t dots[] = {0x00B7, 0x2022, 0x2027, 0x30FB, 0x2219, 0x22C5, 0xFF65, 0x2024};
constexpr char32_t hidden[] = {0x00AD, 0x034F, 0x061C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x180E, 0x3164, 0xFFA0, 0xFEFF};

void each(char32_t first, char32_t last, const auto& act) {
  for (char32_t c = first; c <= last; ++c) act(c);
}

}  // namespace

const FoldTable& FoldTable::instance() {
  static const FoldTable table;
  return table;
}

void FoldTable::set(char32_t c, Fold::Kind kind, std::string_view by) {
  Fold fold;
  fold.kind = kind;
  if (by.size() > sizeof fold.bytes) return;  // long ligatures stay as they are
  fold.size = static_cast<std::uint8_t>(by.size());
  std::copy(by.begin(), by.end(), fold.bytes);
  folds_.push_back(fold);
  (c >= 0x1D400 ? math_[c - 0x1D400] : index_[c]) = static_cast<std::uint16_t>(folds_.size() - 1);
}

FoldTable::FoldTable() {
  folds_.emplace_back();  // 0: keep
  const auto compatible = [this](char32_t c) {
    std::string one;
    text::append(one, c);
    const std::string folded = text::nfkc(one);
    if (folded != one && !folded.empty()) set(c, Fold::Kind::replace, folded);
  };
  each(0x00A0, 0x00FF, compatible);
  each(0x1D2C, 0x1DBF, compatible);
  each(0x2000, 0x33FF, compatible);
  each(0xF900, 0xFAFF, compatible);
  each(0xFB00, 0xFB4F, compatible);
  each(0xFE10, 0xFFEF, compatible);
  each(0x1D400, 0x1D7FF, compatible);
  for (const char32_t c : {0x00A0u, 0x1680u, 0x202Fu, 0x205Fu, 0x3000u, 0x2800u}) set(c, Fold::Kind::replace, " ");
  each(0x2000, 0x200A, [this](char32_t c) { set(c, Fold::Kind::replace, " "); });
  for (const char32_t c : {0x2028u, 0x2029u, 0x0085u}) set(c, Fold::Kind::replace, "\n");
  for (const char32_t c : dashes) set(c, Fold::Kind::replace, "-");
  for (const char32_t c : dots) set(c, Fold::Kind::replace, ".");
  for (const char32_t c : {0x2018u, 0x2019u, 0x201Bu, 0xFF07u}) set(c, Fold::Kind::replace, "'");
  for (const char32_t c : {0x201Cu, 0x201Du, 0xFF02u}) set(c, Fold::Kind::replace, "\"");
  for (const char32_t c : hidden) set(c, Fold::Kind::drop);
  each(0x200B, 0x200F, [this](char32_t c) { set(c, Fold::Kind::drop); });
  each(0x202A, 0x202E, [this](char32_t c) { set(c, Fold::Kind::drop); });
  each(0x2060, 0x206F, [this](char32_t c) { set(c, Fold::Kind::drop); });
  each(0xFE00, 0xFE0F, [this](char32_t c) { set(c, Fold::Kind::drop); });
  each(0x0335, 0x0338, [this](char32_t c) { set(c, Fold::Kind::drop); });  // strokes drawn through letters
  each(0x20D0, 0x20F0, [this](char32_t c) { set(c, Fold::Kind::drop); });
  for (const auto& [c, latin] : look_alikes) set(c, Fold::Kind::look_alike, std::string_view(&latin, 1));
}

const Fold& FoldTable::of(char32_t c) const {
  static const Fold drop{Fold::Kind::drop, 0, {}};
  if (c < 0x10000) return folds_[index_[c]];
  if (c >= 0x1D400 && c <= 0x1D7FF) return folds_[math_[c - 0x1D400]];
  if (c == 0xE0001 || c == 0xE007F || (c >= 0xE0100 && c <= 0xE01EF)) return drop;
  return folds_[0];
}

}  // namespace heng::guard_text
