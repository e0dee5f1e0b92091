#include "feature_set.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "heng/base/text.h"
#include "heng/guard_text/normalise.h"

namespace heng::guard_injection {
namespace {

constexpr std::size_t most_distance = 120;  // bytes between two concepts of a pair

std::uint32_t bucket(std::string_view gram, std::uint32_t seed) {
  std::uint32_t h = 2166136261u ^ seed;
  for (const char c : gram) h = (h ^ static_cast<unsigned char>(c)) * 16777619u;
  h ^= h >> 15;
  return static_cast<std::uint32_t>(dense_count + (h & (ngram_buckets - 1)));
}

bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// "i g n o r e" → "ignore": runs of at least four single letters with one mark between them.
std::string joined_letters(std::string_view s) {
  std::string out;
  for (std::size_t i = 0; i < s.size();) {
    std::size_t k = i, letters = 0;
    const bool starts = letter(s[i]) && (i == 0 || !letter(s[i - 1]));
    while (starts && k < s.size() && letter(s[k]) && (k + 1 >= s.size() || !letter(s[k + 1]))) {
      ++letters;
      if (k + 2 < s.size() && (s[k + 1] == ' ' || s[k + 1] == '.' || s[k + 1] == '-' || s[k + 1] == '_') && letter(s[k + 2])) k += 2;
      else {
        ++k;
        break;
      }
    }
    if (letters >= 4) {
      for (std::size_t j = i; j < k && j < s.size(); ++j)
        if (letter(s[j])) out += s[j];
      i = k;
    } else {
      out += s[i++];
    }
  }
  return out;
}

}  // namespace

std::string prepared(std::string_view raw) {
  const guard_text::Normalised folded(raw);
  std::string out = text::lower(joined_letters(folded.view()));
  // one blank for any white space, none between Chinese characters
  std::string squeezed;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const char c = out[i];
    const bool blank = c == ' ' || c == '\n' || c == '\t' || c == '\r';
    if (blank && (squeezed.empty() || squeezed.back() == ' ')) continue;
    const auto beside = [](char one) { return static_cast<unsigned char>(one) >= 0x80; };
    if (blank && beside(squeezed.back()) && i + 1 < out.size() && beside(out[i + 1])) continue;
    squeezed += blank ? ' ' : c;
  }
  return squeezed;
}

Result<std::vector<Feature>> features_of(const Concepts& concepts, std::string_view s, std::string_view raw) {
  std::vector<Feature> out;
  const auto hits = HENG_TRY(concepts.find(s));
  std::array<bool, dense_count> seen{};
  for (std::size_t i = 0; i < hits.size(); ++i) {
    seen[hits[i].kind] = true;
    for (std::size_t j = i + 1; j < hits.size(); ++j) {
      if (hits[j].begin > hits[i].end + most_distance) break;
      if (hits[j].begin < hits[i].end) continue;  // overlapping words say one thing
      seen[pair_base + hits[i].kind * concept_count + hits[j].kind] = true;
    }
  }
  for (std::size_t k = 0; k < measure_base; ++k)
    if (seen[k]) out.push_back({static_cast<std::uint32_t>(k), k < pair_base ? 0.5f : 1.0f});
  const guard_text::Normalised folded(raw);
  const auto odd = folded.oddities();
  if (odd.tags > 0) out.push_back({measure_base + 0, 1});
  if (odd.hidden > 2) out.push_back({measure_base + 1, 1});
  if (odd.look_alikes > 1) out.push_back({measure_base + 2, 1});
  std::size_t kinds = 0;
  for (std::size_t k = 0; k < concept_count; ++k) kinds += seen[k];
  out.push_back({measure_base + 3, static_cast<float>(kinds) / 6.0f});
  if (kinds >= 4) out.push_back({measure_base + 4, 1});
  if (s.size() < 200) out.push_back({measure_base + 5, 1});

  std::vector<std::uint32_t> grams;
  std::vector<std::size_t> starts;
  for (std::size_t i = 0; i < s.size(); ++i)
    if ((static_cast<unsigned char>(s[i]) & 0xC0) != 0x80) starts.push_back(i);
  starts.push_back(s.size());
  for (std::size_t i = 0; i + 1 < starts.size(); ++i)
    for (std::size_t n = 2; n <= 5 && i + n < starts.size(); ++n) grams.push_back(bucket(s.substr(starts[i], starts[i + n] - starts[i]), static_cast<std::uint32_t>(n)));
  std::sort(grams.begin(), grams.end());
  grams.erase(std::unique(grams.begin(), grams.end()), grams.end());
  // less than the concepts weigh: wordings are many, what attacks want is little
  const float weight = grams.empty() ? 0 : 0.5f / std::sqrt(static_cast<float>(grams.size()));
  for (const auto gram : grams) out.push_back({gram, weight});
  return out;
}

}  // namespace heng::guard_injection
