#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <random>
#include <thread>

#include "cascade/plan.h"
#include "heng/base/text.h"
#include "heng/insight/report.h"
#include "heng/insight/trainer.h"
#include "tasks/heads.h"
#include "tasks/marked.h"
#include "tasks/train_model.h"

namespace heng::insight {
namespace {

constexpr int many_classes = 20;

/// Row → fold, every label spread evenly.
std::vector<int> make_folds(std::span<const int> labels, std::span<const int> groups, int folds, std::uint64_t seed) {
  if (!groups.empty()) {   // a sentence lies in one fold whole
    std::vector<int> fold_of(static_cast<std::size_t>(*std::max_element(groups.begin(), groups.end())) + 1);
    for (std::size_t i = 0; i < fold_of.size(); ++i) fold_of[i] = static_cast<int>(i % static_cast<std::size_t>(folds));
    std::mt19937_64 random(seed);
    std::shuffle(fold_of.begin(), fold_of.end(), random);
    std::vector<int> fold;
    for (const int group : groups) fold.push_back(fold_of[static_cast<std::size_t>(group)]);
    return fold;
  }
  std::vector<std::size_t> order(labels.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::mt19937_64 random(seed);
  std::shuffle(order.begin(), order.end(), random);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return labels[a] < labels[b]; });
  std::vector<int> fold(labels.size());
  for (std::size_t i = 0; i < order.size(); ++i) fold[order[i]] = static_cast<int>(i % static_cast<std::size_t>(folds));
  return fold;
}

/// Trains the stages one after another; each leaves the log-odds it gave rows it was not trained on.
class TaskTrainer {
 public:
  TaskTrainer(const LabelledData& data, const LabelledData* holdout, const TrainSettings& settings, Inference* inference, const TrainProgress& progress, std::stop_token stop)
      : data_(data), holdout_(holdout), settings_(settings), inference_(inference), progress_(progress), stop_(stop), classes_(static_cast<int>(data.names.size())) {
    folds_ = std::max(2, classes_ > many_classes ? std::min(3, settings.folds) : settings.folds);
    if (tuned()) folds_ = data.labels.size() < 4000 ? 6 : 8;
    fold_ = make_folds(data.labels, data.groups, folds_, settings.seed);
    for (std::size_t i = 0; i < fold_.size(); ++i)
      if (!tuned() || fold_[i] == 0) judged_.push_back(i);
    for (const std::size_t i : judged_) judged_labels_.push_back(data.labels[i]);
    texts_.assign(data.texts.begin(), data.texts.end());
    if (holdout) holdout_texts_.assign(holdout->texts.begin(), holdout->texts.end());
  }

  Result<TrainedTask> run(const Clock& clock) {
    note_data();
    HENG_TRY(timed("linear", [&] { return train_linear(); }));
    if (tuned()) HENG_TRY(timed("tuned encoder", [&] { return tune_encoder(); }));
    else if (settings_.encoder && inference_) HENG_TRY(timed("encoder", [&] { return train_encoder(); }));
    if (heads_.encoder) HENG_TRY(timed("fused", [&] { return train_fused(); }));
    if (settings_.model && inference_) HENG_TRY(timed("model", [&] { return add_model(); }));
    plan();
    finish(clock);
    TrainedTask out;
    out.report = report_;
    out.file = heads_.to_file(report_to_json(report_));
    return out;
  }

 private:
  std::size_t k() const { return static_cast<std::size_t>(classes_); }
  bool tuned() const { return settings_.encoder && !settings_.tuned_encoder.empty(); }

  template <class Function>
  Result<void> timed(const char* stage, Function&& function) {
    const auto start = system_clock().steady();
    HENG_TRY(function());
    report_.times.push_back({stage, elapsed_ms(start) / 1000});
    return {};
  }

  Result<void> tell(const char* stage, int done, int total) {
    if (progress_) progress_(stage, done, total);
    if (stop_.stop_requested()) return Error(ErrorCode::cancelled, "stopped; nothing was written");
    return {};
  }

  std::vector<bool> rows_outside(int fold) const {
    std::vector<bool> use(fold_.size());
    for (std::size_t i = 0; i < use.size(); ++i) use[i] = fold_[i] != fold;
    return use;
  }

