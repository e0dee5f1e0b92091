#include "heng/knowledge/ranking.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

namespace heng::knowledge {
namespace {

bool better(const Scored& a, const Scored& b) { return a.score != b.score ? a.score > b.score : a.ordinal < b.ordinal; }

void keep_best(std::vector<Scored>& all, std::size_t k) {
  if (all.size() > k) {
    std::nth_element(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(k), all.end(), better);
    all.resize(k);
  }
  std::sort(all.begin(), all.end(), better);
}

}  // namespace

std::vector<Scored> bm25(const std::vector<WeightedPostings>& terms, const Visible& visible, const Bm25Settings& settings,
                         std::size_t k) {
  std::vector<float> scores(visible.allowed.size(), 0.0F);
  std::vector<std::uint32_t> found;
  const double average = std::max(1.0, visible.average_length);
  for (const auto& term : terms) {
    std::uint32_t frequency = 0;
    for (const auto& p : term.postings)
      if (p.ordinal < visible.allowed.size()) frequency += visible.allowed[p.ordinal];
    if (frequency == 0) continue;
    const double n = visible.count;
    const double idf = std::log(1.0 + (n - frequency + 0.5) / (frequency + 0.5));
    const double weight = term.weight * idf * (settings.k1 + 1.0);
    for (const auto& p : term.postings) {
      if (p.ordinal >= visible.allowed.size() || !visible.allowed[p.ordinal]) continue;
      const double norm = settings.k1 * (1.0 - settings.b + settings.b * visible.lengths[p.ordinal] / average);
      // headings and titles are short already: only the body is normalised by length
      const double tf = p.in_body + settings.heading_weight * p.in_heading + settings.title_weight * p.in_title;
      if (scores[p.ordinal] == 0.0F) found.push_back(p.ordinal);
      scores[p.ordinal] += static_cast<float>(weight * tf / (tf + norm));
    }
  }
  std::vector<Scored> out;
  out.reserve(found.size());
  for (const auto ordinal : found) out.push_back({ordinal, scores[ordinal]});
  keep_best(out, k);
  return out;
}

std::vector<Scored> fuse(const std::vector<Scored>& by_words, const std::vector<Scored>& by_vector, const FusionSettings& settings) {
  std::unordered_map<std::uint32_t, double> sums;
  const auto add = [&](const std::vector<Scored>& list, double weight) {
    if (list.empty()) return;
    const double top = list.front().score, low = list.back().score;
    const double span = top > low ? top - low : 1.0;
    for (std::size_t i = 0; i < list.size(); ++i) {
      const double by_rank = (settings.rank_offset + 1.0) / (settings.rank_offset + 1.0 + static_cast<double>(i));
      const double by_score = top > low ? (list[i].score - low) / span : 1.0;
      sums[list[i].ordinal] += weight * ((1.0 - settings.score_share) * by_rank + settings.score_share * by_score);
    }
  };
  add(by_words, settings.word_weight);
  add(by_vector, settings.vector_weight);
  const double whole = settings.word_weight + settings.vector_weight;
  std::vector<Scored> out;
  out.reserve(sums.size());
  for (const auto& [ordinal, sum] : sums) out.push_back({ordinal, whole > 0 ? sum / whole : 0.0});
  std::sort(out.begin(), out.end(), better);
  return out;
}

}  // namespace heng::knowledge
