#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "heng/base/result.h"
#include "heng/contracts/answer.h"

namespace heng::guard {

/// Meaning-based helpers, given by the assembly so that guard needs no model. Each may be empty: the verifier then judges
/// by words and figures alone, and withholds what is written in another language than its passage.
struct MeaningScorers {
  /// Cosine of the query with each text, 0…1 (an embedding model).
  std::function<Result<std::vector<double>>(const std::string& query, const std::vector<std::string>& texts)> similarity;
  /// Probability 0…1 that the passage supports the claim (a language model's yes against no).
  std::function<Result<double>(const std::string& claim, const std::string& passage)> entailment;
};

struct VerifierSettings {
  double support_least = 0.55;        ///< Share of weighted words that the cited text must cover.
  double uncertain_low = 0.40;        ///< From here to support_least the entailment scorer decides, where there is one.
  double entailment_least = 0.60;     ///< Its least probability.
  double similarity_least = 0.86;     ///< Least cosine for a sentence in another language than its passage.
  double extract_least = 0.30;        ///< Least share of the question's words in an extracted sentence.
  std::size_t longest_sentence_bytes = 8 * 1024;  ///< A longer one is withheld unread.
  std::size_t longest_passage_bytes = 64 * 1024;  ///< A longer passage is read up to here.
  MeaningScorers scorers;
};

/// Judges draft sentences by rules `grounding` and `figures`; see contracts/answer.h. Holds only its settings: thread-safe
/// as far as the scorers are, owned by the assembly, lives as long as the program.
class Verifier final : public AnswerVerifier {
 public:
  /// Errors: invalid_argument (a threshold outside 0…1).
  static Result<std::unique_ptr<Verifier>> create(VerifierSettings settings = {});
  ~Verifier() override;

  VerifiedSentence verify(const VerifyInput& input) const override;
  std::vector<VerifiedSentence> extract(const std::string& question, const std::vector<Passage>& passages,
                                        int most) const override;
  Evidence evidence(const std::string& question, const std::vector<Passage>& passages) const override;

 private:
  explicit Verifier(VerifierSettings settings);
  VerifierSettings settings_;
};

}  // namespace heng::guard
