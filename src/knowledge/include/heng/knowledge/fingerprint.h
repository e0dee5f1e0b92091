#pragma once

#include <bit>
#include <cstdint>
#include <string_view>

namespace heng::knowledge {

/// SimHash (Charikar 2002) of overlapping word triples, 64 bits: near-duplicates differ in few bits.
std::uint64_t simhash(std::string_view text);

/// Texts this close are one for a reader of search results.
constexpr int near_duplicate_bits = 4;
inline bool near_duplicates(std::uint64_t a, std::uint64_t b) { return std::popcount(a ^ b) <= near_duplicate_bits; }

}  // namespace heng::knowledge