  void note_data() {
    if (data_.bad_rows) report_.notes.push_back(fmt::format("{} rows were left out; the first: line {}: {}", data_.bad_rows, data_.bad[0].line, data_.bad[0].reason));
    if (data_.contradictory_texts) report_.notes.push_back(fmt::format("{} texts have contradictory labels, for example {}", data_.contradictory_texts, data_.contradictions[0]));
    if (data_.repeated_rows) report_.notes.push_back(fmt::format("{} rows repeat a text with the same label", data_.repeated_rows));
    for (const auto& label : data_.rare) report_.notes.push_back(fmt::format("label \"{}\" has a single row: it was trained but cannot be checked", label));
  }

  Result<void> train_linear() {
    LinearSettings linear;
    linear.seed = settings_.seed;
    const auto problem = LinearProblem::create(texts_, data_.labels, classes_, linear);
    std::vector<float> held_out(texts_.size() * k());
    LinearScratch scratch;
    for (int f = 0; f < folds_; ++f) {
      HENG_TRY(tell("linear", f, folds_ + 1));
      const auto head = LinearHead::train(problem, rows_outside(f), linear);
      for (std::size_t i = 0; i < texts_.size(); ++i)
        if (fold_[i] == f) head.logits(texts_[i], scratch, std::span(held_out).subspan(i * k(), k()));
    }
    HENG_TRY(tell("linear", folds_, folds_ + 1));
    heads_.linear = LinearStage{LinearHead::train(problem, {}, linear), Calibration::fit(held_out, data_.labels, classes_)};
    calibrate(heads_.linear->calibration, held_out);
    add_stage(Tier::linear, held_out);
    if (holdout_) {
      holdout_scores_.emplace_back(holdout_texts_.size() * k());
      heads_.linear_probabilities(holdout_texts_, holdout_scores_.back());
    }
    return tell("linear", folds_ + 1, folds_ + 1);
  }

  Result<void> train_encoder() {
    auto sources = choose_sources(*inference_, settings_.embedding_models, mostly_chinese(data_));
    if (!sources.ok()) {
      if (!settings_.embedding_models.empty()) return sources.error();
      report_.notes.push_back(sources.error().message + "; the task has its linear stage only");
      return {};
    }
    EncoderStage stage;
    stage.sources = *sources;
    const auto told = [&](std::size_t done, std::size_t total) { if (progress_) progress_("embedding", static_cast<int>(done), static_cast<int>(total)); };
    const Matrix vectors = HENG_TRY(embed_texts(*inference_, stage.sources, first_fields(texts_), Priority::batch, stop_, told));
    for (const auto& model : inference_->models())
      for (auto& source : stage.sources)
        if (model.name == source.model && !model.sha256.empty()) source.sha256 = model.sha256;
    std::vector<float> held_out(texts_.size() * k());
    MlpSettings mlp = mlp_settings();
    for (int f = 0; f < folds_; ++f) {
      HENG_TRY(tell("encoder", f, folds_ + 1));
      const Matrix z = Mlp::train(vectors, data_.labels, rows_outside(f), classes_, mlp).logits(vectors);
      for (std::size_t i = 0; i < texts_.size(); ++i)
        if (fold_[i] == f) std::copy_n(z.row(i), k(), &held_out[i * k()]);
    }
    HENG_TRY(tell("encoder", folds_, folds_ + 1));
    stage.heads.push_back(Mlp::train(vectors, data_.labels, {}, classes_, mlp));
    stage.calibration = Calibration::fit(held_out, data_.labels, classes_);
    calibrate(stage.calibration, held_out);
    add_stage(Tier::encoder, held_out);
    heads_.encoder = std::move(stage);
    if (holdout_) {
      const Matrix outside = HENG_TRY(embed_texts(*inference_, heads_.encoder->sources, first_fields(holdout_texts_), Priority::batch, stop_));
      holdout_scores_.emplace_back(holdout_texts_.size() * k());
      heads_.encoder_probabilities(outside, holdout_scores_.back());
    }
    return tell("encoder", folds_ + 1, folds_ + 1);
  }

