#include "heng/infer/fake.h"

#include <cmath>

#include "heng/base/hash.h"
#include "heng/base/text.h"

namespace heng::infer {
namespace {

Message echo(const ChatRequest& request) {
  Message message;
  message.role = "assistant";
  message.content = request.raw_prompt;
  for (const auto& turn : request.messages)
    if (turn.role == "user") message.content = turn.content;
  return message;
}

double overlap(const std::string& item, const std::string& candidate) {
  const auto have = text::to_utf32(item), want = text::to_utf32(candidate);
  double found = 0;
  for (char32_t c : want) found += have.find(c) != std::u32string::npos;
  return want.empty() ? 0 : -5.0 * (1.0 - found / static_cast<double>(want.size())) - 0.1;
}

std::vector<float> bigram_vector(const std::string& input, int dimensions) {
  std::vector<float> vector(dimensions, 0);
  const auto characters = text::to_utf32(text::lower(input));
  for (std::size_t i = 0; i < characters.size(); ++i) {
    const std::uint64_t next = i + 1 < characters.size() ? characters[i + 1] : 0;
    const std::uint64_t mixed = (static_cast<std::uint64_t>(characters[i]) * 1000003u + next) * 0x9E3779B97F4A7C15ull;
    vector[(mixed >> 32) % dimensions] += 1;
  }
  float norm = 0;
  for (float v : vector) norm += v * v;
  if (norm == 0) vector[0] = norm = 1;
  for (float& v : vector) v /= std::sqrt(norm);
  return vector;
}

std::vector<std::int32_t> code_points(const std::string& s) {
  std::vector<std::int32_t> tokens;
  for (char32_t c : text::to_utf32(s)) tokens.push_back(static_cast<std::int32_t>(c));
  return tokens;
}

}  // namespace

FakeInference::FakeInference() : FakeInference(Settings{}) {}
FakeInference::FakeInference(Settings settings) : settings_(std::move(settings)) { stats_.model = settings_.chat_model; }

std::vector<ChatRequest> FakeInference::chat_requests() const {
  std::lock_guard lock(mutex_);
  return requests_;
}

Result<ChatResult> FakeInference::chat(const ChatRequest& request, const ChatSink& sink, std::stop_token stop) {
  if (!request.model.empty() && request.model != settings_.chat_model) return Error(ErrorCode::not_found, "there is no model named '" + request.model + "'", "model");
  {
    std::lock_guard lock(mutex_);
    requests_.push_back(request);
    ++stats_.requests;
  }
  if (stop.stop_requested()) return Error(ErrorCode::cancelled, "the request was cancelled");
  ChatResult result;
  result.model = settings_.chat_model;
  result.model_sha256 = sha256_hex(settings_.chat_model);
  result.message = settings_.reply ? HENG_TRY(settings_.reply(request)) : echo(request);
  result.message.role = "assistant";
  for (const auto& turn : request.messages)
    for (auto token : code_points(turn.content)) result.prompt_tokens.push_back(token);
  if (static_cast<int>(result.prompt_tokens.size()) > settings_.context_tokens) {
    return Error(ErrorCode::too_large, "the prompt has " + std::to_string(result.prompt_tokens.size()) + " tokens, the context holds " +
                                           std::to_string(settings_.context_tokens), "messages");
  }
  auto content = request.assistant_prefix + result.message.content;
  result.message.content.clear();
  result.finish = result.message.tool_calls.empty() ? FinishReason::stop : FinishReason::tool_calls;
  for (std::size_t at = 0; at < content.size();) {
    auto size = text::complete_utf8_prefix(std::string_view(content).substr(at, std::max<std::size_t>(4, settings_.piece_bytes)));
    if (size == 0) size = content.size() - at;
    ChatDelta delta;
    delta.content = content.substr(at, size);
    at += size;
    for (auto token : code_points(delta.content)) result.tokens.push_back({token, text::from_utf32(std::u32string(1, static_cast<char32_t>(token))), -0.1, false, {}});
    result.message.content += delta.content;
    if (stop.stop_requested() || (sink && !sink(delta))) {
      result.finish = FinishReason::cancelled;
      break;
    }
  }
  for (std::size_t i = 0; i < result.message.tool_calls.size() && result.finish == FinishReason::tool_calls; ++i) {
    const auto& call = result.message.tool_calls[i];
    ChatDelta delta;
    delta.tool_calls.push_back({static_cast<int>(i), call.id, call.name, call.arguments_json});
    if (sink && !sink(delta)) result.finish = FinishReason::cancelled;
  }
  result.usage = {static_cast<int>(result.prompt_tokens.size()), 0, static_cast<int>(result.tokens.size())};
  return result;
}

Result<ScoreResult> FakeInference::score(const ScoreRequest& request, std::stop_token stop) {
  if (stop.stop_requested()) return Error(ErrorCode::cancelled, "the request was cancelled");
  ScoreResult result;
  result.model_sha256 = sha256_hex(settings_.chat_model);
  for (const auto& item : request.items) {
    auto& row = result.logprobs.emplace_back();
    const auto one = [&](const std::string& candidate) { return settings_.score ? settings_.score(request.prefix, item, candidate) : overlap(item, candidate); };
    for (const auto& candidate : request.candidates) row.push_back(one(candidate));
    for (const auto& field : request.fields) {
      const std::size_t first = row.size();
      for (const auto& candidate : field.candidates) row.push_back(one(field.lead + candidate));
      double sum = 0;
      for (std::size_t i = first; i < row.size(); ++i) sum += std::exp(row[i]);
      for (std::size_t i = first; i < row.size(); ++i) row[i] -= std::log(sum);
    }
  }
  return result;
}

Result<EmbedResult> FakeInference::embed(const EmbedRequest& request, std::stop_token stop) {
  if (!request.model.empty() && request.model != settings_.embedding_model) return Error(ErrorCode::not_found, "there is no model named '" + request.model + "'", "model");
  if (stop.stop_requested()) return Error(ErrorCode::cancelled, "the request was cancelled");
  EmbedResult result;
  result.model = settings_.embedding_model;
  result.model_sha256 = sha256_hex(settings_.embedding_model);
  for (const auto& input : request.texts) {
    result.vectors.push_back(bigram_vector(text::replace_invalid_utf8(input), settings_.dimensions));
    result.tokens += static_cast<int>(text::code_points(text::replace_invalid_utf8(input)));
  }
  return result;
}

Result<ReplayResult> FakeInference::replay(const ReplayRequest& request, std::stop_token) {
  ReplayResult result;
  result.model_sha256 = sha256_hex(settings_.chat_model);
  result.logprobs.assign(request.output_tokens.size(), -0.1);
  return result;
}

Result<std::vector<std::int32_t>> FakeInference::tokenize(const std::string&, const std::string& input) {
  return code_points(text::replace_invalid_utf8(input));
}

std::vector<ModelInfo> FakeInference::models() const {
  ModelInfo chat, embedding;
  chat.name = settings_.chat_model;
  chat.sha256 = sha256_hex(settings_.chat_model);
  chat.context_tokens = settings_.context_tokens;
  embedding.name = settings_.embedding_model;
  embedding.kind = ModelInfo::Kind::embedding;
  embedding.sha256 = sha256_hex(settings_.embedding_model);
  embedding.context_tokens = 512;
  embedding.dimensions = settings_.dimensions;
  chat.loaded = embedding.loaded = chat.is_default = embedding.is_default = true;
  chat.backend = embedding.backend = "fake";
  return {chat, embedding};
}

std::vector<InferenceStats> FakeInference::stats() const {
  std::lock_guard lock(mutex_);
  return {stats_};
}

}  // namespace heng::infer
