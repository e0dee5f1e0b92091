#pragma once

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "heng/infer/compute_lane.h"
#include "heng/infer/sequence_store.h"
#include "job.h"
#include "model.h"

namespace heng::infer {

/// The decode thread of one model: owns the model's context and key-value memory, and advances all running jobs together
/// (continuous batching). Each step packs the next tokens of every answer being written and, behind them, chunks of the
/// prompts being read; interactive jobs first.
///
/// A job starts from the longest prefix that some sequence of its tenant and adapter has decoded, running or cached. A job
/// whose prefix is just being read by another one waits for that one instead of reading it too.
/// Thread-safe: submit() and stats(). The destructor ends all jobs as cancelled and joins the thread.
class Decoder final : private SequenceMemory {
 public:
  /// Errors: unavailable (no memory for the context).
  static Result<std::unique_ptr<Decoder>> create(const Model& model, const LlamaSettings& settings, std::shared_ptr<ComputeLane> lane);
  ~Decoder() override;

  /// Errors: overloaded, unavailable (shutting down).
  Result<void> submit(JobPtr job);
  /// Most tokens of one request, prompt and answer together.
  int sequence_limit() const { return sequence_limit_; }
  int sequences() const { return settings_.max_sequences; }
  /// Most tokens of one item with its candidates in scoring.
  int batch_limit() const { return settings_.batch_tokens; }
  bool forces_fixed_parts() const { return settings_.force_fixed_parts; }
  InferenceStats stats() const;

 private:
  struct Part {
    JobPtr job;
    int count = 0;
    int first_row = 0;                ///< In the batch.
  };
  struct Plan {
    std::vector<Part> parts;
    const Adapter* adapter = nullptr;
    int tokens = 0, outputs = 0;
    bool interactive = false;
  };

  Decoder(const Model& model, LlamaSettings settings, std::shared_ptr<ComputeLane> lane);
  void copy(int from, int to, int length) override;
  void truncate(int sequence, int length) override;

  void loop();
  void admit();
  enum class Admission { started, wait_for_prefix, full };
  Admission try_start(const JobPtr& job);
  bool prefix_is_coming(const Job& job, int have) const;
  int branches_needed(const Job& job) const;
  int outstanding_cells() const;
  void end_dead_jobs();

  const Adapter* next_adapter();
  Plan make_plan();
  void add_part(Plan& plan, const JobPtr& job, int limit_tokens);
  bool preempt_one();
  void step();
  int decode(const Plan& plan);
  void consume(const Part& part);
  void take_logits(Job& job, int position, const float* logits);
  void sample(Job& job, const float* logits);
  bool emit(Job& job);
  void end(Job& job, FinishReason finish, std::optional<Error> error = {});
  void remove_ended();

  // scoring.cc
  bool score_step();
  int plan_fill(const Job& job, int budget_tokens) const;
  bool run_fill(Job& job, int count);
  void read_fill(const ScoreWork& work, const std::map<int, int>& rows, std::vector<double>& result) const;

  int run_batch(Priority priority, const Adapter* adapter);
  void batch_clear() { batch_.n_tokens = 0; }
  void batch_add(Token token, int position, std::span<const int> sequences, bool output);
  int chunk_tokens(bool somebody_writes) const;
  void log_probability(const float* logits, Token token, TokenInfo& info, int top) const;

  const Model& model_;
  const LlamaSettings settings_;
  std::shared_ptr<ComputeLane> lane_;
  ContextPtr context_;
  llama_memory_t memory_ = nullptr;
  llama_batch batch_{};
  int batch_capacity_ = 0;
  int sequence_limit_ = 0, threads_ = 1;
  std::unique_ptr<SequenceStore> store_;
  std::vector<JobPtr> active_;
  std::vector<const Job*> computing_;          ///< Whose work the current computation does; read by the abort callback.
  std::optional<const Adapter*> current_adapter_;
  std::optional<ComputeLane::InteractiveHold> hold_;
  double tokens_per_second_ = 200;             ///< Of prompts, smoothed.
  std::uint64_t next_order_ = 0;
  int failures_ = 0;
  bool score_turn_ = false;

  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<JobPtr> waiting_[2];              ///< By priority.
  bool stopping_ = false;
  std::atomic<bool> abort_ = false;
  InferenceStats stats_;
  std::thread thread_;
};

}  // namespace heng::infer
