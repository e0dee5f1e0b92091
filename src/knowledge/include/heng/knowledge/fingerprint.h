#pragma once

#include <bit>
#include <cstdint>
#include <string_view>

namespace heng::knowledge {

/// SimHash (Charikar 2002) of overlapping word triples in the upper 48 bits, a hash of the numbers in the lower 16: texts that
/// differ in a word or two are near; texts that differ in a figure are not, however alike they are otherwise.
std::uint64_t simhash(std::string_view text);

/// Texts this close are one for a reader of search results.
constexpr int near_duplicate_bits = 5;
inline bool near_duplicates(std::uint64_t a, std::uint64_t b) {
  return (a & 0xFFFF) == (b & 0xFFFF) && std::popcount((a ^ b) >> 16) <= near_duplicate_bits;
}

}  // namespace heng::knowledge
