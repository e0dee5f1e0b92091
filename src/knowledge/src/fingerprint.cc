#include "heng/knowledge/fingerprint.h"

#include <array>
#include <vector>

#include "folding.h"

namespace heng::knowledge {
namespace {

constexpr std::u32string_view han_numerals = U"零〇一二三四五六七八九十百千万亿";

std::uint64_t mix(std::uint64_t x) {  // SplitMix64's finaliser
  x ^= x >> 30;
  x *= 0xbf58476d1ce4e5b9ULL;
  x ^= x >> 27;
  x *= 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

}  // namespace

std::uint64_t simhash(std::string_view text) {
  std::vector<FoldedChar> chars;
  fold(text, chars);
  std::uint64_t numbers = 0;
  std::vector<std::uint64_t> units;  // a Han character or a Latin word or number each
  for (std::size_t i = 0; i < chars.size();) {
    if (chars[i].kind == CharClass::other) {
      ++i;
      continue;
    }
    std::uint64_t hash = 0xcbf29ce484222325ULL;
    const auto kind = chars[i].kind;
    do {
      hash = mix(hash ^ chars[i].c);
      if (kind == CharClass::digit || chars[i].kind == CharClass::digit || han_numerals.find(chars[i].c) != han_numerals.npos)
        numbers = mix(numbers * 31 + chars[i].c);
      ++i;
    } while (kind != CharClass::cjk && i < chars.size() && (chars[i].kind == CharClass::letter || chars[i].kind == CharClass::digit));
    units.push_back(hash);
  }
  std::array<int, 64> votes{};
  for (std::size_t i = 0; i < units.size(); ++i) {
    std::uint64_t shingle = units[i];
    for (std::size_t j = 1; j < 3 && i + j < units.size(); ++j) shingle = mix(shingle * 31 + units[i + j]);
    for (std::size_t bit = 0; bit < 64; ++bit) votes[bit] += (shingle >> bit) & 1 ? 1 : -1;
  }
  std::uint64_t out = 0;
  for (std::size_t bit = 16; bit < 64; ++bit)
    if (votes[bit] > 0) out |= 1ULL << bit;
  return out | (numbers & 0xFFFF);
}

}  // namespace heng::knowledge
