#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <unordered_set>
#include <vector>

#include "forced_text.h"
#include "heng/contracts/inference.h"
#include "heng/infer/continuation_trie.h"
#include "heng/infer/sequence_store.h"
#include "heng/infer/text_stream.h"
#include "heng/infer/token_sampler.h"

namespace heng::infer {

/// Candidate scoring behind a job's tokens (the shared prefix).
struct ScoreWork {
  explicit ScoreWork(ContinuationTrie t) : trie(std::move(t)) {}
  std::vector<std::vector<Token>> items;       ///< Different from each other, sorted: neighbours share their beginnings.
  std::vector<int> shared;                     ///< Of each item: tokens it begins with like the one before.
  ContinuationTrie trie;
  std::vector<std::vector<double>> logprobs;   ///< Per item; written by the decode thread; read after the end.
  std::size_t next_item = 0;
  int largest_item = 0;                        ///< In tokens.
  int decoded_tokens = 0;
};

/// One request on its way through the decode thread. The caller fills the first part, submits, and reads pieces until the
/// end; the decode thread owns the second part. Shared by the two: whichever lets go last frees it.
struct Job {
  enum class Kind { chat, score, replay };
  // set by the caller before submission
  Kind kind = Kind::chat;
  ShareKey key;
  const Adapter* adapter = nullptr;
  Priority priority = Priority::interactive;
  std::optional<SteadyTime> deadline;
  std::stop_token stop;
  SteadyTime submitted;
  std::vector<Token> tokens;                   ///< Prompt, then output.
  int prompt_tokens = 0;
  int output_limit = 0;
  int top_logprobs = -1;
  std::unique_ptr<TokenSampler> sampler;
  std::unique_ptr<Grammar> grammar;
  TextStream text;
  std::unordered_set<Token> shown_specials;
  std::unique_ptr<ScoreWork> score;

  // decode thread
  int sequence = -1;
  int decoded = 0;                             ///< Of `tokens`, in the sequence.
  std::vector<TokenInfo> outputs;
  int emitted = 0;                             ///< Of `outputs`, handed to the caller.
  bool end_after_outputs = false;              ///< The grammar is complete behind them.
  bool started = false;
  int reused = 0;                              ///< Prompt tokens taken from the prefix tree.
  std::uint64_t order = 0;

  // shared
  std::atomic<bool> abandoned = false;
  std::mutex mutex;
  std::condition_variable changed;
  std::string new_text;
  std::vector<TokenInfo> new_tokens;
  bool ended = false;
  std::optional<Error> error;
  FinishReason finish = FinishReason::stop;
  SteadyTime admitted, first_token, prompt_done, done;

  /// Adds a token to the output that is not sampled.
  void give(Token token) {
    TokenInfo info;
    info.token = token;
    info.forced = true;
    sampler->accept(token, true);
    tokens.push_back(token);
    outputs.push_back(std::move(info));
  }
  bool wants_stop() const { return abandoned.load(std::memory_order_relaxed) || stop.stop_requested(); }
  bool dead() const { return wants_stop() || (deadline && std::chrono::steady_clock::now() >= *deadline); }
  /// Tokens that may come from elsewhere; from there on a chat needs the logits.
  int shareable() const { return kind == Kind::score ? static_cast<int>(tokens.size()) : prompt_tokens + emitted - 1; }
  int pending() const { return static_cast<int>(tokens.size()) - decoded; }
  /// Whether its prompt is read and only its own output is decoded now.
  bool writing() const { return kind == Kind::chat && emitted > 0 && decoded >= prompt_tokens + emitted - 1; }
};

using JobPtr = std::shared_ptr<Job>;

}  // namespace heng::infer
