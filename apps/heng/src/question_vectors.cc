#include "question_vectors.h"

#include <algorithm>

namespace heng::app {
namespace {

bool has_detector_model(const Inference& models) {
  const auto all = models.models();
  return std::any_of(all.begin(), all.end(), [](const ModelInfo& model) { return model.name == detector_model; });
}

EmbedRequest request_for(std::vector<std::string> texts, Priority priority) {
  EmbedRequest request;
  request.model = detector_model;
  request.texts = std::move(texts);
  request.kind = EmbedKind::query;
  request.priority = priority;
  return request;
}

}  // namespace

guard_injection::Embed question_vectors(Inference& models) {
  if (!has_detector_model(models)) return {};
  return [&models](const std::string& text) -> Result<std::vector<float>> {
    auto result = HENG_TRY(models.embed(request_for({text}, Priority::interactive), {}));
    return std::move(result.vectors.at(0));
  };
}

Result<void> BatchVectors::prepare(const std::vector<std::string>& texts) {
  ready_.clear();
  if (!models_ || texts.empty() || !has_detector_model(*models_)) return {};
  auto result = HENG_TRY(models_->embed(request_for(texts, Priority::batch), {}));
  for (std::size_t i = 0; i < texts.size(); ++i) ready_[texts[i]] = std::move(result.vectors[i]);
  return {};
}

guard_injection::Embed BatchVectors::embed() {
  if (!models_ || !has_detector_model(*models_)) return {};
  return [this](const std::string& text) -> Result<std::vector<float>> {
    if (const auto found = ready_.find(text); found != ready_.end()) return found->second;
    auto result = HENG_TRY(models_->embed(request_for({text}, Priority::interactive), {}));
    return std::move(result.vectors.at(0));
  };
}

}  // namespace heng::app
