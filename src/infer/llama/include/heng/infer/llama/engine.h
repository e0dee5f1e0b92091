#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "heng/contracts/inference.h"
#include "heng/infer/compute_lane.h"

namespace heng::infer {

struct AdapterSettings {
  std::string name;
  std::filesystem::path path;      ///< GGUF LoRA adapter.
  double scale = 1.0;
};

/// One model file. Whether it chats or embeds is read from the file.
struct LlamaSettings {
  std::filesystem::path path;
  std::string name;                ///< Empty: the file's name without ".gguf".
  int context_tokens = 16384;      ///< KV cells, shared by all sequences; a single request may use them all, up to the
                                   ///< length the model was trained for.
  int max_sequences = 64;          ///< Running and cached sequences together, 2…256.
  int batch_tokens = 2048;         ///< Most tokens handed to the model at once.
  int micro_batch_tokens = 512;    ///< Most tokens computed at once: one step of the scheduler.
  int threads = 0;                 ///< 0: one per core.
  int gpu_layers = -1;             ///< Layers on a GPU where built with one; -1: all.
  int queue_limit = 256;           ///< Waiting requests of each priority; more are `overloaded`.
  int step_target_ms = 250;        ///< While somebody's answer is being written, prompts are read in chunks about this long.
  bool force_fixed_parts = true;   ///< Text that a grammar leaves no choice about is given, not sampled.
  bool lazy = false;               ///< Load the weights at the first request instead of in create().
  std::vector<AdapterSettings> adapters;
  /// Written before texts to embed. Unset: as the model was trained, "query: " and "passage: " for e5, nothing for others.
  std::optional<std::string> query_prefix, passage_prefix;
};

/// A model in this process, on llama.cpp: continuous batching, shared prefixes, scoring, embeddings, replay.
///
/// create() checks the file's header, loads the weights and starts the decode thread; the destructor cancels what runs,
/// joins the thread and frees the weights. All calls are thread-safe and block their caller. Templates, JSON and
/// tokenisation run on the caller's thread; only the decode thread touches the model's context.
class LlamaEngine final : public Inference {
 public:
  /// Errors: not_found, corrupt (not a GGUF file, truncated), invalid_argument (settings), unsupported (architecture),
  /// unavailable (not enough memory).
  static Result<std::unique_ptr<LlamaEngine>> create(LlamaSettings settings, std::shared_ptr<ComputeLane> lane = nullptr);
  ~LlamaEngine() override;
  LlamaEngine(const LlamaEngine&) = delete;
  LlamaEngine& operator=(const LlamaEngine&) = delete;

  Result<ChatResult> chat(const ChatRequest&, const ChatSink& sink, std::stop_token stop) override;
  Result<ScoreResult> score(const ScoreRequest&, std::stop_token stop) override;
  Result<EmbedResult> embed(const EmbedRequest&, std::stop_token stop) override;
  Result<ReplayResult> replay(const ReplayRequest&, std::stop_token stop) override;
  Result<std::vector<std::int32_t>> tokenize(const std::string& model, const std::string& text) override;
  std::vector<ModelInfo> models() const override;
  std::vector<InferenceStats> stats() const override;

 private:
  struct Impl;
  explicit LlamaEngine(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// SHA-256 of a weights file in hex: from the stamp `<file>.sha256` beside it when that is not older than the file, else
/// computed and, where the folder can be written, stamped. Errors: not_found, internal.
Result<std::string> model_file_sha256(const std::filesystem::path& path);

/// Reads the whole file and compares it with its stamp. Errors: not_found (file or stamp), corrupt (they differ).
Result<void> verify_model_file(const std::filesystem::path& path);

}  // namespace heng::infer
