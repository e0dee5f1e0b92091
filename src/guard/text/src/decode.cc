#include "heng/guard_text/decode.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "heng/base/text.h"

namespace heng::guard_text {
namespace {

enum : std::uint8_t { hex_digit = 1, base64_digit = 2, percent_plain = 4 };

struct Tables {
  std::array<std::uint8_t, 256> kind{};
  std::array<std::uint8_t, 256> hex{};
  std::array<std::uint8_t, 256> base64{};
  Tables() {
    hex.fill(255);
    base64.fill(255);
    const std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (std::size_t i = 0; i < alphabet.size(); ++i) set_base64(alphabet[i], static_cast<std::uint8_t>(i));
    set_base64('-', 62);
    set_base64('_', 63);
    for (int i = 0; i < 10; ++i) set_hex(static_cast<char>('0' + i), static_cast<std::uint8_t>(i));
    for (int i = 0; i < 6; ++i) {
      set_hex(static_cast<char>('a' + i), static_cast<std::uint8_t>(10 + i));
      set_hex(static_cast<char>('A' + i), static_cast<std::uint8_t>(10 + i));
    }
  }
  void set_base64(char c, std::uint8_t value) {
    kind[static_cast<unsigned char>(c)] |= base64_digit | percent_plain;
    base64[static_cast<unsigned char>(c)] = value;
  }
  void set_hex(char c, std::uint8_t value) {
    kind[static_cast<unsigned char>(c)] |= hex_digit;
    hex[static_cast<unsigned char>(c)] = value;
  }
};
const Tables& tables() {
  static const Tables all;
  return all;
}
std::uint8_t kind_of(char c) { return tables().kind[static_cast<unsigned char>(c)]; }

bool printable(std::string_view bytes) {
  if (bytes.size() < 6 || !text::is_valid_utf8(bytes)) return false;
  std::size_t odd = 0;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    odd += (byte < 0x20 && c != '\n' && c != '\r' && c != '\t') || byte == 0x7F;
  }
  return odd == 0;
}

std::string from_hex_run(std::string_view run) {
  std::string out;
  const auto& hex = tables().hex;
  for (std::size_t i = 0; i + 1 < run.size(); i += 2)
    out += static_cast<char>(hex[static_cast<unsigned char>(run[i])] << 4 | hex[static_cast<unsigned char>(run[i + 1])]);
  return out;
}

std::string from_base64_run(std::string_view run) {
  std::string out;
  std::uint32_t bits = 0;
  int have = 0;
  for (const char c : run) {
    bits = bits << 6 | tables().base64[static_cast<unsigned char>(c)];
    have += 6;
    if (have >= 8) {
      have -= 8;
      out += static_cast<char>(bits >> have & 0xFF);
    }
  }
  // a cut multi-byte character at the end is not held against the rest
  return out.substr(0, text::complete_utf8_prefix(out));
}

/// Base64 that was not cut at a multiple of four begins anywhere; only the start of the run is tried.
bool try_run(std::string_view text, std::size_t begin, std::size_t end, std::vector<Decoded>& out) {
  const std::string_view run = text.substr(begin, end - begin);
  bool all_hex = true, digit = false, upper = false, lower = false;
  for (const char c : run) {
    all_hex = all_hex && (kind_of(c) & hex_digit);
    digit = digit || (c >= '0' && c <= '9');
    upper = upper || (c >= 'A' && c <= 'Z');
    lower = lower || (c >= 'a' && c <= 'z');
  }
  if (all_hex && run.size() % 2 == 0) {
    if (auto decoded = from_hex_run(run); printable(decoded)) {
      out.push_back({begin, end, std::move(decoded), "hex"});
      return true;
    }
  }
  if (digit + upper + lower < 2) return false;
  auto decoded = from_base64_run(run);
  if (!printable(decoded)) return false;
  std::size_t padded = end;
  while (padded < text.size() && text[padded] == '=' && padded < end + 2) ++padded;
  out.push_back({begin, padded, std::move(decoded), "base64"});
  return true;
}

/// '/', '-' and '_' belong to base64 and to paths: where the whole says nothing, what stands between them is tried.
void try_pieces(std::string_view text, std::size_t begin, std::size_t end, const DecodeLimits& limits, std::vector<Decoded>& out) {
  std::size_t from = begin;
  for (std::size_t i = begin; i <= end; ++i) {
    if (i < end && text[i] != '/' && text[i] != '-' && text[i] != '_') continue;
    if (i - from >= limits.shortest && !(from == begin && i == end)) try_run(text, from, i, out);
    from = i + 1;
  }
}

/// One encoded character at `i`: %31, \u0031, \x31, &#49; or &#x31;. Returns its length, 0 where there is none.
std::size_t escape_at(std::string_view s, std::size_t i, std::string& out, bool& percent) {
  const auto& hex = tables().hex;
  const auto hex_value = [&](std::size_t from, std::size_t digits, std::uint32_t& value) {
    value = 0;
    for (std::size_t k = 0; k < digits; ++k) {
      if (from + k >= s.size()) return false;
      const auto h = hex[static_cast<unsigned char>(s[from + k])];
      if (h == 255) return false;
      value = value << 4 | h;
    }
    return true;
  };
  std::uint32_t value = 0;
  if (s[i] == '%' && hex_value(i + 1, 2, value)) {
    percent = true;
    out += static_cast<char>(value);
    return 3;
  }
  if (s[i] == '\\' && i + 1 < s.size() && (s[i + 1] == 'u' || s[i + 1] == 'x')) {
    const std::size_t digits = s[i + 1] == 'u' ? 4 : 2;
    if (!hex_value(i + 2, digits, value) || value < 9 || (value >= 0xD800 && value < 0xE000)) return 0;
    text::append(out, value);
    return 2 + digits;
  }
  if (s[i] == '&' && i + 3 < s.size() && s[i + 1] == '#') {
    std::size_t k = i + 2;
    const bool sixteen = s[k] == 'x' || s[k] == 'X';
    k += sixteen;
    const std::size_t first = k;
    for (; k < s.size() && k < first + 6; ++k) {
      const auto h = hex[static_cast<unsigned char>(s[k])];
      if (h == 255 || (!sixteen && h > 9)) break;
      value = value * (sixteen ? 16 : 10) + h;
    }
    if (k == first || k >= s.size() || s[k] != ';' || value < 9 || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000)) return 0;
    text::append(out, value);
    return k + 1 - i;
  }
  return 0;
}

