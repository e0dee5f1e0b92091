// eval: what search and the evidence check make of a set of questions, without asking the model.
#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "../assembly.h"
#include "../options.h"
#include "../signals.h"
#include "../terminal.h"

namespace heng::app {
namespace {

using Json = nlohmann::json;

struct EvalOptions {
  std::filesystem::path in;
  std::string kb;
  int k = 6;
};

std::string evidence_line(Assembly& assembly, const EvalOptions& options, const std::string& line) {
  const Json row = Json::parse(line, nullptr, false);
  if (!row.is_object() || !row.contains("question") || !row["question"].is_string())
    return Json({{"error", "not a JSON object with a text \"question\""}}).dump();
  SearchQuery query{.principal = assembly.local_principal(), .kb = KbName(row.value("kb", options.kb)), .text = row["question"], .k = options.k};
  if (!options.kb.empty()) query.kb = KbName(options.kb);
  Json out = {{"id", row.contains("id") ? row["id"] : Json(nullptr)}, {"question", query.text}};
  auto found = assembly.knowledge().search(query, stop_signal());
  if (!found.ok()) {
    out["error"] = found.error().message;
    return out.dump();
  }
  const auto evidence = assembly.verifier().evidence(query.text, *found);
  out["strength"] = evidence.strength;
  out["missing"] = evidence.missing;
  out["top"] = Json::array();
  for (const auto& passage : *found) out["top"].push_back({{"doc", passage.document_path}, {"page", passage.page}, {"heading", passage.heading}});
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

int run_evidence(const Common& common, const EvalOptions& options) {
  std::ifstream in(options.in);
  if (!in) return report(Error(ErrorCode::not_found, "cannot read " + options.in.string()));
  auto assembly = open_assembly(common.folder, Models::embedding);
  if (!assembly.ok()) return report(assembly.error());
  for (std::string line; std::getline(in, line) && !stop_signal().stop_requested();) fmt::print("{}\n", evidence_line(**assembly, options, line));
  return 0;
}

}  // namespace

void add_eval(CLI::App& app, Common& common, Run& run) {
  auto* verb = app.add_subcommand("eval", "measure the system on your own questions");
  verb->require_subcommand(1);
  auto* evidence = verb->add_subcommand("evidence", "search and weigh the evidence for each question, without the model: one JSON line each");
  auto options = std::make_shared<EvalOptions>();
  evidence->add_option("--in", options->in, "JSON Lines with a field \"question\" (and \"kb\")")->required();
  evidence->add_option("--kb", options->kb, "knowledge base (default: each line's)");
  evidence->add_option("-k", options->k, "passages")->check(CLI::Range(1, 50));
  add_common(*evidence, common, false);
  evidence->callback([&common, &run, options] { run = [&common, options] { return run_evidence(common, *options); }; });
}

}  // namespace heng::app
