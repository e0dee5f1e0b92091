#include "linear/features.h"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <memory>

#include "heng/base/text.h"

namespace heng::insight {

CodeClasses::CodeClasses() {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* nfkc = icu::Normalizer2::getNFKCInstance(status);
  for (std::uint32_t c = 0; c < 0x10000; ++c) {
    std::uint32_t plain = c;
    const auto point = static_cast<UChar32>(c);
    if (U_SUCCESS(status) && c >= 0x80 && !(c >= 0x4E00 && c < 0xA000) && !(c >= 0xAC00 && c < 0xD7B0)) {
      icu::UnicodeString out;
      if (nfkc->getDecomposition(point, out) && out.length() >= 1 && (out.length() == 1 || out.charAt(0) == ' ')) plain = static_cast<std::uint32_t>(out.charAt(0));
      const icu::UnicodeString composed = nfkc->normalize(icu::UnicodeString(point), status);
      if (composed.length() == 1) plain = static_cast<std::uint32_t>(composed.charAt(0));
    }
    plain = static_cast<std::uint32_t>(u_tolower(static_cast<UChar32>(plain)));
    const auto kind = u_charType(static_cast<UChar32>(plain));
    if (u_isUWhiteSpace(static_cast<UChar32>(plain))) plain = ' ';
    else if (kind == U_CONTROL_CHAR || kind == U_FORMAT_CHAR || (c >= 0xFE00 && c <= 0xFE0F)) plain = 0;
    if (c == code_edge || c == code_link || c == code_field) plain = 0;  // reserved for marks of our own
    if (c == 0x1E) plain = code_field;
    folded_[c] = static_cast<std::uint16_t>(plain < 0x10000 ? plain : c);
    in_word_[c] = u_isalnum(point) && !text::is_cjk(c) && !(c >= 0x3040 && c < 0x3100) && !(c >= 0xAC00 && c < 0xD7B0);
  }
}

const CodeClasses& CodeClasses::get() {
  static const std::unique_ptr<CodeClasses> classes(new CodeClasses);
  return *classes;
}

namespace {

/// Length in bytes of the web address that begins at `i`, or 0.
std::size_t link_length(std::string_view s, std::size_t i) {
  const std::string_view rest = s.substr(i, 8);
  if (!rest.starts_with("http://") && !rest.starts_with("https://") && !rest.starts_with("www.")) return 0;
  std::size_t end = i;
  while (end < s.size() && static_cast<unsigned char>(s[end]) > ' ' && static_cast<unsigned char>(s[end]) < 0x7F) ++end;
  return end - i;
}

}  // namespace

void fold(std::string_view text, const FeatureSettings& settings, bool with_sources, FoldedCodes& out) {
  const CodeClasses& classes = CodeClasses::get();
  out.codes.resize(text.size() + 2);
  if (with_sources) out.sources.resize(text.size() + 2);
  std::uint32_t* codes = out.codes.data();
  std::size_t count = 0;
  std::uint32_t position = 0;
  const auto add = [&](std::uint32_t c) {
    if (with_sources) out.sources[count] = position;
    codes[count++] = c;
  };
  add(code_edge);
  std::size_t i = 0;
  while (i < text.size()) {
    const auto byte = static_cast<unsigned char>(text[i]);
    std::uint32_t c;
    if (byte < 0x80) {
      if ((byte == 'h' || byte == 'w') && i + 4 < text.size()) {
        if (const std::size_t length = link_length(text, i)) {
          add(code_link);
          i += length;
          position += static_cast<std::uint32_t>(length);
          continue;
        }
      }
      c = byte;
      ++i;
    } else if (byte < 0xE0) {
      c = (byte & 0x1Fu) << 6 | (static_cast<unsigned char>(text[i + 1]) & 0x3Fu);
      i += 2;
    } else if (byte < 0xF0) {
      c = (byte & 0x0Fu) << 12 | (static_cast<unsigned char>(text[i + 1]) & 0x3Fu) << 6 | (static_cast<unsigned char>(text[i + 2]) & 0x3Fu);
      i += 3;
    } else {
      c = (byte & 0x07u) << 18 | (static_cast<unsigned char>(text[i + 1]) & 0x3Fu) << 12 | (static_cast<unsigned char>(text[i + 2]) & 0x3Fu) << 6 | (static_cast<unsigned char>(text[i + 3]) & 0x3Fu);
      i += 4;
    }
    if (c < 0x10000) c = classes.folded(c);
    if (settings.fold_digits && c - '0' < 10) c = '0';
    const std::uint32_t last = codes[count - 1];
    const bool skip = c == 0 || (c == ' ' && (last == ' ' || last == code_edge)) ||
                      (c == last && count > 3 && codes[count - 2] == c && codes[count - 3] == c && c != '0');
    if (!skip) add(c);
    ++position;
  }
  if (codes[count - 1] == ' ') --count;
  add(code_edge);
  out.codes.resize(count);
  if (with_sources) out.sources.resize(count);
}

}  // namespace heng::insight
