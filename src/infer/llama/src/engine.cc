#include "heng/infer/llama/engine.h"

#include <fmt/format.h>

#include <set>

#include "chat_call.h"
#include "embedder.h"
#include "heng/base/text.h"
#include "model.h"

namespace heng::infer {
namespace {

const std::set<std::string> encoder_architectures = {"bert", "nomic-bert", "nomic-bert-moe", "jina-bert-v2", "jina-bert-v3", "modern-bert", "neo-bert", "eurobert", "gemma-embedding"};

Result<void> check_settings(const LlamaSettings& s) {
  const auto inside = [](const char* name, int value, int low, int high) -> Result<void> {
    if (value >= low && value <= high) return {};
    return Error(ErrorCode::invalid_argument, fmt::format("{} is {}, it must be {} to {}", name, value, low, high), name);
  };
  HENG_TRY(inside("context_tokens", s.context_tokens, 64, 4 << 20));
  HENG_TRY(inside("max_sequences", s.max_sequences, 2, 256));
  HENG_TRY(inside("batch_tokens", s.batch_tokens, 32, 65536));
  HENG_TRY(inside("micro_batch_tokens", s.micro_batch_tokens, 16, s.batch_tokens));
  HENG_TRY(inside("threads", s.threads, 0, 1024));
  HENG_TRY(inside("queue_limit", s.queue_limit, 1, 1 << 20));
  HENG_TRY(inside("step_target_ms", s.step_target_ms, 10, 60000));
  return {};
}

}  // namespace

struct LlamaEngine::Impl {
  LlamaSettings settings;
  GgufHeader header;
  std::string sha256;
  std::int64_t size_bytes = 0;
  ModelInfo::Kind kind = ModelInfo::Kind::chat;
  std::shared_ptr<ComputeLane> lane;

  mutable std::mutex mutex;          // guards loading; what is loaded stays until the end
  std::atomic<bool> loaded = false;
  std::unique_ptr<Model> model;
  std::unique_ptr<ChatTemplate> format;
  std::unique_ptr<Decoder> decoder;
  std::unique_ptr<Embedder> embedder;

  Result<void> load() {
    if (loaded) return {};
    std::lock_guard lock(mutex);
    if (loaded) return {};
    if (!model) model = HENG_TRY(Model::load(settings));
    if (kind == ModelInfo::Kind::embedding) {
      embedder = HENG_TRY(Embedder::create(*model, header, settings, lane));
    } else {
      if (!format) format = std::make_unique<ChatTemplate>(*model);
      decoder = HENG_TRY(Decoder::create(*model, settings, lane));
    }
    loaded = true;
    return {};
  }

  Result<void> prepare(const std::string& name, ModelInfo::Kind wanted) {
    if (!name.empty() && name != settings.name) return Error(ErrorCode::not_found, fmt::format("there is no model named '{}'", name), "model");
    if (wanted != kind) {
      return Error(ErrorCode::invalid_argument, fmt::format("'{}' is {} model", settings.name, kind == ModelInfo::Kind::chat ? "a chat model, not an embedding" : "an embedding model, not a chat"), "model");
    }
    return load();
  }

