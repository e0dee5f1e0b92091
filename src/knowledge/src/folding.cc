#include "folding.h"

#include <array>
#include <memory>

#include <unicode/normalizer2.h>
#include <unicode/translit.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include "heng/base/text.h"

namespace heng::knowledge {
namespace {

constexpr char32_t several = 0x110000;  // folds to more than one code point
constexpr char32_t dropped = 0x110001;  // folds to nothing

struct Tables {
  std::array<char32_t, 0x10000> folded;
  std::array<CharClass, 0x10000> kinds;
};

icu::UnicodeString fold_slowly(char32_t c) {
  UErrorCode status = U_ZERO_ERROR;
  const auto* nfkc = icu::Normalizer2::getNFKCCasefoldInstance(status);
  icu::UnicodeString one(static_cast<UChar32>(c));
  if (U_FAILURE(status)) return one;
  icu::UnicodeString folded = nfkc->normalize(one, status);
  if (U_FAILURE(status)) return one;
  icu::UnicodeString out;
  const auto* nfd = icu::Normalizer2::getNFDInstance(status);
  for (int32_t i = 0; i < folded.length();) {
    const UChar32 f = folded.char32At(i);
    i += U16_LENGTH(f);
    if (f >= 0xC0 && (f < 0x250 || (f >= 0x1E00 && f < 0x1F00))) {
      const icu::UnicodeString parts = nfd->normalize(icu::UnicodeString(f), status);
      for (int32_t j = 0; j < parts.length(); ++j)
        if (u_charType(parts[j]) != U_NON_SPACING_MARK) out.append(parts[j]);
    } else if (u_charType(f) != U_NON_SPACING_MARK || f > 0x36F) {
      out.append(f);
    }
  }
  return out;
}

CharClass classify(char32_t c) {
  const auto code = static_cast<UChar32>(c);
  if (u_hasBinaryProperty(code, UCHAR_IDEOGRAPHIC)) return CharClass::cjk;
  if ((c >= 0x3040 && c <= 0x30FF) || (c >= 0xAC00 && c <= 0xD7A3)) return CharClass::cjk;
  if (u_isdigit(code)) return CharClass::digit;
  if (u_isalpha(code) || u_charType(code) == U_COMBINING_SPACING_MARK || u_charType(code) == U_NON_SPACING_MARK)
    return CharClass::letter;
  return CharClass::other;
}

void simplify(Tables& tables) {
  UErrorCode status = U_ZERO_ERROR;
  std::unique_ptr<icu::Transliterator> simplifier(
      icu::Transliterator::createInstance("Hant-Hans", UTRANS_FORWARD, status));
  if (U_FAILURE(status) || !simplifier) return;
  for (char32_t c = 0x3400; c < 0xA000; ++c) {
    if (tables.folded[c] != c) continue;
    icu::UnicodeString one(static_cast<UChar32>(c));
    simplifier->transliterate(one);
    if (one.length() == 1) tables.folded[c] = one[0];
  }
}

const Tables& tables() {
  static const std::unique_ptr<const Tables> built = [] {
    auto made = std::make_unique<Tables>();
    for (char32_t c = 0; c < 0x10000; ++c) {
      made->kinds[c] = classify(c);
      made->folded[c] = c;
      if (c >= 0xD800 && c < 0xE000) continue;
      if (c < 0x80) {
        made->folded[c] = (c >= 'A' && c <= 'Z') ? c + 32 : c;
        continue;
      }
      const auto folded = fold_slowly(c);
      if (folded.isEmpty()) {
        made->folded[c] = dropped;
      } else if (folded.countChar32() == 1) {
        made->folded[c] = static_cast<char32_t>(folded.char32At(0));
      } else {
        made->folded[c] = several;
      }
    }
    simplify(*made);
    return made;
  }();
  return *built;
}

}  // namespace

CharClass class_of(char32_t c) { return c < 0x10000 ? tables().kinds[c] : classify(c); }

void fold(std::string_view text, std::vector<FoldedChar>& out) {
  const Tables& table = tables();
  out.clear();
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t begin = i;
    const char32_t c = text::next(text, i);
    const char32_t folded = c < 0x10000 ? table.folded[c] : several;
    if (folded == dropped) continue;
    if (folded != several) {
      out.push_back({folded, class_of(folded), begin, i});
      continue;
    }
    const auto parts = fold_slowly(c);
    for (int32_t j = 0; j < parts.length();) {
      const auto part = static_cast<char32_t>(parts.char32At(j));
      j += U16_LENGTH(static_cast<UChar32>(part));
      const char32_t simple = part < 0x10000 && table.folded[part] < several ? table.folded[part] : part;
      out.push_back({simple, class_of(simple), begin, i});
    }
  }
}

}  // namespace heng::knowledge
