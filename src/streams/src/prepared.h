#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "heng/contracts/insight.h"
#include "heng/streams/engine.h"
#include "similar.h"

namespace heng::streams {

/// A message on its way from the batch to the store.
struct StreamEngine::Prepared {
  enum class Fate { fresh, copy, near, replay };
  StreamItem item;
  Fate fate = Fate::fresh;
  std::int64_t number = 0;            ///< Of the stored item: its own, or the one that it repeats.
  std::optional<std::size_t> twin;    ///< Place in the batch of what it repeats, where that is not stored yet.
  std::vector<std::uint64_t> shingles;
  Fingerprint fingerprint;
  std::string figures;
};

/// Copies inside one batch, which the store does not know yet.
class BatchCopies {
 public:
  template <class Prepared>
  bool find_exact(const std::vector<Prepared>& batch, std::size_t, Prepared& p) const {
    const auto found = by_hash_.find(p.item.sha256);
    if (found == by_hash_.end()) return false;
    const Prepared& first = batch[found->second];
    p.fate = !p.item.id.empty() && p.item.id == first.item.id ? Prepared::Fate::replay : Prepared::Fate::copy;
    p.twin = found->second;
    return true;
  }
  template <class Prepared>
  void remember_exact(const std::vector<Prepared>& batch, std::size_t i) { by_hash_.emplace(batch[i].item.sha256, i); }
  template <class Prepared>
  void find_near(const std::vector<Prepared>& batch, std::size_t i, double least, Prepared& p) const {
    if (p.fingerprint.empty) return;
    std::size_t last = i;
    for (const auto key : p.fingerprint.band_keys) {
      const auto [begin, end] = by_band_.equal_range(key);
      for (auto at = begin; at != end; ++at) {
        if (at->second == last) continue;
        last = at->second;
        const Prepared& other = batch[last];
        constexpr double error_of_estimate = 0.25;
        if (estimate(p.fingerprint, other.fingerprint) < least - error_of_estimate) continue;
        const double similarity = jaccard(p.shingles, other.shingles);
        if (similarity < least || similarity <= p.item.similarity || other.figures != p.figures) continue;
        p.fate = Prepared::Fate::near;
        p.twin = last;
        p.item.similarity = similarity;
      }
    }
  }
  /// Its exact copies lead to it; near ones only if it is itself the first.
  template <class Prepared>
  void remember(const std::vector<Prepared>& batch, std::size_t i) {
    by_hash_.emplace(batch[i].item.sha256, i);
    if (batch[i].fate != Prepared::Fate::fresh || batch[i].fingerprint.empty) return;
    for (const auto key : batch[i].fingerprint.band_keys) by_band_.emplace(key, i);
  }

 private:
  std::unordered_map<std::string, std::size_t> by_hash_;
  std::unordered_multimap<std::int64_t, std::size_t> by_band_;
};

}  // namespace heng::streams
