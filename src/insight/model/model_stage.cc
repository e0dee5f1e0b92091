#include "model/model_stage.h"

#include <algorithm>
#include <unordered_map>

#include "heng/base/text.h"

namespace heng::insight {
namespace {
constexpr std::size_t longest_code_points = 1500, longest_example = 300;
constexpr std::string_view nothing_said[] = {"N/A", "…", "无内容"};

std::string cut(std::string_view text, std::size_t most) {
  std::string one_line(text.substr(0, text::byte_offset(text, most)));
  std::replace(one_line.begin(), one_line.end(), '\n', ' ');
  return one_line;
}

std::string example(const ModelStage& stage, std::string_view text, int label) { return "Text: " + cut(text, longest_example) + "\nLabel: " + stage.words[static_cast<std::size_t>(label)] + "\n\n"; }

/// A text behind examples of the pool.
std::string shown(const ModelStage& stage, const std::vector<std::size_t>& examples, std::string_view text) {
  std::string out;
  for (const auto i : examples) out += example(stage, stage.pool->texts[i], stage.pool->labels[i]);
  return out + "Text: " + model_item(text);
}

/// What follows the prefix: first what says nothing, then the texts.
Result<std::vector<std::string>> items_of(Inference& inference, const ModelStage& stage, std::span<const std::string_view> texts, std::stop_token stop, const SkipExample& skip) {
  std::vector<std::string> out;
  if (!stage.pool) {
    for (const auto nothing : nothing_said) out.push_back(model_item(nothing));
    for (const auto text : texts) out.push_back(model_item(text));
    return out;
  }
  const Matrix vectors = HENG_TRY(embed_texts(inference, stage.pool->sources, texts, Priority::batch, stop));
  for (std::size_t i = 0; i < std::size(nothing_said); ++i) out.push_back(shown(stage, stage.pool->any(stage.nearest, i), nothing_said[i]));
  for (std::size_t i = 0; i < texts.size(); ++i) {
    std::function<bool(std::size_t)> skip_one;
    if (skip) skip_one = [&, i](std::size_t row) { return skip(i, row); };
    out.push_back(shown(stage, stage.pool->nearest(vectors.row(i), stage.nearest, skip_one), texts[i]));
  }
  return out;
}

}  // namespace

std::string model_prefix(const ModelStage& stage) {
  std::string prefix = stage.instruction + "\nLabels:";
  for (std::size_t i = 0; i < stage.words.size(); ++i) prefix += (i ? ", " : " ") + stage.words[i];
  prefix += "\n\n";
  if (stage.pool) return prefix;
  for (const auto& [text, label] : stage.examples) prefix += example(stage, text, label);
  return prefix + "Text: ";
}

std::string model_item(std::string_view text) { return cut(text, longest_code_points); }

Result<std::vector<float>> model_scores(Inference& inference, const ModelStage& stage, std::span<const std::string_view> texts, const TenantId& tenant, std::stop_token stop, const SkipExample& skip) {
  ScoreRequest request;
  request.tenant = tenant;
  request.prefix = model_prefix(stage);
  request.parse_special = false;  // a text must not close the prompt
  ScoreField& field = request.fields.emplace_back();
  field.lead = "\nLabel:";
  for (const auto& word : stage.words) field.candidates.push_back(" " + word + "\n");
  const auto items = HENG_TRY(items_of(inference, stage, texts, stop, skip));
  constexpr std::size_t silent = std::size(nothing_said);
  request.items.assign(items.begin(), items.begin() + silent);
  std::unordered_map<std::string_view, std::size_t> number;
  std::vector<std::size_t> which;
  for (std::size_t i = silent; i < items.size(); ++i) {
    const auto [it, fresh] = number.emplace(items[i], request.items.size());
    if (fresh) request.items.push_back(items[i]);
    which.push_back(it->second);
  }
  const auto result = HENG_TRY(inference.score(request, stop));
  const std::size_t k = stage.words.size();
  std::vector<float> prior(k, 0.0f);
  for (std::size_t i = 0; i < silent; ++i)
    for (std::size_t c = 0; c < k; ++c) prior[c] += static_cast<float>(result.logprobs[i][c]) / static_cast<float>(silent);
  std::vector<float> out;
  out.reserve(texts.size() * k);
  for (const std::size_t i : which)
    for (std::size_t c = 0; c < k; ++c) out.push_back(static_cast<float>(result.logprobs[i][c]) - prior[c]);
  return out;
}

Result<std::vector<float>> model_probabilities(Inference& inference, const ModelStage& stage, std::span<const std::string_view> texts, const TenantId& tenant, std::stop_token stop) {
  auto out = HENG_TRY(model_scores(inference, stage, texts, tenant, stop));
  const std::size_t k = stage.words.size();
  for (std::size_t i = 0; i < out.size(); i += k) {
    const auto row = std::span(out).subspan(i, k);
    if (stage.calibration) stage.calibration->apply(row, row);
    else softmax(row);
  }
  return out;
}

}  // namespace heng::insight
