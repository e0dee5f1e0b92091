#include "heng/insight_events/training.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <map>
#include <numeric>
#include <thread>

#include "bert.h"
#include "heng/base/clock.h"
#include "heng/base/hash.h"
#include "heng/base/text.h"
#include "model_parts.h"
#include "rows.h"
#include "tuning.h"

namespace heng::insight_events {
namespace {

using Report = std::function<void(const TrainProgress&)>;

template <class Work>
void in_parallel(int threads, const Work& work) {
  std::vector<std::jthread> helpers;
  for (int t = 1; t < threads; ++t) helpers.emplace_back([&work, t] { work(t); });
  work(0);
}

Result<void> check(const std::vector<EventRow>& rows, const TrainSettings& s) {
  auto bad = [](std::string message) { return Error(ErrorCode::invalid_argument, std::move(message)); };
  if (rows.size() < 20) return bad(fmt::format("{} rows are too few to train on; at least 20 are needed", rows.size()));
  if (s.epochs < 0 || s.epochs > 1000 || s.head_epochs < 0 || s.head_epochs > 1000 || s.epochs + s.head_epochs < 1 || s.batch < 1 || s.batch > 4096 || s.threads < 1 || s.threads > 256 || s.frozen < 0 || s.tune_tenths < 0 || s.tune_tenths > 5) {
    return bad("epochs 1…1000, batch 1…4096, threads 1…256, frozen ≥ 0 and tuning tenths 0…5 are possible");
  }
  std::map<std::string, int> count;
  for (const auto& row : rows) {
    for (const auto& event : row.events) ++count[event.type];
  }
  if (count.empty()) return bad("no row has an event");
  if (count.size() > 32) return bad(fmt::format("{} event types; at most 32 are possible", count.size()));
  for (const auto& [type, n] : count) {
    if (n < 2) return bad(fmt::format("event type \"{}\" has a single example; give more, or take it out", type));
  }
  return {};
}

/// Everything that lives during one training.
class Trainer {
 public:
  Trainer(EventModel::Parts& parts, const TrainSettings& settings, const Report& progress, SteadyTime start, std::stop_token stop)
      : parts_(parts), settings_(settings), progress_(progress), start_(start), stop_(std::move(stop)) {}

  Result<void> run(std::vector<Example>& examples) {
    cache_lower_states(examples);
    const Layout& layout = parts_.network.layout();
    Optimiser optimiser(layout, {.encoder_rate = static_cast<float>(settings_.encoder_rate), .head_rate = static_cast<float>(settings_.head_rate),
                                 .decay = static_cast<float>(settings_.decay), .clip = 1.0F, .average = static_cast<float>(settings_.average)});
    std::vector<Floats> grads;
    std::vector<Random> random;
    for (int t = 0; t < settings_.threads; ++t) {
      grads.emplace_back(new float[layout.size()]);
      random.emplace_back(settings_.seed * 1000 + static_cast<std::uint64_t>(t) + 1);
    }
    Random shuffle(settings_.seed);
    std::vector<std::size_t> order(examples.size());
    std::iota(order.begin(), order.end(), 0);
    const auto batch = static_cast<std::size_t>(settings_.batch);
    const int epochs = settings_.head_epochs + settings_.epochs;
    const std::size_t per_epoch = (examples.size() + batch - 1) / batch, steps = per_epoch * static_cast<std::size_t>(epochs);
    const std::size_t head_steps = per_epoch * static_cast<std::size_t>(settings_.head_epochs);
    std::size_t step = 0;
    double mean = 0;
    bool joint = false;
    float joint_from = 0, done = 0;          // shares of the whole training, by steps or by time, whichever is further
    for (int epoch = 0; epoch < epochs && done < 1; ++epoch) {
      for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[shuffle.below(i)]);
      for (std::size_t from = 0; from < order.size() && done < 1; from += batch, ++step) {
        if (stop_.stop_requested()) return Error(ErrorCode::cancelled, "stopped; nothing was written");
        const float time = time_share();
        done = std::max(static_cast<float>(step + 1) / static_cast<float>(steps), time);
        if (!joint && (step >= head_steps || time > most_head_time)) {
          joint = true;
          joint_from = done;
          for (Example& example : examples) example.top.resize(0, 0);
        }
        const std::size_t to = std::min(order.size(), from + batch);
        const double loss = one_batch(examples, order, from, to, optimiser, grads, random);
        optimiser.step(parts_.values.get(), grads, share(done), joint ? share((done - joint_from) / std::max(0.01F, 1 - joint_from)) : 0.0F);
        mean = step == 0 ? loss : 0.98 * mean + 0.02 * loss;
        progress_({epoch + 1, epochs, static_cast<std::int64_t>(step + 1), static_cast<std::int64_t>(steps), mean, "training"});
      }
    }
    optimiser.use_average(parts_.values.get());
    return {};
  }