std::size_t try_escapes(std::string_view s, std::size_t i, const DecodeLimits& limits, std::vector<Decoded>& out) {
  std::string decoded;
  bool percent = false;
  std::size_t end = i, escapes = 0;
  const std::size_t most = std::min(s.size(), i + limits.longest);
  while (end < most) {
    const std::size_t size = escape_at(s, end, decoded, percent);
    if (size > 0) {
      ++escapes;
      end += size;
      continue;
    }
    if (escapes == 0 || !(kind_of(s[end]) & percent_plain || s[end] == '.' || s[end] == '@' || s[end] == '~')) break;
    decoded += s[end++];
  }
  if (escapes >= 3 && printable(decoded)) out.push_back({i, end, std::move(decoded), percent ? "percent" : "escape"});
  return end > i ? end : i + 1;
}

}  // namespace

std::vector<Decoded> decode_stretches(std::string_view s, const DecodeLimits& limits) {
  std::vector<Decoded> out;
  std::size_t i = 0;
  while (i < s.size() && out.size() < limits.most) {
    const char c = s[i];
    if (c == '%' || c == '\\' || c == '&') {
      i = try_escapes(s, i, limits, out);
      continue;
    }
    if (!(kind_of(c) & base64_digit)) {
      ++i;
      continue;
    }
    std::size_t end = i + 1;
    while (end < s.size() && end - i < limits.longest && (kind_of(s[end]) & base64_digit)) ++end;
    if (end - i >= limits.shortest && !try_run(s, i, end, out)) try_pieces(s, i, end, limits, out);
    i = end;
  }
  return out;
}

}  // namespace heng::guard_text
