#include "heng/infer/remote/remote.h"

#include <fmt/format.h>

#include <atomic>
#include <thread>

#include "circuit_breaker.h"
#include "event_stream.h"
#include "heng/base/hash.h"
#include "heng/base/ids.h"
#include "heng/http_client/http_client.h"
#include "wire.h"

namespace heng::infer {

using http_client::HttpCall;
using http_client::HttpClient;
using http_client::HttpReply;
using http_client::parse_url;

struct RemoteInference::Impl {
  RemoteSettings settings;
  std::unique_ptr<HttpClient> client;
  CircuitBreaker breaker{1, 1};
  std::atomic<int> active = 0;
  std::atomic<std::int64_t> requests = 0, prompt_tokens = 0, cached_tokens = 0, completion_tokens = 0, cancelled = 0, late = 0, overloaded = 0;

  explicit Impl(RemoteSettings s) : settings(std::move(s)), breaker(settings.breaker_failures, settings.breaker_open_ms) {}

  Result<const RemoteSettings::Model*> find(const std::string& name, ModelInfo::Kind kind) const {
    for (const auto& model : settings.models) {
      if (model.kind != kind || (!name.empty() && model.name != name)) continue;
      return &model;
    }
    return Error(ErrorCode::not_found, fmt::format("there is no model named '{}' on the remote server", name), "model");
  }

  HttpCall call(std::string path, std::string body, std::optional<SteadyTime> deadline, std::stop_token stop) const {
    HttpCall call;
    call.path = std::move(path);
    call.body = std::move(body);
    call.bearer = settings.api_key;
    call.connect_timeout_ms = settings.connect_timeout_ms;
    call.read_timeout_ms = settings.read_timeout_ms;
    call.response_limit_bytes = settings.max_response_bytes;
    call.deadline = deadline;
    call.stop = std::move(stop);
    return call;
  }

  /// False if the caller left or its time ran out meanwhile.
  static bool pause(int milliseconds, const HttpCall& call) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
    while (std::chrono::steady_clock::now() < until) {
      if (call.stop.stop_requested() || (call.deadline && std::chrono::steady_clock::now() >= *call.deadline)) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return true;
  }

  /// Sends until a try succeeds; `begun` tells that part of the answer was used, after which there is no second try.
  Result<HttpReply> send(const HttpCall& call, const bool& begun) {
    int wait_ms = settings.backoff_ms;
    for (int attempt = 1;; ++attempt) {
      if (!breaker.allow(std::chrono::steady_clock::now())) {
        return Error(ErrorCode::unavailable, fmt::format("the remote server failed {} times in a row; calls are held back for {} ms", settings.breaker_failures, settings.breaker_open_ms));
      }
      auto reply = client->send(call);
      const bool caller = !reply.ok() && (reply.error().code == ErrorCode::cancelled || reply.error().code == ErrorCode::deadline_exceeded);
      const bool failed = !reply.ok() ? !caller : reply->status >= 500;
      if (failed) breaker.failed(std::chrono::steady_clock::now());
      else if (!caller) breaker.succeeded();
      const bool again = failed || (reply.ok() && reply->status == 429);
      if (!again || begun || attempt >= settings.attempts) return reply;
      std::uint16_t random = 0;
      system_random().fill(&random, sizeof random);
      const int jitter = wait_ms > 1 ? random % (wait_ms / 2 + 1) : 0;
      if (!pause(std::max(wait_ms + jitter, reply.ok() ? reply->retry_after_ms : 0), call)) return reply;
      wait_ms *= 2;
    }
  }