  ChatCall call() const { return {*model, *format, *decoder}; }
};

LlamaEngine::LlamaEngine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LlamaEngine::~LlamaEngine() = default;

Result<std::unique_ptr<LlamaEngine>> LlamaEngine::create(LlamaSettings settings, std::shared_ptr<ComputeLane> lane) {
  HENG_TRY(check_settings(settings));
  auto impl = std::make_unique<Impl>();
  impl->header = HENG_TRY(read_gguf_header(settings.path));
  if (impl->header.type == "adapter" || impl->header.architecture.empty()) {
    return Error(ErrorCode::invalid_argument, fmt::format("{} is not a model but an adapter or part of one", settings.path.string()), "path");
  }
  impl->size_bytes = static_cast<std::int64_t>(std::filesystem::file_size(settings.path));
  impl->sha256 = HENG_TRY(model_file_sha256(settings.path));
  if (settings.name.empty()) settings.name = settings.path.stem().string();
  if (encoder_architectures.contains(impl->header.architecture)) impl->kind = ModelInfo::Kind::embedding;
  impl->lane = lane ? std::move(lane) : ComputeLane::create();
  impl->settings = std::move(settings);
  if (!impl->settings.lazy) HENG_TRY(impl->load());
  return std::unique_ptr<LlamaEngine>(new LlamaEngine(std::move(impl)));
}

Result<ChatResult> LlamaEngine::chat(const ChatRequest& request, const ChatSink& sink, std::stop_token stop) {
  HENG_TRY(impl_->prepare(request.model, ModelInfo::Kind::chat));
  auto result = HENG_TRY(impl_->call().chat(request, sink, std::move(stop)));
  result.model = impl_->settings.name;
  result.model_sha256 = impl_->sha256;
  return result;
}

Result<ScoreResult> LlamaEngine::score(const ScoreRequest& request, std::stop_token stop) {
  HENG_TRY(impl_->prepare(request.model, ModelInfo::Kind::chat));
  auto result = HENG_TRY(impl_->call().score(request, std::move(stop)));
  result.model_sha256 = impl_->sha256;
  return result;
}

Result<ReplayResult> LlamaEngine::replay(const ReplayRequest& request, std::stop_token stop) {
  HENG_TRY(impl_->prepare(request.model, ModelInfo::Kind::chat));
  auto result = HENG_TRY(impl_->call().replay(request, std::move(stop)));
  result.model_sha256 = impl_->sha256;
  return result;
}

Result<EmbedResult> LlamaEngine::embed(const EmbedRequest& request, std::stop_token stop) {
  HENG_TRY(impl_->prepare(request.model, ModelInfo::Kind::embedding));
  auto result = HENG_TRY(impl_->embedder->embed(request, std::move(stop)));
  result.model = impl_->settings.name;
  result.model_sha256 = impl_->sha256;
  return result;
}

Result<std::vector<std::int32_t>> LlamaEngine::tokenize(const std::string& model, const std::string& input) {
  HENG_TRY(impl_->prepare(model, impl_->kind));
  if (!text::is_valid_utf8(input)) return Error(ErrorCode::malformed_input, "the text is not valid UTF-8", "text");
  return impl_->model->tokenize(input, false, false);
}

std::vector<ModelInfo> LlamaEngine::models() const {
  ModelInfo info;
  info.name = impl_->settings.name;
  info.kind = impl_->kind;
  info.sha256 = impl_->sha256;
  info.size_bytes = impl_->size_bytes;
  const auto trained = static_cast<int>(impl_->header.number("context_length", 0));
  info.context_tokens = impl_->kind == ModelInfo::Kind::embedding ? std::min(512, trained > 0 ? trained : 512)
                                                                  : trained > 0 ? std::min(impl_->settings.context_tokens, trained) : impl_->settings.context_tokens;
  info.dimensions = impl_->kind == ModelInfo::Kind::embedding ? static_cast<int>(impl_->header.number("embedding_length", 0)) : 0;
  info.loaded = impl_->loaded;
  info.backend = "llama";
  for (const auto& adapter : impl_->settings.adapters) info.adapters.push_back(adapter.name);
  return {info};
}

std::vector<InferenceStats> LlamaEngine::stats() const {
  InferenceStats stats;
  if (impl_->loaded) {
    stats = impl_->decoder ? impl_->decoder->stats() : impl_->embedder->stats();
    const auto& h = impl_->header;
    // per cell: key and value of each layer's heads, two bytes a number
    const auto heads = h.number("attention.head_count", 0), kv_heads = h.number("attention.head_count_kv", heads);
    const auto width = heads > 0 ? h.number("embedding_length", 0) / heads : 0;
    const auto key = h.number("attention.key_length", width), value = h.number("attention.value_length", width);
    stats.kv_bytes = h.number("block_count", 0) * kv_heads * (key + value) * 2 * stats.kv_cells;
  }
  stats.model = impl_->settings.name;
  return {stats};
}

}  // namespace heng::infer
