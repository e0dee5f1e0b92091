#pragma once

#include <memory>
#include <string>

#include "heng/base/clock.h"
#include "heng/base/ids.h"
#include "heng/base/result.h"
#include "heng/contracts/answer.h"
#include "heng/contracts/audit.h"
#include "heng/contracts/guard.h"
#include "heng/contracts/inference.h"
#include "heng/contracts/knowledge.h"
#include "heng/contracts/review.h"
#include "heng/contracts/stops.h"
#include "heng/contracts/tools.h"
#include "heng/contracts/vault.h"

namespace heng::pipeline {

/// How questions are answered. The defaults suit a 1.5B model with a context of 4,096 tokens or more.
struct AskerSettings {
  int context_tokens = 4096;            ///< Prompt and answer together never take more than this, nor more than the model's own.
  int passage_tokens = 2200;            ///< Budget of the passages within the prompt.
  int history_tokens = 400;             ///< Budget of earlier turns given to the rewriter.
  int rewrite_tokens = 96;              ///< Longest standalone question.
  int most_sentences = 8;               ///< An answer longer than this is cut.
  int most_question_bytes = 16 * 1024;  ///< Longer questions are refused (too_large).
  double weak_evidence = 0.60;          ///< Below this strength a second search with other words is made.
  double strong_evidence = 0.65;        ///< From here the passages carry an answer: the model may not say that there is none.
  double least_evidence = 0.45;         ///< Below this strength after it, the answer is an abstention without asking the model.
  bool compute = true;                  ///< Let the model propose calculations over figures of the passages.
  std::string provider = "Heng";        ///< Named in the label of generated content: the institution's name or code.
};

/// What the flow needs of other rooms. All must outlive the asker and be thread-safe.
struct AskerPorts {
  Inference& inference;
  Knowledge& knowledge;
  Audit& audit;
  const Guard& guard;
  const AnswerVerifier& verifier;
  const Calculator& calculator;
  const Clock& clock;
  Random& random;
  Reviews* reviews = nullptr;           ///< Without a queue, what needs a person is withheld.
  const Stops* stops = nullptr;         ///< Without stop buttons nothing is halted.
  ToolGate* tools = nullptr;            ///< Without a gate no tool is called: nothing is searched or computed.
  Vault* vault = nullptr;               ///< Without one, a text with values that policy keeps there goes nowhere.
};

/// Answers questions from a knowledge base; the order of its stages stands in src/stages.cc.
///
/// Lifetime: made once at start-up, outlived by its ports. Threads: ask() may be called from many threads at once; it blocks
/// its caller, and calls the sink on that thread. Ownership: keeps nothing of a request after ask() returns.
class DocumentAsker final : public Asker {
 public:
  /// Errors: invalid_argument (a setting out of range; names it).
  static Result<std::unique_ptr<DocumentAsker>> create(const AskerSettings& settings, const AskerPorts& ports);
  ~DocumentAsker() override;

  /// Errors: invalid_argument (empty question), malformed_input (not UTF-8), too_large, policy_denied (guard),
  /// unavailable (the record cannot be opened or closed, or search is down), not_found (knowledge base, model), overloaded,
  /// deadline_exceeded, cancelled. Whatever comes, a request whose record was opened has it closed.
  Result<AskAnswer> ask(const AskRequest& request, const AskSink& sink, std::stop_token stop) override;

 private:
  DocumentAsker(const AskerSettings& settings, const AskerPorts& ports);
  AskerSettings settings_;
  AskerPorts ports_;
};

}  // namespace heng::pipeline