  Error count(Error error) {
    if (error.code == ErrorCode::cancelled) ++cancelled;
    if (error.code == ErrorCode::deadline_exceeded) ++late;
    if (error.code == ErrorCode::overloaded) ++overloaded;
    return error;
  }
};

namespace {

struct Active {
  std::atomic<int>& count;
  explicit Active(std::atomic<int>& c) : count(c) { ++count; }
  ~Active() { --count; }
};

/// What the protocol lets us say about the weights: where they are asked for.
std::string origin(const RemoteSettings& settings, const std::string& model) { return sha256_hex(settings.url + "\n" + model); }

}  // namespace

RemoteInference::RemoteInference(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RemoteInference::~RemoteInference() = default;

Result<std::unique_ptr<RemoteInference>> RemoteInference::create(RemoteSettings settings) {
  if (settings.models.empty()) return Error(ErrorCode::invalid_argument, "a remote server needs at least one model", "models");
  if (settings.attempts < 1 || settings.breaker_failures < 1) return Error(ErrorCode::invalid_argument, "attempts and breaker_failures must be at least 1", "attempts");
  if (settings.api_key.find_first_of("\r\n") != std::string::npos) return Error(ErrorCode::invalid_argument, "the api_key holds a line break", "api_key");
  auto target = HENG_TRY(parse_url(settings.url));
  for (auto& model : settings.models) {
    if (model.name.empty()) return Error(ErrorCode::invalid_argument, "a remote model has no name", "models");
    if (model.remote_name.empty()) model.remote_name = model.name;
  }
  if (target.path.empty()) target.path = "/v1";
  auto impl = std::make_unique<Impl>(std::move(settings));
  impl->client = HENG_TRY(HttpClient::create(std::move(target), impl->settings.ca_file));
  return std::unique_ptr<RemoteInference>(new RemoteInference(std::move(impl)));
}

Result<ChatResult> RemoteInference::chat(const ChatRequest& request, const ChatSink& sink, std::stop_token stop) {
  const auto* model = HENG_TRY(impl_->find(request.model, ModelInfo::Kind::chat));
  if (!request.lora.empty()) return Error(ErrorCode::unsupported, "a remote model has no adapters to choose", "lora");
  if (!request.assistant_prefix.empty()) return Error(ErrorCode::unsupported, "a remote model cannot be made to begin with a given text", "assistant_prefix");
  const Active active(impl_->active);
  ++impl_->requests;
  const auto submitted = std::chrono::steady_clock::now();
  ChatCollector collector;
  EventStream events;
  std::optional<Error> failure;
  bool begun = false, refused = false, done = false;
  double first_ms = 0;
  const bool raw = !request.raw_prompt.empty();
  auto call = impl_->call(raw ? "/completions" : "/chat/completions", raw ? completion_body(request, model->remote_name) : chat_body(request, model->remote_name), request.deadline, std::move(stop));
  call.on_body = [&](std::string_view bytes) {
    for (const auto& data : events.push(bytes)) {
      begun = true;
      if (data == "[DONE]") { done = true; return false; }
      auto delta = collector.take(data);
      if (!delta.ok()) { failure = delta.error(); return false; }
      if (delta->content.empty() && delta->reasoning.empty() && delta->tool_calls.empty()) continue;
      if (first_ms == 0) first_ms = elapsed_ms(submitted);
      if (request.top_logprobs < 0) delta->tokens.clear();
      if (sink && !sink(*delta)) { refused = true; return false; }
    }
    if (events.overflowed()) failure = Error(ErrorCode::too_large, "the remote server sent an event that is too large");
    return !failure;
  };
  auto reply = impl_->send(call, begun);
  auto result = collector.result(model->name);
  if (!reply.ok()) {
    const auto code = reply.error().code;
    impl_->count(reply.error());
    if (result.message.content.empty() || (code != ErrorCode::cancelled && code != ErrorCode::deadline_exceeded)) return reply.error();
    result.finish = code == ErrorCode::cancelled ? FinishReason::cancelled : FinishReason::deadline;
  } else if (reply->status < 200 || reply->status >= 300) {
    return impl_->count(error_of(reply->status, reply->body));
  } else if (failure) {
    return impl_->count(*failure);
  } else if (refused) {
    result.finish = FinishReason::cancelled;
  } else if (!done && !collector.finished()) {
    return Error(ErrorCode::unavailable, "the remote server ended its answer too early");
  }
  result.model_sha256 = origin(impl_->settings, model->remote_name);
  result.timings.first_token_ms = first_ms;
  result.timings.generation_ms = elapsed_ms(submitted) - first_ms;
  impl_->prompt_tokens += result.usage.prompt_tokens;
  impl_->cached_tokens += result.usage.cached_tokens;
  impl_->completion_tokens += result.usage.completion_tokens;
  return result;
}

Result<EmbedResult> RemoteInference::embed(const EmbedRequest& request, std::stop_token stop) {
  const auto* model = HENG_TRY(impl_->find(request.model, ModelInfo::Kind::embedding));
  const Active active(impl_->active);
  ++impl_->requests;
  constexpr std::size_t texts_per_call = 64;
  const auto& prefix = request.kind == EmbedKind::query ? model->query_prefix : model->passage_prefix;
  EmbedResult all;
  for (std::size_t from = 0; from < request.texts.size(); from += texts_per_call) {
    std::vector<std::string> texts;
    for (std::size_t i = from; i < std::min(request.texts.size(), from + texts_per_call); ++i) texts.push_back(prefix + request.texts[i]);
    const auto call = impl_->call("/embeddings", embedding_body(texts, model->remote_name), request.deadline, stop);
    auto reply = impl_->send(call, false);
    if (!reply.ok()) return impl_->count(reply.error());
    if (reply->status < 200 || reply->status >= 300) return impl_->count(error_of(reply->status, reply->body));
    auto part = HENG_TRY(read_embeddings(reply->body, texts.size()));
    all.tokens += part.tokens;
    for (auto& vector : part.vectors) all.vectors.push_back(std::move(vector));
  }
  impl_->prompt_tokens += all.tokens;
  all.model = model->name;
  all.model_sha256 = origin(impl_->settings, model->remote_name);
  return all;
}

Result<ScoreResult> RemoteInference::score(const ScoreRequest&, std::stop_token) {
  return Error(ErrorCode::unsupported, "a remote model cannot score continuations; use a local model", "model");
}

Result<ReplayResult> RemoteInference::replay(const ReplayRequest&, std::stop_token) {
  return Error(ErrorCode::unsupported, "a remote model cannot be replayed; use a local model", "model");
}

Result<std::vector<std::int32_t>> RemoteInference::tokenize(const std::string&, const std::string&) {
  return Error(ErrorCode::unsupported, "a remote model's tokenizer is not known", "model");
}

std::vector<ModelInfo> RemoteInference::models() const {
  std::vector<ModelInfo> all;
  for (const auto& model : impl_->settings.models) {
    ModelInfo info;
    info.name = model.name;
    info.kind = model.kind;
    info.context_tokens = model.context_tokens;
    info.dimensions = model.dimensions;
    info.sha256 = origin(impl_->settings, model.remote_name);
    info.loaded = !impl_->breaker.is_open(std::chrono::steady_clock::now());
    info.backend = "remote";
    all.push_back(std::move(info));
  }
  return all;
}

std::vector<InferenceStats> RemoteInference::stats() const {
  InferenceStats stats;
  stats.model = impl_->settings.models.front().name;
  stats.active = impl_->active;
  stats.requests = impl_->requests;
  stats.prompt_tokens = impl_->prompt_tokens;
  stats.cached_tokens = impl_->cached_tokens;
  stats.completion_tokens = impl_->completion_tokens;
  stats.cancelled = impl_->cancelled;
  stats.deadline_exceeded = impl_->late;
  stats.overloaded = impl_->overloaded;
  return {stats};
}

}  // namespace heng::infer
