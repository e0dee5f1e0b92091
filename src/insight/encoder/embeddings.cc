#include "encoder/embeddings.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

namespace heng::insight {
namespace {
constexpr std::size_t texts_at_once = 512;
}

Result<Matrix> embed_texts(Inference& inference, std::span<const EmbeddingSource> sources, std::span<const std::string_view> texts, Priority priority, std::stop_token stop,
                           const std::function<void(std::size_t, std::size_t)>& progress) {
  std::unordered_map<std::string_view, std::size_t> number;
  std::vector<std::string_view> distinct;
  std::vector<std::size_t> which;
  for (const auto text : texts) {
    const auto [it, fresh] = number.emplace(text, distinct.size());
    if (fresh) distinct.push_back(text);
    which.push_back(it->second);
  }
  std::size_t columns = 0, done = 0;
  for (const auto& source : sources) columns += static_cast<std::size_t>(source.dimensions);
  Matrix unique(distinct.size(), columns);
  std::size_t column = 0;
  for (const auto& source : sources) {
    for (std::size_t begin = 0; begin < distinct.size(); begin += texts_at_once) {
      EmbedRequest request;
      request.model = source.model;
      request.kind = EmbedKind::query;
      request.priority = priority;
      for (std::size_t i = begin; i < std::min(distinct.size(), begin + texts_at_once); ++i) request.texts.emplace_back(distinct[i]);
      const auto result = HENG_TRY(inference.embed(request, stop));
      if (!source.sha256.empty() && result.model_sha256 != source.sha256)
        return Error(ErrorCode::conflict, fmt::format("the task was trained on the embedding model {} with sha256 {}, here it has {}: train the task again, or bring that file back", source.model,
                                                      source.sha256.substr(0, 16), result.model_sha256.substr(0, 16)),
                     "tier");
      for (std::size_t i = 0; i < result.vectors.size(); ++i) {
        if (static_cast<int>(result.vectors[i].size()) != source.dimensions)
          return Error(ErrorCode::conflict, fmt::format("the embedding model {} gives {} numbers a text, the task was trained on {}", source.model, result.vectors[i].size(), source.dimensions), "tier");
        std::copy(result.vectors[i].begin(), result.vectors[i].end(), unique.row(begin + i) + column);
      }
      done += result.vectors.size();
      if (progress) progress(done, distinct.size() * sources.size());
    }
    column += static_cast<std::size_t>(source.dimensions);
  }
  Matrix out(texts.size(), columns);
  for (std::size_t i = 0; i < texts.size(); ++i) std::copy_n(unique.row(which[i]), columns, out.row(i));
  return out;
}

Result<std::vector<EmbeddingSource>> choose_sources(const Inference& inference, const std::vector<std::string>& asked, bool chinese) {
  std::vector<ModelInfo> models;
  for (auto& model : inference.models())
    if (model.kind == ModelInfo::Kind::embedding) models.push_back(std::move(model));
  std::vector<EmbeddingSource> out;
  const auto take = [&](const ModelInfo& model) { out.push_back({model.name, model.sha256, model.dimensions}); };
  for (const auto& name : asked) {
    const auto it = std::find_if(models.begin(), models.end(), [&](const ModelInfo& m) { return m.name == name; });
    if (it == models.end()) return Error(ErrorCode::not_found, fmt::format("no embedding model \"{}\"; see heng models list", name), "embedding-model");
    take(*it);
  }
  if (!asked.empty()) return out;
  // a Chinese encoder for Chinese, else the default, else the first
  for (const auto& model : models)
    if (chinese && out.empty() && model.name.find("-zh") != std::string::npos) take(model);
  for (const auto& model : models)
    if (out.empty() && model.is_default) take(model);
  for (const auto& model : models)
    if (out.empty() && model.name.find("-zh") == std::string::npos) take(model);
  if (out.empty() && !models.empty()) take(models.front());
  if (out.empty()) return Error(ErrorCode::not_found, "there is no embedding model; see heng models list", "embedding-model");
  return out;
}

}  // namespace heng::insight