  /// The encoder and its head together, on all folds but the first; the first calibrates.
  Result<void> tune_encoder() {
    insight_bert::TuneSettings tune;
    tune.minutes = settings_.tune_minutes;
    tune.epochs = settings_.tune_epochs;
    tune.seed = settings_.seed;
    tune.threads = threads();
    const auto told = [&](const insight_bert::TextClassifier::Progress& p) {
      if (progress_) progress_("tuned encoder", static_cast<int>(1000 * p.done), 1000);
    };
    EncoderStage stage;
    stage.tuned = HENG_TRY(insight_bert::TextClassifier::train(settings_.tuned_encoder, first_fields(texts_), data_.labels, rows_outside(0), classes_, tune, told, stop_));
    std::vector<std::string_view> judged;
    for (const std::size_t i : judged_) judged.push_back(texts_[i]);
    judged = first_fields(judged);
    std::vector<float> held_out(judged.size() * k());
    stage.tuned->logits(judged, held_out, threads());
    stage.calibration = Calibration::fit(held_out, judged_labels_, classes_);
    calibrate(stage.calibration, held_out);
    scores_.push_back({Tier::encoder, std::move(held_out)});
    heads_.encoder = std::move(stage);
    if (holdout_) {
      holdout_scores_.emplace_back(holdout_texts_.size() * k());
      heads_.tuned_probabilities(first_fields(holdout_texts_), holdout_scores_.back(), threads());
    }
    return {};
  }

  int threads() const { return settings_.threads > 0 ? settings_.threads : std::max(1, static_cast<int>(std::thread::hardware_concurrency())); }

  MlpSettings mlp_settings() const {
    MlpSettings mlp;
    mlp.seed = settings_.seed;
    return mlp;
  }

  Result<void> train_fused() {
    const std::size_t rows = judged_.size();
    std::vector<float> features(rows * 2 * k()), held_out(rows * k());
    for (std::size_t i = 0; i < rows; ++i)
      stacker_row(std::span(scores_[0].probabilities).subspan(i * k(), k()), std::span(scores_[1].probabilities).subspan(i * k(), k()), std::span(features).subspan(i * 2 * k(), 2 * k()));
    constexpr double ridge = 0.01;
    const auto part = [&](std::size_t i) { return tuned() ? static_cast<int>(i % static_cast<std::size_t>(folds_)) : fold_[i]; };
    for (int f = 0; f < folds_; ++f) {
      HENG_TRY(tell("fused", f, folds_ + 1));
      std::vector<float> some;
      std::vector<int> labels;
      for (std::size_t i = 0; i < rows; ++i) {
        if (part(i) == f) continue;
        some.insert(some.end(), features.begin() + static_cast<std::ptrdiff_t>(i * 2 * k()), features.begin() + static_cast<std::ptrdiff_t>((i + 1) * 2 * k()));
        labels.push_back(judged_labels_[i]);
      }
      const auto stacker = Stacker::fit(some, labels, 2 * classes_, classes_, ridge);
      for (std::size_t i = 0; i < rows; ++i)
        if (part(i) == f) stacker.apply(std::span(features).subspan(i * 2 * k(), 2 * k()), std::span(held_out).subspan(i * k(), k()));
    }
    heads_.fused = FusedStage{Stacker::fit(features, judged_labels_, 2 * classes_, classes_, ridge)};
    scores_.push_back({Tier::fused, std::move(held_out)});
    if (holdout_) {
      holdout_scores_.emplace_back(holdout_texts_.size() * k());
      heads_.fused_probabilities(holdout_scores_[0], holdout_scores_[1], holdout_scores_.back());
    }
    return tell("fused", folds_ + 1, folds_ + 1);
  }

  Result<void> add_model() {
    model_ = HENG_TRY(train_model(data_, settings_, fold_, scores_.back(), *inference_, mostly_chinese(data_), progress_, stop_));
    heads_.model = model_->stage;
    const char* before = tier_name(scores_.back().tier);
    report_.notes.push_back(fmt::format("the model stage is right on {} rows where {} is wrong, and wrong on {} where it is right ({}): {}", model_->better, before, model_->worse, model_->report.measured_on,
                                        model_->used ? "the cascade ends with it" : "not better with 95 % confidence, so the cascade does without it; --tier model forces it"));
    return {};
  }

  void calibrate(const Calibration& calibration, std::vector<float>& rows) const {
    for (std::size_t i = 0; i < rows.size(); i += k()) calibration.apply(std::span(rows).subspan(i, k()), std::span(rows).subspan(i, k()));
  }

