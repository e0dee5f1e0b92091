#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "heng/base/result.h"
#include "linear/features.h"

namespace heng::insight {

struct LinearSettings {
  FeatureSettings features;
  double cost = 30;                ///< Weight of the training loss against the regulariser (C).
  double class_prior = 0.5;         ///< How strongly a feature's log-count ratio scales it (Wang & Manning 2012); 0: not at all.
  int least_texts = 1;             ///< Features of fewer training texts are left out.
  double length_power = 0.5;       ///< A text's feature sum is divided by (number of features)^power.
  int rows_bits = 18;              ///< At most 2^bits features are kept, those of largest weight.
  int epochs_most = 40;
  double gap = 2e-3;               ///< Training stops at this mean duality gap.
  std::uint64_t seed = 1;
};

/// Texts turned into sparse rows once, so that several heads (folds) can be trained on them.
class LinearProblem {
 public:
  static LinearProblem create(std::span<const std::string_view> texts, std::span<const int> labels, int classes, const LinearSettings& settings);
  std::size_t rows() const { return labels_.size(); }
  std::size_t features() const { return hashes_.size(); }

 private:
  friend class LinearHead;
  std::vector<std::uint64_t> hashes_;      // of feature number f
  std::vector<std::uint32_t> begins_, ids_;
  std::vector<float> lengths_;             // 1 / (features of the text)^power
  std::vector<int> labels_;
  int classes_ = 0;
};

/// Room for one text's features; one per thread.
struct LinearScratch {
  FoldedCodes text;
  std::vector<float> sums;
};

/// A multinomial logistic head over hashed n-grams and words. Weights are 16-bit integers beside a 16-bit check of the hash,
/// in sets of two: what is not known costs one access of a small table. Immutable once made; thread-safe.
class LinearHead {
 public:
  /// Trains on the rows with use[i] (all where empty) by stochastic dual coordinate ascent (Shalev-Shwartz & Zhang 2014).
  static LinearHead train(const LinearProblem& problem, const std::vector<bool>& use, const LinearSettings& settings,
                          const std::function<void(int epoch, double gap)>& progress = {});

  int classes() const { return classes_; }
  std::size_t features() const;
  int epochs() const { return epochs_; }
  double gap() const { return gap_; }

  /// Uncalibrated log-odds, one per class. `text` must be valid UTF-8.
  void logits(std::string_view text, LinearScratch& scratch, std::span<float> out) const;
  /// As logits(); also adds up, for each code point of the text, its exact share of each class's log-odds
  /// (code points × classes). What is in no code point is the bias, given in `bias`.
  void contributions(std::string_view text, LinearScratch& scratch, std::vector<float>& per_code_point, std::vector<float>& bias) const;

  void write(std::string& out) const;
  /// Errors: corrupt.
  static Result<LinearHead> read(std::string_view bytes);

 private:
  int find(std::uint64_t hash) const {
    const std::size_t set = hash >> shift_;
    const auto check = static_cast<std::uint16_t>((hash >> (shift_ - 16)) | 1);
    if (checks_[2 * set] == check) return static_cast<int>(2 * set);
    if (checks_[2 * set + 1] == check) return static_cast<int>(2 * set + 1);
    return -1;
  }
  /// The slot of the feature, or that of the row of zeros behind the table.
  std::size_t find_or_zero(std::uint64_t hash) const {
    const std::size_t set = hash >> shift_;
    const auto check = static_cast<std::uint16_t>((hash >> (shift_ - 16)) | 1);
    const std::uint16_t* at = checks_.data() + 2 * set;
    std::size_t slot = at[1] == check ? 2 * set + 1 : checks_.size();
    slot = at[0] == check ? 2 * set : slot;
    return slot;
  }
  /// Calls add(slot) for every feature, in the order of the text; returns how many there are.
  template <class Add>
  std::size_t gather(const FoldedCodes& text, Add&& add) const;
  void build(const LinearProblem& problem, const std::vector<float>& weights, int columns, int rows_bits);

  FeatureSettings features_;
  double length_power_ = 0.5;
  int classes_ = 0, columns_ = 0;          // columns: classes rounded up to 4
  int shift_ = 0;
  float scale_ = 1;
  std::vector<std::uint16_t> checks_;      // 0: free
  std::vector<std::int16_t> weights_;      // a row of zeros stands behind the last slot
  std::vector<float> bias_;
  int epochs_ = 0;
  double gap_ = 0;
};

}  // namespace heng::insight
