#include <algorithm>
#include <cmath>

#include "linear/linear.h"

namespace heng::insight {
namespace {

/// Hash → number, open addressing. Only hashes are kept: two features with one 64-bit hash are one feature.
class HashTable {
 public:
  HashTable() : keys_(1 << 16, 0), values_(1 << 16, 0) {}
  std::uint32_t& operator[](std::uint64_t key) {
    if (2 * used_ >= keys_.size()) grow();
    const std::size_t slot = find(keys_, key);
    if (keys_[slot] == 0) {
      keys_[slot] = key;
      ++used_;
    }
    return values_[slot];
  }
  std::uint32_t at(std::uint64_t key) const {
    const std::size_t slot = find(keys_, key);
    return keys_[slot] == 0 ? 0 : values_[slot];
  }
  template <class Function>
  void for_each(Function&& function) {
    for (std::size_t i = 0; i < keys_.size(); ++i)
      if (keys_[i] != 0) function(keys_[i], values_[i]);
  }

 private:
  static std::size_t find(const std::vector<std::uint64_t>& keys, std::uint64_t key) {
    const std::size_t mask = keys.size() - 1;
    std::size_t slot = (key >> 24) & mask;
    while (keys[slot] != 0 && keys[slot] != key) slot = (slot + 1) & mask;
    return slot;
  }
  void grow() {
    std::vector<std::uint64_t> keys(keys_.size() * 2, 0);
    std::vector<std::uint32_t> values(keys.size(), 0);
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      if (keys_[i] == 0) continue;
      const std::size_t slot = find(keys, keys_[i]);
      keys[slot] = keys_[i];
      values[slot] = values_[i];
    }
    keys_.swap(keys);
    values_.swap(values);
  }
  std::vector<std::uint64_t> keys_;
  std::vector<std::uint32_t> values_;
  std::size_t used_ = 0;
};

}  // namespace

LinearProblem LinearProblem::create(std::span<const std::string_view> texts, std::span<const int> labels, int classes, const LinearSettings& settings) {
  LinearProblem problem;
  problem.classes_ = classes;
  problem.labels_.assign(labels.begin(), labels.end());
  FoldedCodes folded;
  HashTable table;
  std::vector<std::uint64_t> hashes;
  const auto gather = [&](std::string_view text) {
    hashes.clear();
    fold(text, settings.features, false, folded);
    for_each_feature(folded, settings.features, [&](std::uint64_t hash, std::size_t, std::size_t) { hashes.push_back(hash | 1); });
  };
  if (settings.least_texts > 1) {
    for (const auto text : texts) {
      gather(text);
      std::sort(hashes.begin(), hashes.end());
      hashes.erase(std::unique(hashes.begin(), hashes.end()), hashes.end());
      for (const auto hash : hashes) ++table[hash];
    }
    table.for_each([&](std::uint64_t hash, std::uint32_t& value) {
      const bool keep = value >= static_cast<std::uint32_t>(settings.least_texts);
      if (keep) problem.hashes_.push_back(hash);
      value = keep ? static_cast<std::uint32_t>(problem.hashes_.size()) : 0;
    });
  }
  problem.begins_.push_back(0);
  for (const auto text : texts) {
    gather(text);
    for (const auto hash : hashes) {
      std::uint32_t id;
      if (settings.least_texts > 1) {
        id = table.at(hash);
      } else {
        std::uint32_t& value = table[hash];
        if (value == 0) {
          problem.hashes_.push_back(hash);
          value = static_cast<std::uint32_t>(problem.hashes_.size());
        }
        id = value;
      }
      if (id != 0) problem.ids_.push_back(id - 1);
    }
    problem.begins_.push_back(static_cast<std::uint32_t>(problem.ids_.size()));
    problem.lengths_.push_back(static_cast<float>(std::pow(static_cast<double>(std::max<std::size_t>(hashes.size(), 1)), -settings.length_power)));
  }
  return problem;
}

}  // namespace heng::insight
