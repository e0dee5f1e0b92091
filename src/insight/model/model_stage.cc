#include "model/model_stage.h"

#include <algorithm>
#include <unordered_map>

#include "heng/base/text.h"
#include "src/calibration.h"

namespace heng::insight {
namespace {
constexpr std::size_t longest_code_points = 1500, longest_example = 300;
constexpr std::string_view nothing_said[] = {"N/A", "…", "无内容"};

std::string cut(std::string_view text, std::size_t most) {
  std::string one_line(text.substr(0, text::byte_offset(text, most)));
  std::replace(one_line.begin(), one_line.end(), '\n', ' ');
  return one_line;
}
}  // namespace

std::string model_prefix(const ModelStage& stage) {
  std::string prefix = stage.instruction + "\nLabels:";
  for (std::size_t i = 0; i < stage.words.size(); ++i) prefix += (i ? ", " : " ") + stage.words[i];
  prefix += "\n\n";
  for (const auto& [text, label] : stage.examples) prefix += "Text: " + cut(text, longest_example) + "\nLabel: " + stage.words[static_cast<std::size_t>(label)] + "\n\n";
  return prefix + "Text: ";
}

std::string model_item(std::string_view text) { return cut(text, longest_code_points); }

Result<std::vector<float>> model_probabilities(Inference& inference, const ModelStage& stage, std::span<const std::string_view> texts, const TenantId& tenant, std::stop_token stop) {
  ScoreRequest request;
  request.tenant = tenant;
  request.prefix = model_prefix(stage);
  request.parse_special = false;  // a text must not close the prompt
  ScoreField& field = request.fields.emplace_back();
  field.lead = "\nLabel:";
  for (const auto& word : stage.words) field.candidates.push_back(" " + word + "\n");
  for (const auto nothing : nothing_said) request.items.push_back(model_item(nothing));
  std::unordered_map<std::string_view, std::size_t> number;
  std::vector<std::size_t> which;
  for (const auto text : texts) {
    const auto [it, fresh] = number.emplace(text, request.items.size());
    if (fresh) request.items.push_back(model_item(text));
    which.push_back(it->second);
  }
  const auto result = HENG_TRY(inference.score(request, stop));
  const std::size_t k = stage.words.size();
  std::vector<float> prior(k, 0.0f);
  for (std::size_t i = 0; i < std::size(nothing_said); ++i)
    for (std::size_t c = 0; c < k; ++c) prior[c] += static_cast<float>(result.logprobs[i][c]) / static_cast<float>(std::size(nothing_said));
  std::vector<float> out;
  out.reserve(texts.size() * k);
  for (const std::size_t i : which) {
    for (std::size_t c = 0; c < k; ++c) out.push_back(static_cast<float>(result.logprobs[i][c]) - prior[c]);
    softmax(std::span(out).last(k));
  }
  return out;
}

}  // namespace heng::insight
