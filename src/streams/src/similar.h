#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace heng::streams {

/// What tells near duplicates: MinHash (Broder 1997) of the character 3-shingles of the text without spaces, punctuation and addresses, in 16 bands
/// of 4 rows (Leskovec, Rajaraman, Ullman, "Mining of Massive Datasets", 3.4): texts of Jaccard similarity 0.8 meet in a band
/// with probability 0.9998, of 0.5 with 0.64; what meets is compared exactly.
struct Fingerprint {
  static constexpr int rows = 64, bands = 16;
  std::array<std::uint16_t, rows> minima{};       ///< The low bits of each minimum, for quick estimates.
  std::array<std::int64_t, bands> band_keys{};    ///< Keys of the bands; the band's place is hashed in.
  bool empty = true;                              ///< Fewer than 8 shingles: too short to be told apart.
};

/// Sorted hashes of the shingles, each once.
std::vector<std::uint64_t> shingles(std::string_view text);
Fingerprint fingerprint(const std::vector<std::uint64_t>& shingles);
/// |a ∩ b| / |a ∪ b|, exact.
double jaccard(const std::vector<std::uint64_t>& a, const std::vector<std::uint64_t>& b);
/// The share of equal minima: an estimate of the Jaccard similarity with standard error below 0.0625.
double estimate(const Fingerprint& a, const Fingerprint& b);

/// The figures of a text in order ("3.5", "600519"): two texts with different figures are never duplicates, since a template
/// filled with another price or code is another message.
std::string figures(std::string_view text);

std::string to_bytes(const Fingerprint& fingerprint);
Fingerprint from_bytes(std::string_view bytes);

}  // namespace heng::streams
