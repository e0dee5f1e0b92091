#include "tasks/train_model.h"

#include "tasks/marked.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

namespace heng::insight {
namespace {

constexpr std::size_t pool_most = 2000, rows_at_once = 32;
constexpr int calibration_folds = 5;
constexpr double least_confidence = 0.95;

/// Numbers of at most `most` rows, drawn without regard to anything.
std::vector<std::size_t> sample(std::size_t rows, std::size_t most, std::uint64_t seed) {
  std::vector<std::size_t> out(rows);
  std::iota(out.begin(), out.end(), std::size_t{0});
  std::mt19937_64 random(seed);
  std::shuffle(out.begin(), out.end(), random);
  out.resize(std::min(rows, most));
  return out;
}

int best_of(const float* row, std::size_t k) { return static_cast<int>(std::max_element(row, row + k) - row); }

/// Each row calibrated by what was fitted on the others.
std::vector<float> cross_calibrated(const std::vector<float>& scores, const std::vector<int>& labels, int classes) {
  const auto k = static_cast<std::size_t>(classes);
  std::vector<float> out(scores.size());
  for (int f = 0; f < calibration_folds; ++f) {
    std::vector<float> some;
    std::vector<int> truth;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      if (static_cast<int>(i % calibration_folds) == f) continue;
      some.insert(some.end(), scores.begin() + static_cast<std::ptrdiff_t>(i * k), scores.begin() + static_cast<std::ptrdiff_t>((i + 1) * k));
      truth.push_back(labels[i]);
    }
    const auto calibration = Calibration::fit(some, truth, classes);
    for (std::size_t i = static_cast<std::size_t>(f); i < labels.size(); i += calibration_folds) calibration.apply(std::span(scores).subspan(i * k, k), std::span(out).subspan(i * k, k));
  }
  return out;
}

}  // namespace

double sign_test(int wins, int losses) {
  const int all = wins + losses;
  double sum = 0;
  for (int i = wins; i <= all; ++i) sum += std::exp(std::lgamma(all + 1.0) - std::lgamma(i + 1.0) - std::lgamma(all - i + 1.0) - all * std::log(2.0));
  return std::min(sum, 1.0);
}

Result<TrainedModel> train_model(const LabelledData& data, const TrainSettings& settings, std::span<const int> folds, const StageScores& before, Inference& inference, bool chinese,
                                 const TrainProgress& progress, std::stop_token stop) {
  const int classes = static_cast<int>(data.names.size());
  const auto k = static_cast<std::size_t>(classes);
  const auto texts = first_fields({data.texts.begin(), data.texts.end()});
  TrainedModel out;
  out.stage.instruction = settings.description.empty() ? "Give each text the label that fits it, in the way of the examples." : settings.description;
  for (const auto& name : data.names) {
    out.stage.words.push_back(name);
    std::replace(out.stage.words.back().begin(), out.stage.words.back().end(), '_', ' ');
  }
  out.stage.nearest = static_cast<std::size_t>(std::max(0, settings.model_examples));
  std::vector<std::size_t> pooled;
  const auto sources = HENG_TRY(choose_sources(inference, settings.embedding_models, chinese));
  out.stage.pool = HENG_TRY(make_pool(inference, texts, data.labels, classes, sources, pool_most, &pooled, stop));
  const auto rows = sample(texts.size(), static_cast<std::size_t>(std::max(1, settings.model_rows)), settings.seed);
  std::vector<float> scores;
  std::vector<int> labels;
  for (std::size_t begin = 0; begin < rows.size(); begin += rows_at_once) {
    if (progress) progress("model", static_cast<int>(begin), static_cast<int>(rows.size()));
    std::vector<std::string_view> some;
    for (std::size_t i = begin; i < std::min(rows.size(), begin + rows_at_once); ++i) some.push_back(texts[rows[i]]);
    const auto skip = [&](std::size_t text, std::size_t example) { return folds[pooled[example]] == folds[rows[begin + text]] || texts[pooled[example]] == some[text]; };
    const auto part = HENG_TRY(model_scores(inference, out.stage, some, TenantId("default"), stop, skip));
    scores.insert(scores.end(), part.begin(), part.end());
  }
  for (const auto row : rows) labels.push_back(data.labels[row]);
  const auto held_out = cross_calibrated(scores, labels, classes);
  out.stage.calibration = Calibration::fit(scores, labels, classes);
  out.report = evaluate(held_out, labels, data.names);
  out.report.stage = tier_name(Tier::model);
  out.report.measured_on = fmt::format("{} of {} rows, examples from other folds", rows.size(), texts.size());
  out.scores.tier = Tier::model;
  out.scores.probabilities.assign(texts.size() * k, 0.0f);
  out.scores.known.assign(texts.size(), 0);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::copy_n(held_out.begin() + static_cast<std::ptrdiff_t>(i * k), k, out.scores.probabilities.begin() + static_cast<std::ptrdiff_t>(rows[i] * k));
    out.scores.known[rows[i]] = 1;
    const bool right = best_of(&held_out[i * k], k) == labels[i], was_right = best_of(&before.probabilities[rows[i] * k], k) == labels[i];
    out.better += right && !was_right;
    out.worse += !right && was_right;
  }
  out.used = out.better > out.worse && sign_test(out.better, out.worse) <= 1 - least_confidence;
  return out;
}

}  // namespace heng::insight
