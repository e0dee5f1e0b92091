#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "heng/base/clock.h"
#include "heng/base/ids.h"
#include "heng/base/result.h"

namespace heng {

struct ToolCall {
  std::string id;
  std::string name;
  std::string arguments_json;
};

/// One turn of a conversation, as in OpenAI's chat format. `role`: "system", "user", "assistant" or "tool".
struct Message {
  std::string role;
  std::string content;
  std::string reasoning;
  std::string name;                   ///< Of the tool, when role is "tool".
  std::string tool_call_id;           ///< When role is "tool".
  std::vector<ToolCall> tool_calls;   ///< When role is "assistant".
};

struct ToolSpec {
  std::string name;
  std::string description;
  std::string parameters_json;        ///< JSON schema of the arguments.
};

enum class Priority { interactive, batch };

struct Sampling {
  double temperature = 0.0;           ///< 0: greedy.
  int top_k = 40;                     ///< 0: off.
  double top_p = 0.95;                ///< 1: off.
  double min_p = 0.0;                 ///< 0: off.
  double repeat_penalty = 1.0;        ///< 1: off.
  double frequency_penalty = 0.0;
  double presence_penalty = 0.0;
  std::uint64_t seed = 0;             ///< Same seed, prompt, model, build and batch shape give the same text; a prompt taken from the prefix tree may round otherwise.
  std::vector<std::pair<std::int32_t, double>> logit_bias;  ///< Token id → bias.
};

struct ChatRequest {
  std::string model;                  ///< Empty: the default model.
  TenantId tenant;                    ///< Prefix sharing never crosses tenants.
  std::vector<Message> messages;
  std::vector<ToolSpec> tools;
  std::string tool_choice = "auto";   ///< "auto", "none", "required", or a tool's name.
  std::string json_schema;            ///< Output must be JSON that fits this schema (text of the schema), or empty.
  std::string grammar;                ///< GBNF, or empty. Not together with json_schema.
  Sampling sampling;
  int max_tokens = 1024;
  std::vector<std::string> stop;
  int top_logprobs = -1;              ///< -1: none; 0…20: log-probabilities with that many alternatives.
  std::string lora;                   ///< Name of a loaded adapter, or empty.
  std::string assistant_prefix;       ///< The answer is forced to begin with this.
  std::string raw_prompt;             ///< Instead of messages: text passed as it is (no template). For /v1/completions.
  Priority priority = Priority::interactive;
  std::optional<SteadyTime> deadline;
};

struct TopLogprob {
  std::int32_t token = 0;
  std::string text;
  double logprob = 0;
};

struct TokenInfo {
  std::int32_t token = 0;
  std::string text;                   ///< The token's bytes; may be half a character.
  double logprob = 0;                 ///< Under the model's own distribution (temperature 1, no truncation, no grammar).
  bool forced = false;                ///< Given by grammar or prefix, not sampled.
  std::vector<TopLogprob> top;
};

/// A piece of the answer, in order. Text fields hold whole UTF-8 characters only.
struct ChatDelta {
  std::string content;
  std::string reasoning;
  struct ToolCallPart {
    int index = 0;
    std::string id, name, arguments_part;
  };
  std::vector<ToolCallPart> tool_calls;
  std::vector<TokenInfo> tokens;      ///< Only when top_logprobs >= 0.
};

enum class FinishReason { stop, length, tool_calls, cancelled, deadline };

struct Usage {
  int prompt_tokens = 0;
  int cached_tokens = 0;              ///< Of the prompt, taken from the shared-prefix tree.
  int completion_tokens = 0;
};

struct Timings {
  double queue_ms = 0;
  double prompt_ms = 0;
  double first_token_ms = 0;          ///< From submission to the first token.
  double generation_ms = 0;
};

struct ChatResult {
  Message message;
  FinishReason finish = FinishReason::stop;
  Usage usage;
  Timings timings;
  std::string model;                  ///< The name it was answered by.
  std::string model_sha256;           ///< Hash of the weights file.
  std::string lora_sha256;            ///< Hash of the adapter file, or empty.
  std::vector<std::int32_t> prompt_tokens;
  std::vector<TokenInfo> tokens;      ///< Every token of the output, for the record and for replay (`top` only if asked).
};

/// Called on the thread that called chat(), in order. Return false to stop early (finish = cancelled).
using ChatSink = std::function<bool(const ChatDelta&)>;

/// One closed question about an item: exactly one of `candidates` follows `lead`.
struct ScoreField {
  std::string lead;                             ///< Forced text between the item and the candidate, such as `"tone":"`.
  std::vector<std::string> candidates;          ///< At least one; none may begin another (end them with a delimiter).
};

struct ScoreRequest {
  std::string model;
  TenantId tenant;
  std::string prefix;                           ///< Shared by all items, decoded once.
  std::vector<std::string> items;               ///< Text between the prefix and the candidate, one per item.
  std::vector<std::string> candidates;          ///< The same for every item. Empty where `fields` are given.
  /// Instead of `candidates`: closed fields, each answered from the item's shared state, independent of the others. Their
  /// log-probabilities are those under a grammar that allows only the candidates (normalised at each token where several
  /// are possible), so forced parts cost no logits and a field's probabilities sum to 1.
  std::vector<ScoreField> fields;
  bool parse_special = true;                    ///< Special tokens such as <|im_start|> in prefix and items are read as such.
  Priority priority = Priority::batch;
  std::optional<SteadyTime> deadline;
};

struct ScoreResult {
  /// logprobs[item][candidate]: sum of log-probabilities of the candidate's tokens behind prefix + item; with `fields` the
  /// candidates of all fields in order.
  std::vector<std::vector<double>> logprobs;
  int decoded_tokens = 0;
  std::string model_sha256;
};

enum class EmbedKind { query, passage };

struct EmbedRequest {
  std::string model;                            ///< Empty: the default embedding model.
  std::vector<std::string> texts;
  EmbedKind kind = EmbedKind::passage;          ///< Chooses the model's prefix ("query: ", "passage: ").
  Priority priority = Priority::interactive;
  std::optional<SteadyTime> deadline;
};

struct EmbedResult {
  std::vector<std::vector<float>> vectors;      ///< One unit-length vector per text.
  int tokens = 0;
  std::string model;
  std::string model_sha256;
};

struct ReplayRequest {
  std::string model;
  std::vector<std::int32_t> prompt_tokens;
  std::vector<std::int32_t> output_tokens;
  std::string lora;
};

struct ReplayResult {
  std::vector<double> logprobs;                 ///< One per output token.
  std::string model_sha256;
};

struct ModelInfo {
  std::string name;
  enum class Kind { chat, embedding } kind = Kind::chat;
  std::string sha256;
  std::int64_t size_bytes = 0;
  int context_tokens = 0;
  int dimensions = 0;                           ///< Embedding width.
  bool loaded = false;
  bool is_default = false;
  std::string backend;                          ///< "llama", "remote", "fake".
  std::vector<std::string> adapters;
};

/// What is going on, for /metrics.
struct InferenceStats {
  std::string model;
  int queued_interactive = 0, queued_batch = 0, active = 0;
  std::int64_t prompt_tokens = 0, cached_tokens = 0, completion_tokens = 0;
  std::int64_t requests = 0, overloaded = 0, cancelled = 0, deadline_exceeded = 0;
  int kv_cells_used = 0, kv_cells = 0;
  std::int64_t kv_bytes = 0;
};

/// The port to models. All calls block the caller, are thread-safe, and stop at a token's edge when `stop` is requested
/// (error `cancelled`, or a ChatResult with finish = cancelled once text has been produced). Errors: not_found (model),
/// too_large (prompt past the context; says both numbers), overloaded (queue full), deadline_exceeded, invalid_argument.
class Inference {
 public:
  virtual ~Inference() = default;
  virtual Result<ChatResult> chat(const ChatRequest&, const ChatSink& sink, std::stop_token stop) = 0;
  virtual Result<ScoreResult> score(const ScoreRequest&, std::stop_token stop) = 0;
  virtual Result<EmbedResult> embed(const EmbedRequest&, std::stop_token stop) = 0;
  virtual Result<ReplayResult> replay(const ReplayRequest&, std::stop_token stop) = 0;
  /// Tokens that `text` takes, without special tokens.
  virtual Result<std::vector<std::int32_t>> tokenize(const std::string& model, const std::string& text) = 0;
  virtual std::vector<ModelInfo> models() const = 0;
  virtual std::vector<InferenceStats> stats() const = 0;
};

}  // namespace heng
