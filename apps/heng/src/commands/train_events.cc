#include "train_events.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "../assembly.h"
#include "../encoders.h"
#include "../extractors.h"
#include "../signals.h"
#include "../terminal.h"
#include "heng/base/hash.h"
#include "heng/insight_events/training.h"

namespace heng::app {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

struct Input {
  std::vector<insight_events::EventRow> rows;
  std::string sha256;
};

/// Bad lines are shown and left out; an input without a good one is an error.
Result<Input> read_input(const std::vector<fs::path>& files) {
  constexpr std::size_t most_shown = 20;
  Input out;
  Sha256Stream hash;
  std::size_t bad = 0;
  for (const auto& file : files) {
    auto rows = HENG_TRY(insight_events::read_event_rows(file));
    for (auto& row : rows.rows) out.rows.push_back(std::move(row));
    hash.update(rows.sha256);
    for (const auto& error : rows.errors) {
      if (++bad <= most_shown) fmt::print(stderr, "{}\n", error);
    }
  }
  if (bad > most_shown) fmt::print(stderr, "… {} {}\n", bad - most_shown, say("more bad lines", "行有误未列出"));
  out.sha256 = to_hex(hash.finish());
  return out;
}

Result<fs::path> find_encoder(const Config& config) {
  if (auto found = find_tunable_encoder(config, true)) return *found;
  std::string folders;
  for (const auto& folder : config.model_folders) folders += (folders.empty() ? "" : ", ") + folder.string();
  return Error(ErrorCode::unavailable, fmt::format("no Chinese embedding model (bge-small-zh) in {}: run scripts/setup, or heng models add FILE.gguf", folders));
}

json counts_value(const insight_events::Counts& c) {
  return {{"f1", c.f1()}, {"precision", c.precision()}, {"recall", c.recall()}, {"right", c.right}, {"wrong", c.wrong}, {"missed", c.missed}};
}

json evaluation_value(const insight_events::Evaluation& e) {
  json out{{"sentences", e.sentences}, {"event_types", counts_value(e.types)}, {"roles", counts_value(e.roles)}, {"triggers", counts_value(e.triggers)},
           {"arguments", counts_value(e.arguments)}, {"mentions_by_event", counts_value(e.mentions)}, {"calibration_error", e.calibration_error}};
  for (const auto& [name, counts] : e.by_type) out["by_type"][name] = counts_value(counts);
  for (const auto& [name, counts] : e.by_role) out["by_role"][name] = counts_value(counts);
  return out;
}

void print_report(const Common& common, const TrainEventsOptions& options, const insight_events::TrainReport& report, const fs::path& file) {
  if (common.json) {
    json out{{"task", options.task}, {"kind", "events"}, {"rows", report.rows}, {"seconds", report.seconds}, {"sentences_per_second", report.sentences_per_second},
             {"lost_mentions", report.lost_mentions}, {"file", file.string()}, {"tuning", evaluation_value(report.tuning)}};
    if (report.holdout.sentences) out["holdout"] = evaluation_value(report.holdout);
    fmt::print("{}\n", out.dump());
    return;
  }
  fmt::print("{} {} · {} {} · {:.0f} s\n", say("trained", "已训练"), bold(options.task), report.rows, say("rows", "行"), report.seconds);
  if (report.tuning.sentences) fmt::print("\n{}\n{}", bold(say("rows kept for tuning (thresholds were chosen on them)", "调参用的行（阈值在其上选定）")), to_text(report.tuning));
  if (report.holdout.sentences) fmt::print("\n{}\n{}", bold(say("holdout (not seen in any way)", "留出集（训练与调参均未见过）")), to_text(report.holdout));
  fmt::print("\n{:.0f} {} · {} {} · {}\n", report.sentences_per_second, say("sentences a second", "句/秒"), report.lost_mentions,
             say("mentions not at a token's edge", "处提及不在词元边界"), file.string());
}

}  // namespace

int train_events(const Common& common, const TrainEventsOptions& options) {
  auto config = load_config(common.folder);
  if (!config.ok()) return report(config.error());
  if (options.task == entities_task) return report(Error(ErrorCode::already_exists, "\"entities\" comes with the program; choose another name", "task"));
  auto encoder = find_encoder(*config);
  if (!encoder.ok()) return report(encoder.error());
  auto input = read_input(options.in);
  if (!input.ok()) return report(input.error());
  Input holdout;
  if (!options.holdout.empty()) {
    auto read = read_input({options.holdout});
    if (!read.ok()) return report(read.error());
    holdout = std::move(*read);
  }
  insight_events::TrainSettings settings;
  settings.threads = options.threads > 0 ? options.threads : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  if (options.epochs > 0) settings.epochs = options.epochs;
  settings.seed = options.seed;
  const fs::path file = event_model_path(config->tasks(), options.task);
  std::error_code failed;
  fs::create_directories(file.parent_path(), failed);
  if (failed) return report(Error(ErrorCode::internal, fmt::format("cannot make {}: {}", file.parent_path().string(), failed.message())));
  Progress progress(say("training", "训练"));
  auto result = insight_events::train_events(options.task, input->rows, holdout.rows, input->sha256, *encoder, file, settings,
                                             [&](const insight_events::TrainProgress& p) {
                                               if (p.steps) progress.update(p.step, p.steps, fmt::format("{} {}/{} · {} {:.3f}", say("epoch", "轮"), p.epoch, p.epochs, say("loss", "损失"), p.loss));
                                             },
                                             stop_signal());
  progress.clear();
  if (!result.ok()) return report(result.error());
  print_report(common, options, *result, file);
  return 0;
}

}  // namespace heng::app