  /// `probabilities`: of all rows; those of the judged ones are kept.
  void add_stage(Tier tier, const std::vector<float>& probabilities) {
    std::vector<float> kept;
    for (const std::size_t i : judged_) kept.insert(kept.end(), probabilities.begin() + static_cast<std::ptrdiff_t>(i * k()), probabilities.begin() + static_cast<std::ptrdiff_t>((i + 1) * k()));
    scores_.push_back({tier, std::move(kept)});
  }

  /// The cascade goes from the linear stage to the best of the dearer ones, and to the chat model where that is better still.
  void plan() {
    std::vector<StageScores> path = {scores_.front()};
    if (scores_.size() > 1) path.push_back(scores_.back());
    if (model_ && model_->used) path.push_back(model_->scores);
    if (path.size() < 2) return;
    heads_.cascade = plan_cascade(path, judged_labels_, classes_, settings_.tolerance, settings_.confidence);
    report_.cascade = heads_.cascade;
  }

  void finish(const Clock& clock) {
    for (std::size_t s = 0; s < scores_.size(); ++s) {
      auto stage = holdout_ ? evaluate(holdout_scores_[s], holdout_->labels, data_.names) : evaluate(scores_[s].probabilities, judged_labels_, data_.names);
      stage.stage = tier_name(scores_[s].tier);
      stage.measured_on = holdout_ ? "holdout" : tuned() ? fmt::format("one row of {}, kept back", folds_) : fmt::format("{}-fold cross-validation", folds_);
      heads_.info.tiers.push_back(scores_[s].tier);
      report_.stages.push_back(std::move(stage));
    }
    auto& info = heads_.info;
    const auto best = report_.stages.back();
    if (model_) {
      info.tiers.push_back(Tier::model);
      report_.stages.push_back(model_->report);
    }
    info.name = settings_.name;
    info.kind = TaskKind::label;
    info.input = data_.input;
    info.description = settings_.description;
    info.labels = data_.names;
    info.metrics = {{"accuracy", best.accuracy}, {"macro_f1", best.macro_f1}, {"weighted_f1", best.weighted_f1}, {"ece", best.ece}};
    for (const auto& stage : report_.stages) info.metrics.emplace_back(stage.stage + "_accuracy", stage.accuracy);
    if (heads_.cascade)
      for (const auto& step : heads_.cascade->steps) info.automatic.push_back(step.tier);
    if (info.automatic.empty()) info.automatic = {Tier::linear};
    info.data_sha256 = data_.sha256;
    info.rows = static_cast<std::int64_t>(data_.texts.size());
    info.trained_ms = clock.unix_ms();
    info.evaluation_only = settings_.evaluation_only;
    report_.info = info;
  }

  const LabelledData& data_;
  const LabelledData* holdout_;
  const TrainSettings& settings_;
  Inference* inference_;
  const TrainProgress& progress_;
  std::stop_token stop_;
  int classes_, folds_ = 0;
  std::vector<int> fold_;
  std::vector<std::size_t> judged_;   ///< Rows that the stages are compared on: all, or the first fold where the encoder is tuned.
  std::vector<int> judged_labels_;
  std::vector<std::string_view> texts_, holdout_texts_;
  std::vector<StageScores> scores_;
  std::vector<std::vector<float>> holdout_scores_;
  std::optional<TrainedModel> model_;
  LabelHeads heads_;
  TrainingReport report_;
};

}  // namespace

bool mostly_chinese(const LabelledData& data) {
  std::size_t chinese = 0, seen = 0;
  for (std::size_t i = 0; i < data.texts.size(); i += 1 + data.texts.size() / 500, ++seen) chinese += text::language_of(data.texts[i]) == text::Language::chinese;
  return 2 * chinese > seen;
}

Result<TrainedTask> train_labels(const LabelledData& data, const LabelledData* holdout, const TrainSettings& settings, Inference* inference, const Clock& clock, const TrainProgress& progress,
                                 std::stop_token stop) {
  HENG_TRY(check_task_name(settings.name));
  return TaskTrainer(data, holdout, settings, inference, progress, stop).run(clock);
}

}  // namespace heng::insight
