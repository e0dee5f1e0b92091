#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "heng/base/result.h"
#include "heng/guard_text/literals.h"

namespace heng::guard_injection {

inline constexpr std::size_t ngram_buckets = 1u << 17;
inline constexpr std::size_t concept_count = 18;
/// Concepts, ordered pairs of them close to each other, a few plain measures; then the n-grams.
inline constexpr std::size_t pair_base = concept_count, measure_base = pair_base + concept_count * concept_count, measures = 6;
inline constexpr std::size_t dense_count = measure_base + measures;
inline constexpr std::size_t feature_count = dense_count + ngram_buckets;

struct Feature {
  std::uint32_t id = 0;
  float value = 0;
};

/// Words of all concepts. Immutable; threads: safe.
class Concepts {
 public:
  static Result<std::unique_ptr<Concepts>> create();
  struct Hit {
    std::uint8_t kind = 0;
    std::uint32_t begin = 0, end = 0;
  };
  /// In rising order of ends; `text` is folded to lower case.
  Result<std::vector<Hit>> find(std::string_view text) const;
  /// Other words for the same: of the same kind and script.
  const std::vector<std::string>& words(std::uint8_t kind, bool latin) const { return words_[kind * 2 + latin]; }

 private:
  std::unique_ptr<guard_text::Literals> literals_;
  std::vector<std::uint8_t> kind_;
  std::vector<bool> latin_;
  std::vector<std::string> words_[concept_count * 2];
};

/// What the detector looks at: characters folded, lower case, letters set apart put together ("i g n o r e").
std::string prepared(std::string_view text);

/// Features of one chunk of prepared text. N-grams have the length of their vector scaled to one.
Result<std::vector<Feature>> features_of(const Concepts& concepts, std::string_view prepared, std::string_view raw);

}  // namespace heng::guard_injection
