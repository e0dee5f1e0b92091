#include "similar.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "heng/base/text.h"

namespace heng::streams {
namespace {

constexpr std::size_t shingle_length = 3, fewest_shingles = 8, most_code_points = 20'000;

/// splitmix64's finaliser (Steele, Lea, Flood 2014).
constexpr std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

bool is_word_character(char32_t c) {
  if (c < 0x80) return (c >= U'0' && c <= U'9') || (c >= U'a' && c <= U'z');
  if (c >= 0x3000 && c < 0x3040) return false;   // Chinese punctuation
  if (c >= 0x2000 && c < 0x2C00) return false;   // general punctuation, symbols, arrows
  if (c >= 0xFF00 && c < 0xFFF0) return false;
  return c >= 0xC0 && c < 0x1F000;               // emoji say nothing about the matter
}

/// Addresses out, lower case.
std::string comparable(std::string_view s) {
  std::string kept;
  for (std::size_t i = 0; i < s.size();) {
    const auto rest = s.substr(i);
    if (rest.starts_with("http://") || rest.starts_with("https://")) {
      while (i < s.size() && static_cast<unsigned char>(s[i]) > 0x20 && static_cast<unsigned char>(s[i]) < 0x80) ++i;
    } else {
      kept += s[i++];
    }
  }
  return text::lower(kept);
}

/// From the low bits alone, so that the stored fingerprint gives the same keys.
void set_band_keys(Fingerprint& out) {
  constexpr std::size_t rows_in_band = Fingerprint::rows / Fingerprint::bands;
  for (std::size_t band = 0; band < Fingerprint::bands; ++band) {
    std::uint64_t key = mix(band);
    for (std::size_t row = 0; row < rows_in_band; ++row) key = mix(key ^ out.minima[band * rows_in_band + row]);
    std::memcpy(&out.band_keys[band], &key, sizeof key);
  }
}

}  // namespace

std::vector<std::uint64_t> shingles(std::string_view s) {
  const std::string lower = comparable(s);
  std::vector<std::uint64_t> out;
  char32_t last[shingle_length] = {};
  std::size_t count = 0;
  for (std::size_t i = 0; i < lower.size() && count < most_code_points;) {
    const char32_t c = text::next(lower, i);
    if (!is_word_character(c)) continue;
    last[0] = last[1];
    last[1] = last[2];
    last[2] = c;
    if (++count >= shingle_length) out.push_back(mix((std::uint64_t{last[0]} << 42) ^ (std::uint64_t{last[1]} << 21) ^ last[2]));
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

Fingerprint fingerprint(const std::vector<std::uint64_t>& hashes) {
  Fingerprint out;
  if (hashes.size() < fewest_shingles) return out;
  out.empty = false;
  std::array<std::uint64_t, Fingerprint::rows> minima;
  minima.fill(std::numeric_limits<std::uint64_t>::max());
  for (const auto hash : hashes) {
    // one multiplication and one addition per row: a family of hash functions from two (Dietzfelbinger 1996)
    const std::uint64_t step = mix(hash) | 1U;
    std::uint64_t value = hash;
    for (auto& minimum : minima) {
      value += step;
      const std::uint64_t mixed = (value ^ (value >> 29)) * 0xbf58476d1ce4e5b9ULL;
      minimum = std::min(minimum, mixed);
    }
  }
  for (std::size_t i = 0; i < minima.size(); ++i) out.minima[i] = static_cast<std::uint16_t>(mix(minima[i]) >> 48);
  set_band_keys(out);
  return out;
}

double jaccard(const std::vector<std::uint64_t>& a, const std::vector<std::uint64_t>& b) {
  std::size_t common = 0;
  for (auto x = a.begin(), y = b.begin(); x != a.end() && y != b.end();) {
    if (*x == *y) {
      ++common;
      ++x;
      ++y;
    } else if (*x < *y) {
      ++x;
    } else {
      ++y;
    }
  }
  const std::size_t all = a.size() + b.size() - common;
  return all == 0 ? 0 : static_cast<double>(common) / static_cast<double>(all);
}

double estimate(const Fingerprint& a, const Fingerprint& b) {
  if (a.empty || b.empty) return 0;
  int equal = 0;
  for (std::size_t i = 0; i < a.minima.size(); ++i) equal += a.minima[i] == b.minima[i];
  return static_cast<double>(equal) / Fingerprint::rows;
}

std::string figures(std::string_view s) {
  const std::string kept = comparable(s);
  std::string out;
  bool in = false;
  for (std::size_t i = 0; i < kept.size(); ++i) {
    const char c = kept[i];
    const bool digit = c >= '0' && c <= '9';
    const bool point = c == '.' && in && i + 1 < kept.size() && kept[i + 1] >= '0' && kept[i + 1] <= '9';
    const bool group = c == ',' && in && i + 1 < kept.size() && kept[i + 1] >= '0' && kept[i + 1] <= '9';
    if (digit || point) out += c;
    else if (in && !group) out += ' ';
    in = digit || point || group;
  }
  return std::string(text::trim(out));
}

std::string to_bytes(const Fingerprint& fingerprint) {
  if (fingerprint.empty) return {};
  return {reinterpret_cast<const char*>(fingerprint.minima.data()), sizeof fingerprint.minima};
}

Fingerprint from_bytes(std::string_view bytes) {
  Fingerprint out;
  if (bytes.size() != sizeof out.minima) return out;
  std::memcpy(out.minima.data(), bytes.data(), bytes.size());
  set_band_keys(out);
  out.empty = false;
  return out;
}

}  // namespace heng::streams
