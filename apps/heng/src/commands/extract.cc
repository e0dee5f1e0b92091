// extract: events and entities of a file of texts.
#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "../assembly.h"
#include "../extractors.h"
#include "../options.h"
#include "../signals.h"
#include "../terminal.h"
#include "heng/api/extraction_json.h"
#include "heng/base/text.h"
#include "heng/insight/task_labeller.h"

namespace heng::app {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t lines_at_once = 512;

struct ExtractOptions {
  std::string task;
  fs::path in, out;
  int threads = 0;
  double minimum_confidence = 0;
  bool again = false;
};

struct Line {
  std::string id_json = "null";
  std::string text;
  std::string error;
};

Line parse_line(const std::string& raw) {
  Line out;
  if (!text::is_valid_utf8(raw)) {
    out.error = fmt::format("not UTF-8 from byte {} on", text::first_invalid_utf8(raw));
    return out;
  }
  const json value = json::parse(raw, nullptr, false);
  if (!value.is_object()) {
    out.error = "not a JSON object";
    return out;
  }
  if (const auto id = value.find("id"); id != value.end()) out.id_json = id->dump();
  const auto text = value.find(value.contains("content") ? "content" : "text");
  if (text == value.end() || !text->is_string()) out.error = "no \"content\" or \"text\"";
  else out.text = text->get<std::string>();
  return out;
}

/// Whole lines that the output has already, so that a run that was ended goes on there; a half line is cut off.
Result<std::int64_t> lines_done(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::int64_t{0};
  std::int64_t lines = 0, bytes = 0, whole = 0;
  std::vector<char> block(1U << 20U);
  while (file.read(block.data(), static_cast<std::streamsize>(block.size())) || file.gcount() > 0) {
    for (std::streamsize i = 0; i < file.gcount(); ++i) {
      ++bytes;
      if (block[static_cast<std::size_t>(i)] == '\n') ++lines, whole = bytes;
    }
  }
  if (whole != bytes) {
    std::error_code failed;
    fs::resize_file(path, static_cast<std::uintmax_t>(whole), failed);
    if (failed) return Error(ErrorCode::internal, fmt::format("{}: cannot be cut to its last whole line: {}", path.string(), failed.message()));
  }
  return lines;
}

struct Totals {
  std::int64_t lines = 0, errors = 0, found = 0;
};

Result<void> write_batch(Extractors& extractors, const ExtractOptions& options, bool entities, const std::vector<std::string>& raw, std::ofstream& out, Totals& run) {
  std::vector<Line> lines;
  ExtractRequest request;
  request.task = options.task;
  request.minimum_confidence = options.minimum_confidence;
  for (const auto& line : raw) {
    lines.push_back(parse_line(line));
    if (lines.back().error.empty()) request.items.push_back({"", lines.back().text});
  }
  const auto outcomes = HENG_TRY(extractors.extract(request, stop_signal()));
  std::string bytes;
  std::size_t next = 0;
  for (const Line& line : lines) {
    const Result<ExtractionResult> outcome = line.error.empty() ? outcomes[next++] : Result<ExtractionResult>(ErrorCode::malformed_input, line.error);
    ++run.lines;
    if (!outcome.ok()) ++run.errors;
    else run.found += static_cast<std::int64_t>(outcome->events.size() + outcome->entities.size());
    bytes += api::extraction_to_json(line.id_json, outcome, entities) + "\n";
  }
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  out.flush();
  if (!out) return Error(ErrorCode::storage_full, options.out.string() + ": cannot be written to; what is there is whole lines, run the same command again");
  return {};
}

Result<Totals> run_file(Extractors& extractors, const ExtractOptions& options, bool entities) {
  std::ifstream in(options.in, std::ios::binary);
  if (!in || fs::is_directory(options.in)) return Error(ErrorCode::not_found, options.in.string() + ": cannot be opened", "in");
  std::error_code none;
  if (fs::equivalent(options.in, options.out, none)) return Error(ErrorCode::invalid_argument, "--in and --out are the same file", "out");
  const auto total = static_cast<std::int64_t>(fs::file_size(options.in, none));
  if (options.again) fs::remove(options.out, none);
  const std::int64_t done = HENG_TRY(lines_done(options.out));
  std::ofstream out(options.out, std::ios::binary | std::ios::app);
  if (!out) return Error(ErrorCode::internal, options.out.string() + ": cannot be written", "out");
  if (done) fmt::print(stderr, "{} {} {}\n", say("going on behind", "接着已有的"), done, say("lines that are there (--again starts over)", "行继续（--again 重新开始）"));
  Progress progress(say("extracting", "抽取"));
  Totals run;
  std::vector<std::string> batch;
  std::string line;
  std::int64_t number = 0, bytes = 0;
  bool more = true;
  while (more) {
    more = static_cast<bool>(std::getline(in, line));
    if (more) {
      bytes += static_cast<std::int64_t>(line.size()) + 1;
      if (++number <= done) continue;
      if (line.ends_with('\r')) line.pop_back();
      batch.push_back(std::move(line));
    }
    if (batch.size() < lines_at_once && (more || batch.empty())) continue;
    if (stop_signal().stop_requested()) return Error(ErrorCode::cancelled, "stopped; the same command goes on from here");
    HENG_TRY(write_batch(extractors, options, entities, batch, out, run));
    batch.clear();
    progress.update(bytes, total);
  }
  progress.clear();
  if (number < done) return Error(ErrorCode::conflict, fmt::format("{} has {} lines, {} only {}: it is the output of another input; use --again", options.out.string(), done, options.in.string(), number));
  return run;
}

int run_extract(const Common& common, const ExtractOptions& options) {
  auto config = load_config(common.folder);
  if (!config.ok()) return report(config.error());
  const int threads = options.threads > 0 ? options.threads : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  // a labelling task about entities needs its heads, and perhaps a model
  const insight::TaskLabeller catalogue({.folder = config->tasks()}, nullptr);
  std::unique_ptr<Inference> inference;
  if (const auto info = catalogue.task(options.task); info.ok() && info->input == TaskInput::entity) {
    auto models = models_for_task(*config, *info, Tier::automatic);
    if (!models.ok()) return report(models.error());
    inference = std::move(*models);
  }
  insight::TaskLabeller labeller({.folder = config->tasks(), .threads = threads}, inference.get());
  Extractors extractors(config->tasks(), config->folder / "companies.csv", threads, &labeller, &labeller);
  const auto start = std::chrono::steady_clock::now();
  // a task that is not there or broken is said before any line is read
  if (auto tried = extractors.extract({.tenant = {}, .task = options.task, .items = {}}, {}); !tried.ok()) return report(tried.error());
  auto run = run_file(extractors, options, options.task == entities_task || extractors.finds_entities(options.task));
  if (!run.ok()) return report(run.error());
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const double speed = seconds > 0 ? static_cast<double>(run->lines) / seconds : 0;
  if (common.json) {
    fmt::print("{}\n", json({{"task", options.task}, {"lines", run->lines}, {"errors", run->errors}, {"found", run->found}, {"seconds", seconds}, {"lines_per_second", speed}}).dump());
  } else {
    fmt::print(stderr, "{} {} · {} {} · {} {} · {:.0f} {}\n", run->lines, say("lines", "行"), run->found, say("found", "项"), run->errors, say("bad lines", "行有误"), speed, say("lines a second", "行/秒"));
  }
  return 0;
}

}  // namespace

