#include "meaning.h"

#include <algorithm>
#include <cmath>

namespace heng::app {
namespace {

constexpr const char* judge_prompt =
    "<|im_start|>system\nYou check facts. Answer Yes only if the passage states the claim.<|im_end|>\n<|im_start|>user\n";

Result<std::vector<double>> similarity(Inference& inference, const std::string& query, const std::vector<std::string>& texts) {
  EmbedRequest ask{.texts = {query}, .kind = EmbedKind::query};
  auto left = HENG_TRY(inference.embed(ask, {}));
  EmbedRequest passages{.texts = texts, .kind = EmbedKind::passage};
  auto right = HENG_TRY(inference.embed(passages, {}));
  std::vector<double> out;
  for (const auto& vector : right.vectors) {
    double dot = 0;
    for (std::size_t i = 0; i < vector.size() && i < left.vectors[0].size(); ++i) dot += double{vector[i]} * double{left.vectors[0][i]};
    out.push_back(std::clamp(dot, 0.0, 1.0));
  }
  return out;
}

Result<double> entailment(Inference& inference, const std::string& claim, const std::string& passage) {
  ScoreRequest request;
  request.prefix = judge_prompt;
  request.items = {"Passage: " + passage + "\nClaim: " + claim + "\nDoes the passage state the claim?<|im_end|>\n<|im_start|>assistant\n"};
  request.candidates = {"Yes", "No"};
  request.priority = Priority::interactive;
  auto scored = HENG_TRY(inference.score(request, {}));
  const double yes = std::exp(scored.logprobs[0][0]), no = std::exp(scored.logprobs[0][1]);
  return yes + no > 0 ? yes / (yes + no) : 0.0;
}

}  // namespace

guard::MeaningScorers meaning_scorers(Inference& inference) {
  return {[&inference](const std::string& query, const std::vector<std::string>& texts) { return similarity(inference, query, texts); },
          [&inference](const std::string& claim, const std::string& passage) { return entailment(inference, claim, passage); }};
}

}  // namespace heng::app
