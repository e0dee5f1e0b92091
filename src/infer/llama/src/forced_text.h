#pragma once

#include <memory>
#include <string>
#include <vector>

#include "heng/infer/token_sampler.h"
#include "model.h"

namespace heng::infer {

/// A GBNF grammar that the answer must follow, and its state behind the answer so far.
/// Used by one thread at a time; the model must outlive it.
class Grammar {
 public:
  struct Source {
    std::string text;
    bool lazy = false;                          ///< Applies from the first trigger on.
    std::vector<std::string> trigger_patterns;
    std::vector<Token> trigger_tokens;
    std::vector<Token> already_said;            ///< Tokens of the prompt that the grammar covers.
  };
  /// Errors: invalid_argument.
  static Result<std::unique_ptr<Grammar>> create(const Model& model, const Source& source);

  /// Sets the logit of what may not follow to -infinity.
  void filter(std::span<Candidate> candidates);
  /// False if the token may not follow.
  bool accept(Token token);

  struct Forced {
    std::vector<Token> tokens;                  ///< Already accepted.
    bool complete = false;                      ///< Nothing but the end may follow.
  };
  /// What must follow now, as tokens: bytes are probed one by one while only one is allowed, then read as the tokenizer
  /// would. The last token is left to the model unless the text ends there, since a longer token may begin with it.
  Forced force(int limit_tokens);

 private:
  struct SamplerDeleter {
    void operator()(llama_sampler* s) const { llama_sampler_free(s); }
  };
  using Sampler = std::unique_ptr<llama_sampler, SamplerDeleter>;
  explicit Grammar(const Model& model) : model_(model) {}
  std::string forced_bytes(bool& complete);

  const Model& model_;
  Sampler sampler_;
  std::vector<llama_token_data> probes_;        ///< One-byte tokens, then end tokens.
  std::size_t byte_probes_ = 0;
};

}  // namespace heng::infer