void add_extract(CLI::App& app, Common& common, Run& run) {
  auto* verb = app.add_subcommand("extract", "events with their triggers and roles, or entities, of a file of texts; an interrupted run goes on when repeated");
  auto options = std::make_shared<ExtractOptions>();
  verb->add_option("--task", options->task, "a task that `heng train --kind events` made, `entities` (companies, codes, people, amounts, dates, rates), or a labelling task about entities (each company with its label)")->required();
  verb->add_option("--in", options->in, "JSON Lines: {\"id\", \"content\"} or {\"id\", \"text\"}")->required();
  verb->add_option("--out", options->out, "JSON Lines: {\"id\", \"events\"} or {\"id\", \"entities\"}, one for each line, {\"id\", \"error\"} for a bad one")->required();
  verb->add_option("--threads", options->threads, "default: as many as the machine has cores")->check(CLI::Range(0, 256));
  verb->add_option("--minimum-confidence", options->minimum_confidence, "leave out events that are less sure (0 to 1)")->check(CLI::Range(0.0, 1.0));
  verb->add_flag("--again", options->again, "do not go on from an earlier run, start over");
  add_common(*verb, common);
  verb->callback([&common, &run, options] { run = [&common, options] { return run_extract(common, *options); }; });
}

}  // namespace heng::app