 private:
  static constexpr float most_head_time = 0.3F;

  /// Of the learning rate: rises over the first tenth, then falls in a line to a fiftieth.
  static float share(float done) { return done < 0.1F ? std::max(0.01F, done / 0.1F) : std::max(0.02F, (1.0F - done) / 0.9F); }

  float time_share() const { return settings_.minutes > 0 ? static_cast<float>(elapsed_ms(start_) / (60000.0 * settings_.minutes)) : 0.0F; }

  void cache_lower_states(std::vector<Example>& examples) {
    std::atomic<std::size_t> next{0};
    in_parallel(settings_.threads, [&](int) {
      for (std::size_t i = next++; i < examples.size(); i = next++) {
        Segments segments;
        segments.add(static_cast<int>(examples[i].ids.size()));
        const Pass pass{.values = parts_.values.get()};
        parts_.network.lower_states(pass, segments, examples[i].ids, examples[i].lower);
        if (settings_.head_epochs == 0) continue;
        examples[i].top = examples[i].lower;
        parts_.network.upper_states(pass, segments, examples[i].top);
      }
    });
  }

  double one_batch(const std::vector<Example>& examples, const std::vector<std::size_t>& order, std::size_t from, std::size_t to, const Optimiser& optimiser,
                   std::vector<Floats>& grads, std::vector<Random>& random) {
    std::vector<double> loss(grads.size());
    const float scale = 1.0F / static_cast<float>(to - from);
    in_parallel(settings_.threads, [&](int thread) {
      const auto t = static_cast<std::size_t>(thread);
      optimiser.clear(grads[t].get());
      std::vector<const Example*> mine;
      for (std::size_t i = from + t; i < to; i += grads.size()) mine.push_back(&examples[order[i]]);
      if (mine.empty()) return;
      const Pass pass{parts_.values.get(), grads[t].get(), &random[t], static_cast<float>(settings_.dropout)};
      loss[t] = parts_.network.learn(pass, mine, Weights{}, scale).total();
    });
    return std::accumulate(loss.begin(), loss.end(), 0.0);
  }

  EventModel::Parts& parts_;
  const TrainSettings& settings_;
  const Report& progress_;
  const SteadyTime start_;
  std::stop_token stop_;
};

Result<Evaluation> measure(const EventModel::Parts& parts, const std::vector<EventRow>& rows, int threads, double* per_second, std::stop_token stop) {
  std::vector<TextItem> items;
  for (const auto& row : rows) items.push_back({row.id, row.content});
  const SteadyTime start = system_clock().steady();
  auto outcomes = HENG_TRY(extract(parts, items, 0, threads, stop));
  if (per_second) *per_second = 1000.0 * static_cast<double>(rows.size()) / elapsed_ms(start);
  std::vector<std::vector<Event>> predicted;
  for (auto& outcome : outcomes) predicted.push_back(outcome.ok() ? std::move(outcome->events) : std::vector<Event>{});
  return evaluate(rows, predicted);
}

void describe(ModelCard& card, const TrainSettings& s, const TrainReport& report) {
  card.settings = {{"minutes", s.minutes}, {"layers", s.layers}, {"frozen", s.frozen}, {"head_epochs", s.head_epochs}, {"epochs", s.epochs}, {"batch", s.batch}, {"encoder_rate", s.encoder_rate},
                   {"head_rate", s.head_rate}, {"dropout", s.dropout}, {"decay", s.decay}, {"average", s.average}, {"tune_tenths", s.tune_tenths},
                   {"seed", static_cast<double>(s.seed)}};
  auto add = [&](const std::string& name, const Evaluation& e) {
    if (!e.sentences) return;
    card.metrics.emplace_back(name + "_sentences", static_cast<double>(e.sentences));
    card.metrics.emplace_back(name + "_type_f1", e.types.f1());
    card.metrics.emplace_back(name + "_role_f1", e.roles.f1());
    card.metrics.emplace_back(name + "_mention_f1", e.mentions.f1());
    card.metrics.emplace_back(name + "_ece", e.calibration_error);
  };
  add("tuning", report.tuning);
  add("holdout", report.holdout);
  card.metrics.emplace_back("train_seconds", report.seconds);
}

Result<void> begin_from(const std::filesystem::path& path, EventModel::Parts& parts) {
  const auto earlier = HENG_TRY(load_parts(path));
  const Schema &a = earlier->network.schema(), &b = parts.network.schema();
  if (a.types != b.types || a.roles != b.roles || a.type_roles != b.type_roles || earlier->network.layout().size() != parts.network.layout().size()) {
    return Error(ErrorCode::conflict, path.string() + ": has other types, roles or sizes than these rows and settings; train without it");
  }
  std::copy(earlier->values.get(), earlier->values.get() + parts.network.layout().size(), parts.values.get());
  return {};
}

}  // namespace

