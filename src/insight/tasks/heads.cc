#include "tasks/heads.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace heng::insight {
namespace {

using nlohmann::json;

json calibration_json(const Calibration& c) { return {{"inverse_temperature", c.inverse_temperature}, {"bias", c.bias}}; }
Calibration calibration_from(const json& j) { return {j.at("inverse_temperature").get<float>(), j.at("bias").get<std::vector<float>>()}; }

json sources_json(const std::vector<EmbeddingSource>& sources) {
  json out = json::array();
  for (const auto& s : sources) out.push_back({{"model", s.model}, {"sha256", s.sha256}, {"dimensions", s.dimensions}});
  return out;
}
std::vector<EmbeddingSource> sources_from(const json& j) {
  std::vector<EmbeddingSource> out;
  for (const auto& s : j) out.push_back({s.at("model").get<std::string>(), s.at("sha256").get<std::string>(), s.at("dimensions").get<int>()});
  return out;
}

json cascade_json(const CascadePlan& plan) {
  json steps = json::array();
  for (const auto& s : plan.steps) steps.push_back({{"tier", tier_name(s.tier)}, {"threshold", s.threshold}, {"share", s.share}, {"accuracy", s.accuracy}});
  return {{"tolerance", plan.tolerance}, {"confidence", plan.confidence}, {"steps", steps}, {"accuracy", plan.accuracy}, {"last_accuracy", plan.last_accuracy}};
}

CascadePlan cascade_from(const json& j) {
  CascadePlan plan;
  plan.tolerance = j.at("tolerance").get<double>();
  plan.confidence = j.at("confidence").get<double>();
  plan.accuracy = j.at("accuracy").get<double>();
  plan.last_accuracy = j.at("last_accuracy").get<double>();
  for (const auto& s : j.at("steps"))
    plan.steps.push_back({tier_from_name(s.at("tier").get<std::string>()).value_or(Tier::linear), s.at("threshold").get<double>(), s.at("share").get<double>(), s.at("accuracy").get<double>()});
  return plan;
}

Result<std::string_view> section(const TaskFile& file, const std::string& name) {
  const auto it = file.sections.find(name);
  if (it == file.sections.end()) return Error(ErrorCode::corrupt, fmt::format("task {}: the file lacks its section \"{}\"", file.info.name, name), "task");
  return std::string_view(it->second);
}

}  // namespace

Matrix EncoderStage::logits(const Matrix& vectors) const {
  Matrix sum;
  for (const auto& head : heads) {
    Matrix one = head.logits(vectors);
    if (sum.rows == 0) sum = std::move(one);
    else for (std::size_t i = 0; i < sum.values.size(); ++i) sum.values[i] += one.values[i];
  }
  for (float& v : sum.values) v /= static_cast<float>(heads.size());
  return sum;
}

bool LabelHeads::has(Tier tier) const {
  return tier == Tier::linear ? linear.has_value() : tier == Tier::encoder ? encoder.has_value() : tier == Tier::fused ? fused.has_value() : tier == Tier::model ? model.has_value() : false;
}

void LabelHeads::linear_probabilities(std::span<const std::string_view> texts, std::span<float> out) const {
  const auto k = static_cast<std::size_t>(linear->head.classes());
  LinearScratch scratch;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto row = out.subspan(i * k, k);
    linear->head.logits(texts[i], scratch, row);
    linear->calibration.apply(row, row);
  }
}

void LabelHeads::encoder_probabilities(const Matrix& vectors, std::span<float> out) const {
  const Matrix z = encoder->logits(vectors);
  for (std::size_t i = 0; i < z.rows; ++i) encoder->calibration.apply({z.row(i), z.columns}, out.subspan(i * z.columns, z.columns));
}

void LabelHeads::tuned_probabilities(std::span<const std::string_view> texts, std::span<float> out, int threads) const {
  const auto k = static_cast<std::size_t>(encoder->tuned->classes());
  encoder->tuned->logits(texts, out, threads);
  for (std::size_t i = 0; i < texts.size(); ++i) encoder->calibration.apply(out.subspan(i * k, k), out.subspan(i * k, k));
}

void stacker_row(std::span<const float> linear, std::span<const float> encoder, std::span<float> out) {
  constexpr float floor = 1e-5f;  // one stage must not forbid a label
  for (std::size_t c = 0; c < linear.size(); ++c) {
    out[c] = std::log(std::max(linear[c], floor));
    out[linear.size() + c] = std::log(std::max(encoder[c], floor));
  }
}

void LabelHeads::fused_probabilities(std::span<const float> from_linear, std::span<const float> from_encoder, std::span<float> out) const {
  const auto k = static_cast<std::size_t>(fused->stacker.classes);
  std::vector<float> row(2 * k);
  for (std::size_t i = 0; i * k < out.size(); ++i) {
    stacker_row(from_linear.subspan(i * k, k), from_encoder.subspan(i * k, k), row);
    fused->stacker.apply(row, out.subspan(i * k, k));
  }
}

