#include "heng/infer/router.h"

#include <fmt/format.h>

#include <algorithm>

#include "heng/base/clock.h"

namespace heng::infer {

Result<void> ModelRouter::add(std::shared_ptr<Inference> backend) {
  const auto infos = backend->models();
  std::lock_guard lock(mutex_);
  for (const auto& info : infos) {
    const auto same = [&](const Route& route) { return route.name == info.name; };
    if (std::any_of(routes_.begin(), routes_.end(), same)) {
      return Error(ErrorCode::already_exists, fmt::format("there is already a model named '{}'", info.name), "model");
    }
  }
  for (const auto& info : infos) {
    routes_.push_back({info.name, info.kind, backend});
    auto& standard = info.kind == ModelInfo::Kind::chat ? default_chat_ : default_embedding_;
    if (standard.empty()) standard = info.name;
  }
  return {};
}

Result<void> ModelRouter::set_default(const std::string& model) {
  std::lock_guard lock(mutex_);
  for (const auto& route : routes_) {
    if (route.name != model) continue;
    (route.kind == ModelInfo::Kind::chat ? default_chat_ : default_embedding_) = model;
    return {};
  }
  return Error(ErrorCode::not_found, fmt::format("there is no model named '{}'", model), "model");
}

Result<void> ModelRouter::remove(const std::string& model) {
  std::shared_ptr<Inference> last;  // freed outside the lock: unloading weights takes time
  std::lock_guard lock(mutex_);
  const auto found = std::find_if(routes_.begin(), routes_.end(), [&](const Route& r) { return r.name == model; });
  if (found == routes_.end()) return Error(ErrorCode::not_found, fmt::format("there is no model named '{}'", model), "model");
  last = found->backend;
  const auto kind = found->kind;
  routes_.erase(found);
  auto& standard = kind == ModelInfo::Kind::chat ? default_chat_ : default_embedding_;
  if (standard == model) {
    const auto next = std::find_if(routes_.begin(), routes_.end(), [&](const Route& r) { return r.kind == kind; });
    standard = next == routes_.end() ? "" : next->name;
  }
  return {};
}

Result<ModelRouter::Route> ModelRouter::find(const std::string& model, ModelInfo::Kind kind) const {
  std::lock_guard lock(mutex_);
  const auto& name = !model.empty() ? model : kind == ModelInfo::Kind::chat ? default_chat_ : default_embedding_;
  const char* what = kind == ModelInfo::Kind::chat ? "chat" : "embedding";
  if (name.empty()) return Error(ErrorCode::unavailable, fmt::format("no {} model is loaded", what), "model");
  for (const auto& route : routes_) {
    if (route.name != name) continue;
    if (route.kind != kind) return Error(ErrorCode::invalid_argument, fmt::format("'{}' is not a {} model", name, what), "model");
    return route;
  }
  return Error(ErrorCode::not_found, fmt::format("there is no model named '{}'", name), "model");
}

Result<ChatResult> ModelRouter::chat(const ChatRequest& request, const ChatSink& sink, std::stop_token stop) {
  const auto route = HENG_TRY(find(request.model, ModelInfo::Kind::chat));
  auto named = request;
  named.model = route.name;
  return route.backend->chat(named, sink, std::move(stop));
}

Result<ScoreResult> ModelRouter::score(const ScoreRequest& request, std::stop_token stop) {
  const auto route = HENG_TRY(find(request.model, ModelInfo::Kind::chat));
  auto named = request;
  named.model = route.name;
  return route.backend->score(named, std::move(stop));
}

Result<EmbedResult> ModelRouter::embed(const EmbedRequest& request, std::stop_token stop) {
  const auto route = HENG_TRY(find(request.model, ModelInfo::Kind::embedding));
  auto named = request;
  named.model = route.name;
  // one question is asked twice within a request, by the guard and by the search: the second time it is known
  struct Last {
    const ModelRouter* router = nullptr;
    std::string model, text;
    SteadyTime at;
    EmbedResult result;
  };
  constexpr double most_age_ms = 3000;
  static thread_local Last last;
  const bool question = request.kind == EmbedKind::query && request.texts.size() == 1;
  if (question && last.router == this && last.model == route.name && last.text == request.texts[0] && elapsed_ms(last.at) < most_age_ms) return last.result;
  auto result = route.backend->embed(named, std::move(stop));
  if (question && result.ok()) last = {this, route.name, request.texts[0], system_clock().steady(), *result};
  return result;
}

Result<ReplayResult> ModelRouter::replay(const ReplayRequest& request, std::stop_token stop) {
  const auto route = HENG_TRY(find(request.model, ModelInfo::Kind::chat));
  auto named = request;
  named.model = route.name;
  return route.backend->replay(named, std::move(stop));
}

Result<std::vector<std::int32_t>> ModelRouter::tokenize(const std::string& model, const std::string& text) {
  auto route = find(model, ModelInfo::Kind::chat);
  if (!route.ok() && route.error().code == ErrorCode::invalid_argument) route = find(model, ModelInfo::Kind::embedding);
  const auto target = HENG_TRY(std::move(route));
  return target.backend->tokenize(target.name, text);
}

std::vector<ModelInfo> ModelRouter::models() const {
  std::vector<Route> routes;
  std::string chat, embedding;
  {
    std::lock_guard lock(mutex_);
    routes = routes_;
    chat = default_chat_;
    embedding = default_embedding_;
  }
  std::vector<ModelInfo> all;
  for (const auto& route : routes) {
    for (auto& info : route.backend->models()) {
      if (info.name != route.name) continue;
      info.is_default = info.name == (info.kind == ModelInfo::Kind::chat ? chat : embedding);
      all.push_back(std::move(info));
    }
  }
  return all;
}

std::vector<InferenceStats> ModelRouter::stats() const {
  std::vector<std::shared_ptr<Inference>> backends;
  {
    std::lock_guard lock(mutex_);
    for (const auto& route : routes_)
      if (std::find(backends.begin(), backends.end(), route.backend) == backends.end()) backends.push_back(route.backend);
  }
  std::vector<InferenceStats> all;
  for (const auto& backend : backends)
    for (auto& stats : backend->stats()) all.push_back(std::move(stats));
  return all;
}

}  // namespace heng::infer