int tenth_of(const std::string& content) { return sha256(content)[0] % 10; }

Result<TrainReport> train_events(const std::string& task, const std::vector<EventRow>& rows, const std::vector<EventRow>& holdout,
                                 const std::string& data_sha256, const std::filesystem::path& encoder, const std::filesystem::path& out,
                                 const TrainSettings& settings, const Report& progress, std::stop_token stop) {
  HENG_TRY(check(rows, settings));
  const SteadyTime start = system_clock().steady();
  progress({0, 0, 0, 0, 0, "reading"});
  const EncoderFile file = HENG_TRY(EncoderFile::open(encoder));
  NetworkShape shape;
  shape.encoder = file.shape;
  if (settings.layers > file.shape.layers || settings.frozen > (settings.layers ? settings.layers : file.shape.layers)) {
    return Error(ErrorCode::invalid_argument, fmt::format("the encoder has {} layers", file.shape.layers));
  }
  if (settings.layers > 0) shape.encoder.layers = settings.layers;
  shape.encoder.frozen = settings.frozen;
  auto parts = std::make_unique<EventModel::Parts>(shape, schema_of(rows), file.vocabulary);
  Random random(settings.seed);
  parts->network.initialise(parts->values.get(), random);
  HENG_TRY(file.load(parts->network.layout(), parts->values.get()));

  if (!settings.start.empty()) HENG_TRY(begin_from(settings.start, *parts));

  TrainReport report;
  std::vector<Example> examples;
  std::vector<EventRow> tuning;
  for (const auto& row : rows) {
    if (tenth_of(row.content) < settings.tune_tenths) {
      tuning.push_back(row);
      continue;
    }
    for (Example& example : examples_of(row, parts->network.schema(), parts->words, chunk_limit, report.lost_mentions)) examples.push_back(std::move(example));
  }
  report.rows = static_cast<std::int64_t>(rows.size());
  HENG_TRY(Trainer(*parts, settings, progress, start, stop).run(examples));
  examples.clear();
  round_to_file(*parts);
  prepare_to_read(*parts);
  progress({0, 0, 0, 0, 0, "tuning"});
  if (!tuning.empty()) parts->decisions = tune(*parts, tuning, settings.threads);
  report.seconds = elapsed_ms(start) / 1000;

  parts->card.task = task;
  parts->card.types = parts->network.schema().types;
  parts->card.roles = parts->network.schema().roles;
  parts->card.data_sha256 = data_sha256;
  parts->card.encoder_sha256 = file.sha256;
  parts->card.rows = report.rows;
  parts->card.trained_ms = system_clock().unix_ms();
  if (!tuning.empty()) report.tuning = HENG_TRY(measure(*parts, tuning, settings.threads, &report.sentences_per_second, stop));
  if (!holdout.empty()) report.holdout = HENG_TRY(measure(*parts, holdout, settings.threads, &report.sentences_per_second, stop));
  ModelCard& card = parts->card;
  describe(card, settings, report);
  HENG_TRY(save(*parts, out));
  return report;
}

}  // namespace heng::insight_events
