// guard: looks at texts as the flow does, from files.
#include <fmt/format.h>

#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "../assembly.h"
#include "../guarding.h"
#include "../options.h"
#include "../question_vectors.h"
#include "../signals.h"
#include "../terminal.h"
#include "heng/api/json.h"
#include "heng/base/text.h"
#include "heng/guard_flow/gateway.h"
#include "heng/guard_label/label.h"

namespace heng::app {
namespace {

using Json = nlohmann::ordered_json;

struct ScanOptions {
  std::filesystem::path in, out, policy;
  std::string channel = "record";
  bool no_names = false, no_encoder = false;
};

/// The embedding model for the detector's second stage, where one is to be found; else n-grams judge alone.
std::unique_ptr<Inference> embedding_models(const std::filesystem::path& folder) {
  Config config;
  if (auto own = load_config(folder); own.ok()) config = std::move(*own);
  else config.model_folders = usual_model_folders();
  auto models = open_models(config, Models::embedding);
  return models.ok() ? std::move(*models) : nullptr;
}

std::string text_of(const std::string& line) {
  const Json row = Json::parse(line, nullptr, false);
  return row.is_object() && row.contains("text") && row["text"].is_string() ? row["text"].get<std::string>() : std::string();
}

std::string failed_line(const Json& id, const std::string& reason) { return Json({{"id", id}, {"error", reason}}).dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string scan_line(const guard_flow::Gateway& gateway, guard_flow::Direction direction, const std::string& line) {
  const Json row = Json::parse(line, nullptr, false);
  if (row.is_discarded() || !row.is_object()) return failed_line(nullptr, "not a JSON object");
  const Json id = row.contains("id") ? row["id"] : Json(nullptr);
  if (!row.contains("text") || !row["text"].is_string()) return failed_line(id, "no text in \"text\"");
  auto verdict = gateway.look({}, row["text"].get<std::string>(), direction);
  if (!verdict.ok()) return failed_line(id, verdict.error().message);
  Json out = {{"id", id}};
  out.update(Json::parse(api::to_json(*verdict)));
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

int run_scan(const Common& common, const ScanOptions& options) {
  BatchVectors vectors(options.no_encoder ? nullptr : embedding_models(common.folder));
  auto gateway = make_gateway(common.folder, options.policy, !options.no_names, vectors.embed());
  if (!gateway.ok()) return report(gateway.error());
  std::ifstream in(options.in, std::ios::binary);
  if (!in) return report(Error(ErrorCode::not_found, "cannot read " + options.in.string()));
  std::ofstream out(options.out, std::ios::binary);
  if (!out) return report(Error(ErrorCode::invalid_argument, "cannot write " + options.out.string()));
  const auto direction = options.channel == "answer"   ? guard_flow::Direction::answer
                         : options.channel == "prompt" ? guard_flow::Direction::prompt
                                                       : guard_flow::Direction::record;
  std::error_code ignored;
  const auto total = static_cast<std::int64_t>(std::filesystem::file_size(options.in, ignored));
  Progress progress(say("scanned", "已扫描"));
  std::int64_t lines = 0, bytes = 0, bad = 0;
  constexpr std::size_t lines_at_once = 64, most_text_bytes = 600;  // as long as one chunk of the detector
  std::vector<std::string> batch;
  const auto flush = [&]() -> Result<void> {
    std::vector<std::string> texts;
    for (const auto& line : batch)
      if (auto text = text_of(line); !text.empty() && text.size() <= most_text_bytes && text::is_valid_utf8(text)) texts.push_back(std::move(text));
    HENG_TRY(vectors.prepare(texts));
    for (const auto& line : batch) {
      const auto result = scan_line(**gateway, direction, line);
      bad += result.find("\"error\":") != std::string::npos && result.find("\"verdict\":") == std::string::npos;
      out << result << '\n';
      ++lines;
    }
    batch.clear();
    progress.update(bytes, total);
    return {};
  };
  for (std::string line; std::getline(in, line) && !stop_signal().stop_requested();) {
    bytes += static_cast<std::int64_t>(line.size()) + 1;
    if (text::trim(line).empty()) continue;
    batch.push_back(std::move(line));
    if (batch.size() < lines_at_once) continue;
    if (auto done = flush(); !done.ok()) return report(done.error());
  }
  if (auto done = flush(); !done.ok()) return report(done.error());
  progress.clear();
  out.flush();
  if (!out) return report(Error(ErrorCode::storage_full, "cannot write " + options.out.string() + ": is the disk full?"));
  fmt::print("{}\n", say(fmt::format("{} lines scanned, {} of them bad; written to {}", lines, bad, options.out.string()).c_str(),
                         fmt::format("已扫描 {} 行，其中 {} 行有误；结果在 {}", lines, bad, options.out.string()).c_str()));
  return 0;
}

/// Whether exports still carry both labels of generated content.
int run_labels(const Common& common, const std::vector<std::filesystem::path>& files) {
  bool all = true;
  for (const auto& file : files) {
    std::ifstream in(file, std::ios::binary);
    if (!in) return report(Error(ErrorCode::not_found, "cannot read " + file.string()));
    std::ostringstream bytes;
    bytes << in.rdbuf();
    const auto check = guard_label::check_labels(bytes.str());
    all = all && check.complete();
    if (common.json) {
      fmt::print("{}\n", Json({{"file", file.string()}, {"visible", check.visible}, {"metadata", check.metadata}, {"provider", check.provider}, {"content_id", check.content_id}}).dump());
      continue;
    }
    fmt::print("{} {}: {}{}{}\n", check.complete() ? "✓" : "✗", file.string(), check.visible ? say("visible label", "有显式标识") : say("NO VISIBLE LABEL", "缺少显式标识"), " · ",
               check.metadata ? fmt::format("{} {} {}", say("metadata of", "元数据标识："), check.provider, check.content_id) : say("NO METADATA", "缺少元数据标识"));
  }
  return all ? 0 : 1;
}

}  // namespace

void add_guard(CLI::App& app, Common& common, Run& run) {
  auto* verb = app.add_subcommand("guard", "find personal data, secrets, attacks and forbidden promises in texts");
  verb->require_subcommand(1);
  auto* scan = verb->add_subcommand("scan", "JSON Lines {\"id\",\"text\"} in, verdict, masked text and findings out");
  auto options = std::make_shared<ScanOptions>();
  scan->add_option("--in", options->in, "JSON Lines with \"id\" and \"text\"")->required();
  scan->add_option("--out", options->out, "one line for each line in")->required();
  scan->add_option("--policy", options->policy, "personal-data policy (TOML) instead of the one in force");
  scan->add_option("--channel", options->channel, "what the texts are for: record (default), prompt, answer")->check(CLI::IsMember({"record", "prompt", "answer"}));
  scan->add_flag("--no-encoder", options->no_encoder, "judge attacks by n-grams alone: a thousand times faster, finds fewer");
  scan->add_flag("--no-names", options->no_names, "rules only, without the tagger for names and addresses");
  add_common(*scan, common, false);
  scan->callback([&common, &run, options] { run = [&common, options] { return run_scan(common, *options); }; });
  auto* labels = verb->add_subcommand("labels", "check that exports still carry the visible label and the metadata of generated content; exit code 1 where one does not");
  auto files = std::make_shared<std::vector<std::filesystem::path>>();
  labels->add_option("FILE", *files, "JSON, JSON Lines, HTML or text")->required();
  add_common(*labels, common);
  labels->callback([&common, &run, files] { run = [&common, files] { return run_labels(common, *files); }; });
}

}  // namespace heng::app
