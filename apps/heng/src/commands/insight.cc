// train, label, tasks: reading texts with trained heads.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "../assembly.h"
#include "../extractors.h"
#include "../options.h"
#include "../signals.h"
#include "../terminal.h"
#include "heng/base/text.h"
#include "heng/insight/dataset.h"
#include "heng/insight/label_stream.h"
#include "heng/insight/report.h"
#include "heng/insight/task_labeller.h"
#include "heng/insight/trainer.h"
#include "../encoders.h"
#include "train_events.h"

namespace heng::app {
namespace {

namespace fs = std::filesystem;

std::string percent(double share) { return fmt::format("{:.2f} %", 100 * share); }

// ---- train

constexpr std::size_t fewest_to_tune = 500;  // rows; with fewer a head on the vectors is as good

struct TrainOptions {
  std::string task, kind = "label", description;
  std::vector<fs::path> in;
  fs::path holdout;
  std::vector<std::string> embedding_models;
  bool linear_only = false, evaluation_only = false, model = false;
  double tune = 10;
  int folds = 5, threads = 0, epochs = 0, model_rows = 400;
  double tolerance = 0.5, confidence = 95;
};

void print_stage(const insight::ClassificationReport& stage) {
  fmt::print("\n{} ({}, {} {})\n", bold(stage.stage), stage.measured_on, stage.rows, say("rows", "行"));
  fmt::print("  {} {:.4f} · macro F1 {:.4f} · weighted F1 {:.4f} · ECE {:.4f}\n", say("accuracy", "准确率"), stage.accuracy, stage.macro_f1, stage.weighted_f1, stage.ece);
}

void print_classes(const insight::ClassificationReport& stage) {
  std::vector<std::vector<std::string>> rows = {{say("label", "标签"), say("rows", "行数"), say("precision", "精确率"), say("recall", "召回率"), "F1"}};
  for (const auto& c : stage.classes) rows.push_back({c.label, std::to_string(c.rows), fmt::format("{:.4f}", c.precision), fmt::format("{:.4f}", c.recall), fmt::format("{:.4f}", c.f1)});
  fmt::print("\n{}", table(rows, {1, 2, 3, 4}));
  if (stage.classes.size() > 12) return;
  rows = {{say("truth \\ given", "真实 \\ 判为")}};
  std::vector<int> right;
  for (std::size_t c = 0; c < stage.classes.size(); ++c) {
    rows[0].push_back(stage.classes[c].label);
    right.push_back(static_cast<int>(c) + 1);
  }
  for (std::size_t t = 0; t < stage.classes.size(); ++t) {
    rows.push_back({stage.classes[t].label});
    for (const int count : stage.confusion[t]) rows.back().push_back(std::to_string(count));
  }
  fmt::print("\n{}", table(rows, right));
}

void print_report(const insight::TrainingReport& report, const fs::path& path) {
  for (const auto& stage : report.stages) print_stage(stage);
  print_classes(report.stages.back());
  if (report.cascade) {
    const auto& plan = *report.cascade;
    fmt::print("\n{} ({} {:.2f} {}, {:.0f} % {})\n", bold(say("cascade", "级联")), say("at most", "最多损失"), 100 * plan.tolerance, say("points lost", "个百分点"), 100 * plan.confidence, say("confidence", "置信"));
    for (const auto& step : plan.steps)
      fmt::print("  {:<8} {} {:>8} · {} {:.4f}{}\n", tier_name(step.tier), say("answers", "回答"), percent(step.share), say("accuracy", "准确率"), step.accuracy,
                 &step == &plan.steps.back() ? "" : fmt::format(" · {} {:.3f}", say("when at least", "当把握不低于"), step.threshold));
    fmt::print("  {} {:.4f} ({} {:.4f})\n", say("accuracy of the whole", "整体准确率"), plan.accuracy, say("last stage alone", "仅用末级"), plan.last_accuracy);
  }
  for (const auto& note : report.notes) fmt::print("\n! {}", note);
  double total = 0;
  std::string times;
  for (const auto& time : report.times) {
    total += time.seconds;
    times += fmt::format("{}{} {:.2f} s", times.empty() ? "" : ", ", time.stage, time.seconds);
  }
  fmt::print("\n{}: {} ({})\n", say("trained", "已训练"), report.info.name, times);
  fmt::print("{}\n", dim(fmt::format("{} {} · {} {} · {:.2f} s", say("data", "数据"), report.info.data_sha256.substr(0, 16), say("file", "文件"), path.string(), total)));
}

int run_train(const Common& common, const TrainOptions& options) {
  if (auto named = insight::check_task_name(options.task); !named.ok()) return report(named.error());
  if (options.kind == "events") return train_events(common, {options.task, options.in, options.holdout, options.threads, options.epochs});
  if (options.in.size() > 1) return report(Error(ErrorCode::invalid_argument, "--kind label reads one file; join the files first", "in"));
  auto config = load_config(common.folder);
  if (!config.ok()) return report(config.error());
  auto data = insight::read_labelled(options.in.front());
  if (!data.ok()) return report(data.error());
  std::optional<insight::LabelledData> holdout;
  if (!options.holdout.empty()) {
    auto rows = insight::read_labelled(options.holdout, data->names);
    if (!rows.ok()) return report(rows.error());
    holdout = std::move(*rows);
  }
  std::unique_ptr<Inference> inference;
  insight::TrainSettings settings;
  if (!options.linear_only && options.tune > 0 && options.embedding_models.empty() && !options.model && data->texts.size() >= fewest_to_tune) {
    if (auto encoder = find_tunable_encoder(*config, insight::mostly_chinese(*data))) settings.tuned_encoder = *encoder;
  }
  if (!options.linear_only && settings.tuned_encoder.empty()) {
    auto models = open_models(*config, options.model ? Models::all : Models::embedding);
    if (!models.ok()) return report(models.error());
    inference = std::move(*models);
  }
  settings.tune_minutes = options.tune;
  settings.tune_epochs = options.epochs > 0 ? options.epochs : settings.tune_epochs;
  settings.threads = options.threads;
  settings.name = options.task;
  settings.description = options.description;
  settings.encoder = !options.linear_only;
  settings.model = options.model && !options.linear_only;
  settings.model_rows = options.model_rows;
  settings.embedding_models = options.embedding_models;
  settings.folds = options.folds;
  settings.tolerance = options.tolerance / 100;
  settings.confidence = options.confidence / 100;
  settings.evaluation_only = options.evaluation_only;
  Progress progress(fmt::format("{} {}", say("training", "训练"), options.task));
  auto trained = insight::train_labels(*data, holdout ? &*holdout : nullptr, settings, inference.get(), system_clock(),
                                       [&](const std::string& stage, int done, int total) { progress.update(done, total, stage); }, stop_signal());
  progress.clear();
  if (!trained.ok()) return report(trained.error());
  const fs::path path = config->tasks() / (options.task + ".task");
  if (auto written = insight::write_task_file(path, trained->file); !written.ok()) return report(written.error());
  if (common.json) fmt::print("{}\n", insight::report_to_json(trained->report));
  else print_report(trained->report, path);
  return 0;
}

// ---- label

struct LabelOptions {
  std::string task, tier = "auto";
  fs::path in = "-", out = "-";
  double abstain = 0;
  bool evidence = false, restart = false;
  int threads = 0;
};

void print_label_report(const insight::LabelStreamReport& done, const LabelOptions& options, bool json) {
  if (json) {
    nlohmann::ordered_json tiers;
    for (const Tier tier : {Tier::linear, Tier::encoder, Tier::fused, Tier::model})
      if (done.by_tier[static_cast<std::size_t>(tier)]) tiers[tier_name(tier)] = done.by_tier[static_cast<std::size_t>(tier)];
    const nlohmann::ordered_json j = {{"task", options.task}, {"lines", done.lines}, {"errors", done.errors}, {"abstained", done.abstained}, {"continued_from", done.continued_from},
                                      {"answered_by", tiers.is_null() ? nlohmann::ordered_json::object() : tiers}, {"seconds", done.seconds}, {"stopped", done.stopped}};
    fmt::print(stderr, "{}\n", j.dump());
    return;
  }
  std::string by;
  for (const Tier tier : {Tier::linear, Tier::encoder, Tier::fused, Tier::model})
    if (const auto count = done.by_tier[static_cast<std::size_t>(tier)]) by += fmt::format("{}{} {}", by.empty() ? "" : ", ", tier_name(tier), percent(static_cast<double>(count) / static_cast<double>(std::max<std::int64_t>(1, done.lines))));
  fmt::print(stderr, "{} {} ({} {}, {} {}; {}) · {:.2f} s · {:.0f} {}\n", done.lines, say("lines", "行"), done.errors, say("errors", "个错误"), done.abstained, say("abstained", "条弃答"), by, done.seconds,
             static_cast<double>(done.lines) / std::max(done.seconds, 1e-9), say("a second", "行/秒"));
  if (done.continued_from) fmt::print(stderr, "{} {}\n", say("continued behind line", "接续自第"), done.continued_from);
  if (done.stopped) fmt::print(stderr, "{}\n", say("stopped; the same command goes on from here", "已停止；重新运行同一命令即可接续"));
}

int run_label(const Common& common, const LabelOptions& options) {
  const auto tier = tier_from_name(options.tier);
  auto config = load_config(common.folder);
  if (!config.ok()) return report(config.error());
  insight::TaskLabeller catalogue({.folder = config->tasks(), .threads = options.threads}, nullptr);
  auto info = catalogue.task(options.task);
  if (!info.ok()) return report(info.error());
  auto models = models_for_task(*config, *info, *tier);
  if (!models.ok()) return report(models.error());
  insight::TaskLabeller labeller({.folder = config->tasks(), .threads = options.threads}, models->get());
  insight::LabelStreamSettings settings;
  settings.input = options.in;
  settings.output = options.out;
  settings.task = options.task;
  settings.task_version = fmt::format("{}/{}", info->data_sha256.substr(0, 16), info->trained_ms);
  settings.tenant = TenantId("default");
  settings.tier = *tier;
  settings.abstain_below = options.abstain;
  settings.evidence = options.evidence;
  settings.restart = options.restart;
  const bool dear = *tier != Tier::linear && models->get() != nullptr;
  settings.lines_at_once = options.in == "-" && options.out == "-" ? 256 : dear ? 1024 : 16384;
  Progress progress(fmt::format("{} {}", say("labelling", "打标签"), options.task));
  auto done = insight::label_stream(labeller, settings, [&](std::int64_t bytes, std::int64_t total, std::int64_t lines) {
    if (total > 0) progress.update(bytes, total, fmt::format("{} {}", lines, say("lines", "行")));
  }, stop_signal());
  progress.clear();
  if (!done.ok()) return report(done.error());
  print_label_report(*done, options, common.json);
  return done->stopped ? 1 : 0;
}

// ---- tasks

int run_tasks_list(const Common& common) {
  auto config = load_config(common.folder);
  if (!config.ok()) return report(config.error());
  auto tasks = insight::TaskLabeller({.folder = config->tasks()}, nullptr).tasks();
  if (!tasks.ok()) return report(tasks.error());
  for (auto& info : extraction_tasks(config->tasks())) tasks->push_back(std::move(info));
  if (common.json) {
    for (const auto& info : *tasks) fmt::print("{}\n", insight::task_info_to_json(info));
    return 0;
  }
  if (tasks->size() == 1) {   // that of the entities is always there
    fmt::print("{}\n", say("no task is trained yet: heng train --task NAME --kind label --in ROWS.jsonl", "还没有训练任务：heng train --task 名称 --kind label --in 数据.jsonl"));
    return 0;
  }
  std::vector<std::vector<std::string>> rows = {{say("task", "任务"), say("kind", "类型"), say("labels", "标签"), say("stages", "级"), say("rows", "行数"), say("accuracy", "准确率"), say("use", "用途")}};
  for (const auto& info : *tasks) {
    std::string tiers, accuracy = "–";
    for (const Tier tier : info.tiers) tiers += (tiers.empty() ? "" : ",") + std::string(tier_name(tier));
    for (const auto& [name, value] : info.metrics) {
      if (name == "accuracy") accuracy = fmt::format("{:.4f}", value);
      if (name == "holdout_role_f1" || (name == "tuning_role_f1" && accuracy == "–")) accuracy = fmt::format("F1 {:.4f}", value);
    }
    const std::string kind = info.kind == TaskKind::label && info.input != TaskInput::text ? fmt::format("label ({})", task_input_name(info.input)) : task_kind_name(info.kind);
    rows.push_back({info.name, kind, std::to_string(info.labels.size()), tiers, info.rows ? std::to_string(info.rows) : "–", accuracy, info.evaluation_only ? say("evaluation only", "仅供评测") : ""});
  }
  fmt::print("{}", table(rows, {2, 4, 5}));
  return 0;
}

void print_info(const TaskInfo& info) {
  fmt::print("{} · {}\n{}\n", bold(info.name), task_kind_name(info.kind), info.description);
  fmt::print("{}\n", wrap(text::join(info.labels, ", "), 96, "  "));
  if (!info.roles.empty()) fmt::print("{}\n", wrap(fmt::format("{}: {}", say("roles", "角色"), text::join(info.roles, ", ")), 96, "  "));
  for (const auto& [metric, value] : info.metrics) fmt::print("  {:<18} {:.4f}\n", metric, value);
}

int show_extraction(const Common& common, const TaskInfo& info) {
  if (common.json) {
    fmt::print("{}\n", insight::task_info_to_json(info));
    return 0;
  }
  print_info(info);
  if (info.rows) fmt::print("  {} {} · sha256 {}\n", info.rows, say("rows", "行"), info.data_sha256);
  return 0;
}

int run_tasks_show(const Common& common, const std::string& name) {
  auto config = load_config(common.folder);
  if (!config.ok()) return report(config.error());
  const insight::TaskLabeller labeller({.folder = config->tasks()}, nullptr);
  auto info = labeller.task(name);
  if (!info.ok())
    for (const auto& extraction : extraction_tasks(config->tasks()))
      if (extraction.name == name) return show_extraction(common, extraction);
  if (!info.ok()) return report(info.error());
  auto file = insight::read_task_file(labeller.path(name));
  if (!file.ok()) return report(file.error());
  const auto details = nlohmann::ordered_json::parse(file->details_json, nullptr, false);
  if (common.json) {
    auto j = nlohmann::ordered_json::parse(insight::task_info_to_json(*info));
    j["details"] = details;
    fmt::print("{}\n", j.dump());
    return 0;
  }
  print_info(*info);
  fmt::print("  {} {} · sha256 {} · {}\n", info->rows, say("rows", "行"), info->data_sha256, labeller.path(name).string());
  return 0;
}

struct AddOptions {
  std::string task, description;
  std::vector<std::string> labels;
  fs::path examples;
};

int run_tasks_add(const Common& common, const AddOptions& options) {
  auto config = load_config(common.folder);
  if (!config.ok()) return report(config.error());
  insight::DescribedTask task{.name = options.task, .description = options.description};
  std::vector<std::string> names;
  for (const auto& label : options.labels) {
    const auto equals = label.find('=');
    names.push_back(label.substr(0, equals));
    task.labels.emplace_back(names.back(), equals == std::string::npos ? "" : label.substr(equals + 1));
  }
  std::sort(names.begin(), names.end());
  std::optional<insight::LabelledData> examples;
  if (!options.examples.empty()) {
    auto rows = insight::read_labelled(options.examples, names);
    if (!rows.ok()) return report(rows.error());
    examples = std::move(*rows);
  }
  std::unique_ptr<Inference> inference;
  if (examples && examples->texts.size() > task.examples_most) {   // each text is shown the rows most like it
    auto models = open_models(*config, Models::embedding);
    if (!models.ok()) return report(models.error());
    inference = std::move(*models);
  }
  auto file = insight::describe_task(task, examples ? &*examples : nullptr, system_clock(), inference.get(), stop_signal());
  if (!file.ok()) return report(file.error());
  const fs::path path = config->tasks() / (options.task + ".task");
  if (auto written = insight::write_task_file(path, *file); !written.ok()) return report(written.error());
  if (common.json) fmt::print("{}\n", insight::task_info_to_json(file->info));
  else fmt::print("{} {} · {}\n", say("added", "已添加"), options.task, say("the chat model labels it; it was not measured on any data", "由对话模型打标签；尚未在任何数据上评测"));
  return 0;
}

}  // namespace

void add_insight(CLI::App& app, Common& common, Run& run) {
  auto* train = app.add_subcommand("train", "train a task from labelled rows; prints its report");
  auto t = std::make_shared<TrainOptions>();
  train->add_option("--task", t->task, "name: a-z, 0-9, -")->required();
  train->add_option("--kind", t->kind, "label: one label for a text; events: types, triggers and roles")->check(CLI::IsMember({"label", "events"}));
  train->add_option("--in", t->in, "JSON Lines {\"text\",\"label\"}, about an entity {\"text\",\"entity\",\"label\"}, about a pair {\"text\",\"head\",\"tail\",\"label\"}; for events {\"content\",\"events\":[{\"type\",\"mentions\":[{\"word\",\"span\",\"role\"}]}]}, several files are possible")->required()->check(CLI::ExistingFile);
  train->add_option("--holdout", t->holdout, "rows to measure on instead of cross-validation")->check(CLI::ExistingFile);
  train->add_option("--description", t->description, "what the task is for");
  train->add_flag("--linear-only", t->linear_only, "no encoder stage: trains in seconds, needs no model");
  train->add_flag("--model", t->model, "also the chat model by scoring, shown the rows most like a text; in the cascade only where it is better (takes minutes)");
  train->add_option("--model-rows", t->model_rows, "rows that the chat model is measured on")->check(CLI::Range(20, 100000));
  train->add_option("--embedding-model", t->embedding_models, "embedding models of the encoder stage (their vectors are joined; default: by language)");
  train->add_option("--folds", t->folds, "held-out folds for calibration")->check(CLI::Range(2, 20));
  train->add_option("--tolerance", t->tolerance, "points of accuracy the cascade may lose against its last stage")->check(CLI::Range(0.0, 100.0));
  train->add_option("--confidence", t->confidence, "confidence in that, percent")->check(CLI::Range(50.0, 99.99));
  train->add_option("--tune", t->tune, "minutes at most to train the encoder itself with its head (default 10); 0: only a head on its vectors, in seconds")->check(CLI::Range(0.0, 1440.0));
  train->add_option("--threads", t->threads, "default one per core")->check(CLI::Range(0, 256));
  train->add_option("--epochs", t->epochs, "times through the rows, for events and the tuned encoder (0: as set)")->check(CLI::Range(0, 1000));
  train->add_flag("--evaluation-only", t->evaluation_only, "mark the task: its data may be used to measure only");
  add_common(*train, common);
  train->callback([&common, &run, t] { run = [&common, t] { return run_train(common, *t); }; });

  auto* label = app.add_subcommand("label", "label texts with a trained task: JSON Lines in, JSON Lines out");
  auto l = std::make_shared<LabelOptions>();
  label->add_option("--task", l->task, "a trained task; see heng tasks list")->required();
  label->add_option("--in", l->in, "JSON Lines {\"id\",\"text\"}, with \"entity\", or \"head\" and \"tail\", where the task is about them; -: standard input")->required();
  label->add_option("--out", l->out, "one line for each line of input; -: standard output")->required();
  label->add_option("--tier", l->tier, "which stage answers")->check(CLI::IsMember({"auto", "linear", "encoder", "fused", "model"}));
  label->add_option("--abstain", l->abstain, "give no label below this probability")->check(CLI::Range(0.0, 1.0));
  label->add_flag("--evidence", l->evidence, "the spans that carried each decision");
  label->add_flag("--restart", l->restart, "begin anew where an earlier run was broken off");
  label->add_option("--threads", l->threads, "for the linear stage (default: one per core)")->check(CLI::Range(0, 256));
  add_common(*label, common);
  label->callback([&common, &run, l] { run = [&common, l] { return run_label(common, *l); }; });

  auto* tasks = app.add_subcommand("tasks", "the trained tasks");
  tasks->require_subcommand(1);
  auto* list = tasks->add_subcommand("list", "names, labels, stages, measured accuracy");
  add_common(*list, common);
  list->callback([&common, &run] { run = [&common] { return run_tasks_list(common); }; });
  auto* add = tasks->add_subcommand("add", "a task from a description: the chat model labels by it, without training");
  auto a = std::make_shared<AddOptions>();
  add->add_option("TASK", a->task, "name: a-z, 0-9, -")->required();
  add->add_option("--description", a->description, "what is asked of a text, in a sentence or two")->required();
  add->add_option("--label", a->labels, "a label, or LABEL=WORD where the model would say another word; give one for each")->required();
  add->add_option("--examples", a->examples, "labelled rows {\"text\",\"label\"}; of more than eight each text is shown those most like it")->check(CLI::ExistingFile);
  add_common(*add, common);
  add->callback([&common, &run, a] { run = [&common, a] { return run_tasks_add(common, *a); }; });
  auto* show = tasks->add_subcommand("show", "one task: labels, metrics, settings");
  auto name = std::make_shared<std::string>();
  show->add_option("TASK", *name, "name")->required();
  add_common(*show, common);
  show->callback([&common, &run, name] { run = [&common, name] { return run_tasks_show(common, *name); }; });
}

}  // namespace heng::app
