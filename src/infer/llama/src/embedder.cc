#include "embedder.h"

#include <fmt/format.h>

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <thread>

#include "heng/base/text.h"

namespace heng::infer {
namespace {

// short enough that interactive work waits little for a batch that has begun, long enough to fill the cores
constexpr int default_batch_tokens = 512;
constexpr int batch_sequences = 64;
constexpr std::size_t bytes_per_token_limit = 16;  // what is behind is cut off in any case: do not tokenise it

/// llama.cpp keeps (and zeroes) room for logits of every token of an encoder too, half a gigabyte with a large vocabulary,
/// and never writes it: gives the pages back.
void give_back_logits(llama_context* context, std::size_t floats) {
  const auto begin = reinterpret_cast<std::uintptr_t>(llama_get_logits(context));
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto from = (begin + page - 1) / page * page, to = (begin + floats * sizeof(float)) / page * page;
  if (begin != 0 && to > from) madvise(reinterpret_cast<void*>(from), to - from, MADV_DONTNEED);
}

void normalise(std::vector<float>& vector) {
  double sum = 0;
  for (float v : vector) sum += static_cast<double>(v) * v;
  const auto scale = sum > 0 ? static_cast<float>(1 / std::sqrt(sum)) : 0.0f;
  for (float& v : vector) v *= scale;
}

}  // namespace

Embedder::Embedder(const Model& model, const LlamaSettings& settings, std::shared_ptr<ComputeLane> lane)
    : model_(model), lane_(std::move(lane)), queue_limit_(settings.queue_limit) {}

Result<std::unique_ptr<Embedder>> Embedder::create(const Model& model, const GgufHeader& header, const LlamaSettings& settings, std::shared_ptr<ComputeLane> lane) {
  std::unique_ptr<Embedder> embedder(new Embedder(model, settings, std::move(lane)));
  embedder->text_limit_ = std::clamp(llama_model_n_ctx_train(model.handle()), 16, default_batch_tokens);
  embedder->batch_tokens_ = std::max(embedder->text_limit_, std::min(settings.batch_tokens, default_batch_tokens));
  auto name = header.strings.find("general.name");
  auto known = text::lower((name == header.strings.end() ? "" : name->second) + " " + settings.path.stem().string());
  if (known.find("e5-") != std::string::npos) {
    embedder->query_prefix_ = "query: ";
    embedder->passage_prefix_ = "passage: ";
  }
  if (settings.query_prefix) embedder->query_prefix_ = *settings.query_prefix;
  if (settings.passage_prefix) embedder->passage_prefix_ = *settings.passage_prefix;
  auto parameters = llama_context_default_params();
  parameters.n_ctx = parameters.n_batch = parameters.n_ubatch = static_cast<std::uint32_t>(embedder->batch_tokens_);
  parameters.n_seq_max = batch_sequences;
  parameters.kv_unified = true;
  parameters.embeddings = true;
  parameters.no_perf = true;
  embedder->threads_ = settings.threads > 0 ? settings.threads : static_cast<int>(std::thread::hardware_concurrency());
  parameters.n_threads = parameters.n_threads_batch = embedder->threads_;
  try {
    embedder->context_.reset(llama_init_from_model(model.handle(), parameters));
  } catch (const std::exception&) {
  }
  if (!embedder->context_) return Error(ErrorCode::unavailable, "there is not enough memory for the embedding model's context");
  const auto pooling = llama_pooling_type(embedder->context_.get());
  if (pooling == LLAMA_POOLING_TYPE_NONE || pooling == LLAMA_POOLING_TYPE_RANK) {
    return Error(ErrorCode::unsupported, fmt::format("{} has no pooling that gives one vector per text", settings.path.string()), "path");
  }
  embedder->dimensions_ = llama_model_n_embd_out(model.handle());
  embedder->batch_ = llama_batch_init(embedder->batch_tokens_, 0, 1);
  // a full batch once, so that buffers have their size and pages are touched before the first request
  std::vector<Text> full(1);
  full[0].tokens.assign(static_cast<std::size_t>(embedder->batch_tokens_), 0);
  std::vector<std::vector<float>> unused(1);
  if (!embedder->compute(full, Priority::interactive, unused)) return Error(ErrorCode::unsupported, fmt::format("{} cannot compute embeddings", settings.path.string()), "path");
  const auto tokens = static_cast<std::size_t>(embedder->batch_tokens_);
  embedder->lane_->run(Priority::interactive, [&] { give_back_logits(embedder->context_.get(), tokens * static_cast<std::size_t>(model.vocabulary())); });
  return embedder;
}

Embedder::~Embedder() {
  if (batch_tokens_ > 0 && batch_.token) llama_batch_free(batch_);
}

Result<std::vector<Embedder::Text>> Embedder::prepare(const EmbedRequest& request) const {
  const auto& prefix = request.kind == EmbedKind::query ? query_prefix_ : passage_prefix_;
  const std::size_t limit_bytes = bytes_per_token_limit * static_cast<std::size_t>(text_limit_);
  std::vector<Text> texts;
  for (std::size_t i = 0; i < request.texts.size(); ++i) {
    const auto& raw = request.texts[i];
    if (const auto bad = text::first_invalid_utf8(raw); bad != std::string::npos) {
      return Error(ErrorCode::malformed_input, fmt::format("text {} is not valid UTF-8 (byte {})", i, bad), "texts");
    }
    std::string_view head(raw);
    if (head.size() > limit_bytes) head = head.substr(0, text::complete_utf8_prefix(head.substr(0, limit_bytes)));
    auto tokens = model_.tokenize(prefix + text::nfc(head), true, false);
    if (static_cast<int>(tokens.size()) > text_limit_) {  // the end mark stays
      tokens[static_cast<std::size_t>(text_limit_) - 1] = tokens.back();
      tokens.resize(static_cast<std::size_t>(text_limit_));
    }
    texts.push_back({i, std::move(tokens)});
  }
  std::stable_sort(texts.begin(), texts.end(), [](const Text& a, const Text& b) { return a.tokens.size() < b.tokens.size(); });
  return texts;
}

bool Embedder::compute(std::span<const Text> texts, Priority priority, std::vector<std::vector<float>>& vectors) {
  bool ok = false;
  lane_->run(priority, [&] {
    batch_.n_tokens = 0;
    for (std::size_t s = 0; s < texts.size(); ++s) {
      for (std::size_t t = 0; t < texts[s].tokens.size(); ++t) {
        const int i = batch_.n_tokens++;
        batch_.token[i] = texts[s].tokens[t];
        batch_.pos[i] = static_cast<int>(t);
        batch_.n_seq_id[i] = 1;
        batch_.seq_id[i][0] = static_cast<int>(s);
        batch_.logits[i] = 1;
      }
    }
    const int code = heng::infer::compute(context_.get(), lane_->governor(), threads_, [&] { return llama_encode(context_.get(), batch_); });
    if (code != 0) return;
    for (std::size_t s = 0; s < texts.size(); ++s) {
      const float* values = llama_get_embeddings_seq(context_.get(), static_cast<int>(s));
      if (!values) return;
      vectors[texts[s].index].assign(values, values + dimensions_);
    }
    ok = true;
  });
  return ok;
}

Result<EmbedResult> Embedder::embed(const EmbedRequest& request, std::stop_token stop) {
  ++requests_;
  struct Guard {
    std::atomic<int>& count;
    ~Guard() { --count; }
  } guard{active_};
  if (++active_ > queue_limit_) {
    ++overloaded_;
    return Error(ErrorCode::overloaded, fmt::format("{} requests are waiting for the model, the limit; try again later", queue_limit_));
  }
  const auto texts = HENG_TRY(prepare(request));
  EmbedResult result;
  result.vectors.resize(texts.size());
  for (std::size_t from = 0; from < texts.size();) {
    if (stop.stop_requested()) {
      ++cancelled_;
      return Error(ErrorCode::cancelled, "the request was cancelled");
    }
    if (request.deadline && std::chrono::steady_clock::now() >= *request.deadline) {
      ++late_;
      return Error(ErrorCode::deadline_exceeded, "the model did not answer before the deadline");
    }
    std::size_t to = from;
    std::size_t tokens = 0;
    while (to < texts.size() && to - from < batch_sequences && tokens + texts[to].tokens.size() <= static_cast<std::size_t>(batch_tokens_)) tokens += texts[to++].tokens.size();
    if (!compute(std::span(texts).subspan(from, to - from), request.priority, result.vectors)) {
      return Error(ErrorCode::internal, "the embedding model could not compute the batch");
    }
    result.tokens += static_cast<int>(tokens);
    tokens_ += static_cast<std::int64_t>(tokens);
    from = to;
  }
  for (auto& vector : result.vectors) normalise(vector);
  return result;
}

InferenceStats Embedder::stats() const {
  InferenceStats stats;
  stats.active = active_;
  stats.requests = requests_;
  stats.prompt_tokens = tokens_;
  stats.overloaded = overloaded_;
  stats.cancelled = cancelled_;
  stats.deadline_exceeded = late_;
  return stats;
}

}  // namespace heng::infer
