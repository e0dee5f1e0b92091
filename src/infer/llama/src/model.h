#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "heng/base/result.h"
#include "heng/infer/gguf_header.h"
#include "heng/infer/llama/engine.h"
#include "heng/infer/sequence_store.h"
#include "heng/infer/thread_governor.h"
#include "llama.h"

namespace heng::infer {

struct ModelDeleter {
  void operator()(llama_model* model) const { llama_model_free(model); }
};
struct ContextDeleter {
  void operator()(llama_context* context) const { llama_free(context); }
};
using ContextPtr = std::unique_ptr<llama_context, ContextDeleter>;

struct Adapter {
  llama_adapter_lora* handle = nullptr;   ///< Freed with its model.
  std::string sha256;
  float scale = 1;
};

/// Weights and vocabulary. Immutable once loaded; all const functions are thread-safe.
class Model {
 public:
  /// Loads the weights and adapters. Errors: corrupt, not_found, unsupported.
  static Result<std::unique_ptr<Model>> load(const LlamaSettings& settings);

  llama_model* handle() const { return model_.get(); }
  const llama_vocab* vocab() const { return vocab_; }
  int vocabulary() const { return llama_vocab_n_tokens(vocab_); }
  const Adapter* adapter(const std::string& name) const;
  /// Whether a part of a decoded sequence can be shared (not so for recurrent memory).
  bool can_share() const { return can_share_; }
  const std::vector<Token>& end_tokens() const { return end_tokens_; }
  bool is_end(Token token) const { return llama_vocab_is_eog(vocab_, token); }

  /// `special`: names of special tokens in the text become those tokens; `add_special`: with beginning/end as configured.
  std::vector<Token> tokenize(std::string_view text, bool add_special, bool special) const;
  std::string piece(Token token, bool special) const;
  /// Breaks up the names of control tokens in text from outside, so that it cannot forge a turn of the conversation.
  std::string without_control_tokens(std::string_view text) const;

 private:
  Model() = default;
  std::unique_ptr<llama_model, ModelDeleter> model_;
  const llama_vocab* vocab_ = nullptr;
  std::map<std::string, Adapter> adapters_;
  std::vector<std::string> control_names_;
  std::string control_beginnings_;             ///< Their first bytes.
  std::vector<Token> end_tokens_;
  bool can_share_ = true;
};

/// Runs one computation of the context, on the lane's thread, with as many threads as the machine has to spare.
int compute(llama_context* context, ThreadGovernor& governor, int wanted_threads, const std::function<int()>& call);

/// Once per process: back end, log routing.
void start_llama();

}  // namespace heng::infer
