#include "charset.h"

#include <uchardet/uchardet.h>
#include <unicode/ucnv.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "heng/base/text.h"

namespace heng::formats {
namespace {

constexpr std::size_t sample_bytes = 64 << 10;

const char* byte_order_mark(std::string_view bytes, std::size_t& length) {
  auto starts = [&](std::string_view mark) {
    length = mark.size();
    return bytes.starts_with(mark);
  };
  if (starts("\xEF\xBB\xBF")) return "UTF-8";
  if (starts(std::string_view("\xFF\xFE\0\0", 4))) return "UTF-32LE";
  if (starts(std::string_view("\0\0\xFE\xFF", 4))) return "UTF-32BE";
  if (starts("\xFF\xFE")) return "UTF-16LE";
  if (starts("\xFE\xFF")) return "UTF-16BE";
  length = 0;
  return nullptr;
}

// Latin text in UTF-16 has a zero in every other byte.
const char* utf16_without_mark(std::string_view bytes) {
  std::size_t size = std::min(bytes.size(), sample_bytes) & ~std::size_t{1};
  if (size < 8) return nullptr;
  std::size_t even = 0, odd = 0;
  for (std::size_t i = 0; i < size; i += 2) {
    even += bytes[i] == 0;
    odd += bytes[i + 1] == 0;
  }
  if (odd * 2 > size / 2 && even * 20 < size) return "UTF-16LE";
  if (even * 2 > size / 2 && odd * 20 < size) return "UTF-16BE";
  return nullptr;
}

std::string guessed(std::string_view bytes) {
  std::unique_ptr<std::remove_pointer_t<uchardet_t>, decltype(&uchardet_delete)> detector(uchardet_new(), &uchardet_delete);
  // a piece from where the first byte beyond ASCII is says more than the beginning
  std::size_t first = 0;
  while (first < bytes.size() && static_cast<unsigned char>(bytes[first]) < 0x80) ++first;
  std::size_t begin = first > 1024 ? first - 1024 : 0;
  std::string_view sample = bytes.substr(begin, sample_bytes);
  if (uchardet_handle_data(detector.get(), sample.data(), sample.size()) != 0) return "";
  uchardet_data_end(detector.get());
  return uchardet_get_charset(detector.get());
}

// How well bytes read in a charset: unknown and private characters count against it, common Chinese for it.
int badness(const std::string& utf8) {
  int bad = 0, count = 0;
  for (std::size_t i = 0; i < utf8.size() && count < 20000; ++count) {
    char32_t c = text::next(utf8, i);
    if (c == 0xFFFD || (c >= 0xE000 && c <= 0xF8FF) || (c < 0x20 && c != '\n' && c != '\r' && c != '\t') || (c >= 0x80 && c < 0xA0)) ++bad;
  }
  return count == 0 ? 0 : bad * 10000 / count;
}

}  // namespace

std::optional<std::string> from_charset(std::string_view bytes, const std::string& charset) {
  UErrorCode status = U_ZERO_ERROR;
  std::string name = charset;
  // what is called GB2312 or GBK in the wild is its superset
  if (text::equals_ci(name, "gb2312") || text::equals_ci(name, "gbk") || text::equals_ci(name, "x-gbk")) name = "GB18030";
  if (text::equals_ci(name, "iso-8859-1") || text::equals_ci(name, "us-ascii") || text::equals_ci(name, "ascii")) name = "windows-1252";
  if (text::equals_ci(name, "iso-8859-8-i")) name = "iso-8859-8";
  std::unique_ptr<UConverter, decltype(&ucnv_close)> converter(ucnv_open(name.c_str(), &status), &ucnv_close);
  if (U_FAILURE(status) || !converter) return std::nullopt;
  std::string out;
  std::vector<UChar> buffer(16384);
  const char* source = bytes.data();
  const char* end = source + bytes.size();
  bool more = true;
  char16_t pending = 0;
  while (more) {
    UChar* target = buffer.data();
    status = U_ZERO_ERROR;
    ucnv_toUnicode(converter.get(), &target, buffer.data() + buffer.size(), &source, end, nullptr, true, &status);
    more = status == U_BUFFER_OVERFLOW_ERROR;
    if (U_FAILURE(status) && !more) return std::nullopt;
    for (UChar* unit = buffer.data(); unit != target; ++unit) {
      char16_t c = *unit;
      if (pending != 0 && c >= 0xDC00 && c <= 0xDFFF) {
        text::append(out, 0x10000 + ((static_cast<char32_t>(pending) - 0xD800) << 10) + (c - 0xDC00u));
        pending = 0;
        continue;
      }
      if (pending != 0) text::append(out, 0xFFFD);
      pending = 0;
      if (c >= 0xD800 && c <= 0xDBFF) pending = c;
      else if (c >= 0xDC00 && c <= 0xDFFF) text::append(out, 0xFFFD);
      else text::append(out, c);
    }
  }
  return out;
}

std::string to_utf8(std::string_view bytes, const std::string& declared, std::string* charset) {
  auto used = [&](const std::string& name) {
    if (charset != nullptr) *charset = name;
  };
  std::size_t mark = 0;
  if (const char* marked = byte_order_mark(bytes, mark)) {
    used(marked);
    return from_charset(bytes.substr(mark), marked).value_or("");
  }
  if (const char* wide = utf16_without_mark(bytes)) {
    used(wide);
    return from_charset(bytes, wide).value_or("");
  }
  if (text::is_valid_utf8(bytes)) {
    used("UTF-8");
    return std::string(bytes);
  }
  if (!declared.empty() && !text::starts_with_ci(declared, "utf")) {
    auto text = from_charset(bytes, declared);
    if (text && badness(*text) < 200) {
      used(declared);
      return *std::move(text);
    }
  }
  // a few broken bytes in what is else UTF-8
  std::string repaired = text::replace_invalid_utf8(bytes);
  std::string guess = guessed(bytes);
  std::string best = repaired;
  int best_badness = badness(repaired);
  used("UTF-8");
  for (const std::string& name : {guess, std::string("GB18030"), std::string("Big5"), std::string("Shift_JIS"), std::string("windows-1252")}) {
    if (name.empty() || best_badness < 20) break;
    auto text = from_charset(bytes, name);
    if (!text) continue;
    // the later ones are guesses without evidence: they must be much better
    if (badness(*text) * (name == guess ? 1 : 4) < best_badness) {
      best_badness = badness(*text);
      best = *std::move(text);
      used(name);
    }
  }
  return best;
}

bool looks_binary(std::string_view bytes) {
  std::string_view sample = bytes.substr(0, sample_bytes);
  std::size_t mark = 0;
  if (byte_order_mark(bytes, mark) != nullptr || utf16_without_mark(bytes) != nullptr) return false;
  std::size_t control = 0;
  for (char c : sample) {
    auto byte = static_cast<unsigned char>(c);
    if (byte == 0) return true;
    control += byte < 0x20 && byte != '\n' && byte != '\r' && byte != '\t' && byte != '\f' && byte != 0x1B;
  }
  return control * 50 > sample.size();
}

}  // namespace heng::formats