TaskFile LabelHeads::to_file(const std::string& report_json) const {
  TaskFile file;
  file.info = info;
  json details = {{"report", json::parse(report_json)}};
  if (linear) {
    linear->head.write(file.sections["linear"]);
    details["linear"] = {{"calibration", calibration_json(linear->calibration)}, {"features", linear->head.features()}};
  }
  if (encoder) {
    for (std::size_t i = 0; i < encoder->heads.size(); ++i) encoder->heads[i].write(file.sections[fmt::format("encoder{}", i)]);
    details["encoder"] = {{"calibration", calibration_json(encoder->calibration)}, {"sources", sources_json(encoder->sources)}, {"heads", encoder->heads.size()}};
    if (encoder->tuned) {
      details["encoder"]["tuned"] = encoder->tuned->encoder_sha256();
      encoder->tuned->write(file.sections["tuned"]);
    }
  }
  if (fused) details["fused"] = {{"inputs", fused->stacker.inputs}, {"weights", fused->stacker.weights}};
  if (model) {
    json examples = json::array();
    for (const auto& [text, label] : model->examples) examples.push_back({text, label});
    details["model"] = {{"instruction", model->instruction}, {"words", model->words}, {"examples", examples}, {"nearest", model->nearest}};
    if (model->calibration) details["model"]["calibration"] = calibration_json(*model->calibration);
    if (model->pool) {
      details["model"]["sources"] = sources_json(model->pool->sources);
      model->pool->write(file.sections["examples"]);
    }
  }
  if (cascade) details["cascade"] = cascade_json(*cascade);
  file.details_json = details.dump();
  return file;
}

Result<LabelHeads> LabelHeads::from_file(const TaskFile& file) {
  if (file.info.kind != TaskKind::label)
    return Error(ErrorCode::unsupported, fmt::format("task {} extracts events: use heng extract", file.info.name), "task");
  LabelHeads heads;
  heads.info = file.info;
  const auto classes = static_cast<int>(file.info.labels.size());
  const Error damaged(ErrorCode::corrupt, fmt::format("task {}: its parts do not fit together; train it again", file.info.name), "task");
  try {
    const json details = json::parse(file.details_json);
    if (details.contains("linear")) {
      const auto bytes = HENG_TRY(section(file, "linear"));
      LinearStage stage{HENG_TRY(LinearHead::read(bytes)), calibration_from(details.at("linear").at("calibration"))};
      if (stage.head.classes() != classes || static_cast<int>(stage.calibration.bias.size()) != classes) return damaged;
      heads.linear = std::move(stage);
    }
    if (details.contains("encoder")) {
      const auto& j = details.at("encoder");
      EncoderStage stage;
      stage.calibration = calibration_from(j.at("calibration"));
      int dimensions = 0;
      stage.sources = sources_from(j.at("sources"));
      for (const auto& s : stage.sources) dimensions += s.dimensions;
      for (int i = 0; i < j.at("heads").get<int>(); ++i) {
        const auto bytes = HENG_TRY(section(file, fmt::format("encoder{}", i)));
        stage.heads.push_back(HENG_TRY(Mlp::read(bytes)));
        if (stage.heads.back().classes() != classes || stage.heads.back().dimensions() != dimensions) return damaged;
      }
      if (j.contains("tuned")) {
        const auto weights = HENG_TRY(section(file, "tuned"));
        stage.tuned = HENG_TRY(insight_bert::TextClassifier::read(weights));
        if (stage.tuned->classes() != classes) return damaged;
      }
      if (stage.heads.empty() == !stage.tuned || static_cast<int>(stage.calibration.bias.size()) != classes) return damaged;
      heads.encoder = std::move(stage);
    }
    if (details.contains("fused")) {
      FusedStage stage;
      stage.stacker = {details.at("fused").at("inputs").get<int>(), classes, details.at("fused").at("weights").get<std::vector<float>>()};
      if (stage.stacker.inputs != 2 * classes || stage.stacker.weights.size() != static_cast<std::size_t>((stage.stacker.inputs + 1) * classes) || !heads.linear || !heads.encoder) return damaged;
      heads.fused = std::move(stage);
    }
    if (details.contains("model")) {
      const auto& j = details.at("model");
      ModelStage stage;
      stage.instruction = j.at("instruction").get<std::string>();
      stage.words = j.at("words").get<std::vector<std::string>>();
      stage.nearest = j.value("nearest", stage.nearest);
      if (j.contains("calibration")) {
        stage.calibration = calibration_from(j.at("calibration"));
        if (static_cast<int>(stage.calibration->bias.size()) != classes) return damaged;
      }
      if (j.contains("sources")) {
        const auto bytes = HENG_TRY(section(file, "examples"));
        stage.pool = HENG_TRY(ExamplePool::read(bytes, sources_from(j.at("sources")), classes));
      }
      for (const auto& example : j.at("examples")) stage.examples.emplace_back(example.at(0).get<std::string>(), example.at(1).get<int>());
      for (const auto& [text, label] : stage.examples)
        if (label < 0 || label >= classes) return damaged;
      if (static_cast<int>(stage.words.size()) != classes) return damaged;
      heads.model = std::move(stage);
    }
    if (details.contains("cascade")) heads.cascade = cascade_from(details.at("cascade"));
  } catch (const json::exception&) {
    return damaged;
  }
  if (heads.cascade)
    for (const auto& step : heads.cascade->steps)
      if (!heads.has(step.tier)) return damaged;
  return heads;
}

}  // namespace heng::insight
