#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace heng::knowledge {

/// One chunk's place in a token's posting list. `ordinal` is the chunk's place in memory.
struct Posting {
  std::uint32_t ordinal = 0;
  std::uint16_t in_body = 0;
  std::uint8_t in_heading = 0;
  std::uint8_t in_title = 0;
};

struct Bm25Settings {
  double k1 = 1.2;
  double b = 0.6;
  double heading_weight = 1.6;   ///< An occurrence in the headings counts as this many in the text.
  double title_weight = 1.2;
};

struct Scored {
  std::uint32_t ordinal = 0;
  double score = 0;
};

/// What a reader may find: N, average length and df are taken over these chunks only, so that what is hidden changes nothing.
struct Visible {
  std::span<const std::uint8_t> allowed;     ///< One flag per ordinal.
  std::span<const std::uint16_t> lengths;    ///< Tokens per ordinal.
  std::uint32_t count = 0;
  double average_length = 1;
};

struct WeightedPostings {
  double weight = 1;
  std::span<const Posting> postings;
};

/// BM25F (Robertson, Zaragoza 2009) over posting lists, with an idf that is never negative. The best `k`, best first; ties by
/// ordinal.
std::vector<Scored> bm25(const std::vector<WeightedPostings>& terms, const Visible& visible, const Bm25Settings& settings,
                         std::size_t k);

struct FusionSettings {
  double vector_weight = 1.0;
  double word_weight = 1.0;
  double rank_offset = 20;       ///< The 60 of Cormack et al. (2009), smaller: the first places count more.
  double score_share = 0.5;      ///< Between rank fusion (0) and the convex sum of scores scaled to 0…1 (1).
};

/// Fuses two rankings into one. Scores are for ranking only.
std::vector<Scored> fuse(const std::vector<Scored>& by_words, const std::vector<Scored>& by_vector, const FusionSettings& settings);

}  // namespace heng::knowledge
