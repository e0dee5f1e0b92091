#include "squeeze.h"

#include "heng/base/text.h"
#include "heng/guard_text/normalise.h"

namespace heng::guard_egress {
namespace {

int han_digit(char32_t c) {
  constexpr std::u32string_view digits[] = {U"〇零", U"一壹", U"二贰", U"三叁", U"四肆", U"五伍", U"六陆", U"七柒", U"八捌", U"九玖"};
  for (int d = 0; d < 10; ++d)
    if (digits[d].find(c) != std::u32string_view::npos) return d;
  return -1;
}

}  // namespace

Squeezed squeeze(std::string_view original) {
  const guard_text::Normalised text(original);
  const std::string_view view = text.view();
  Squeezed out;
  out.text.reserve(view.size());
  for (std::size_t i = 0; i < view.size();) {
    const std::size_t at = i;
    const char32_t c = text::next(view, i);
    char byte = 0;
    if (c < 0x80) {
      if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')) byte = static_cast<char>(c);
      if (c >= 'A' && c <= 'Z') byte = static_cast<char>(c + 32);
    } else if (const int digit = text::is_cjk(c) || c == U'〇' ? han_digit(c) : -1; digit >= 0) {
      byte = static_cast<char>('0' + digit);
    }
    if (byte == 0) continue;
    out.text += byte;
    out.begin.push_back(static_cast<std::uint32_t>(text.original_begin(at)));
    out.end.push_back(static_cast<std::uint32_t>(text.original_end(i)));
  }
  return out;
}

std::string rot13(std::string_view s) {
  std::string out(s);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>('a' + (c - 'a' + 13) % 26);
    else if (c >= 'A' && c <= 'Z') c = static_cast<char>('A' + (c - 'A' + 13) % 26);
  }
  return out;
}

}  // namespace heng::guard_egress
