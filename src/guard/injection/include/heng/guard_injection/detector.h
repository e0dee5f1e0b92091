#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "heng/base/result.h"

namespace heng::guard_injection {

/// The vector of a text by the embedding model that the detector was trained beside: multilingual-e5-small, as a query.
using Embed = std::function<Result<std::vector<float>>(const std::string& text)>;

struct ChunkScore {
  std::size_t begin = 0, end = 0;    ///< Bytes of the text.
  double score = 0;                  ///< 0…1, calibrated: the share of attacks among texts of that score in the training mix.
};

/// See README. Lifetime: made once; immutable. Threads: safe. Cost: linear in the text.
class Detector {
 public:
  /// `embed`: null: n-grams alone. With it, the `encoder_chunks` likeliest chunks of a text are judged by both. Should it fail, n-grams
  /// alone judge: this is advice. Errors: internal, corrupt (the built-in model).
  static Result<std::unique_ptr<Detector>> create(Embed embed = {});
  static Result<std::unique_ptr<Detector>> create(std::string_view model, Embed embed = {});
  ~Detector();

  /// The worst chunk's score. `text` must be valid UTF-8. Errors: internal.
  Result<double> score(std::string_view text) const;
  Result<std::vector<ChunkScore>> chunks(std::string_view text) const;
  /// A score from here on is called an attack: set for at most 1 % false positives on held-back texts.
  double threshold() const;

 private:
  struct Parts;
  explicit Detector(std::unique_ptr<Parts> parts);
  static constexpr std::size_t encoder_chunks = 4;
  Result<double> odds_of(std::string_view chunk, int depth) const;
  double scaled(double gram_odds) const;
  std::unique_ptr<Parts> parts_;
};

/// Scores a conversation: each turn alone, and the last turns together. Lifetime: of the conversation. Threads: one.
class ConversationScore {
 public:
  explicit ConversationScore(const Detector& detector, std::size_t turns = 3) : detector_(detector), turns_(turns) {}
  /// The score after one more turn of the user. Errors: those of Detector::score.
  Result<double> add(std::string_view turn);

 private:
  const Detector& detector_;
  std::size_t turns_;
  std::deque<std::string> last_;
};

}  // namespace heng::guard_injection
