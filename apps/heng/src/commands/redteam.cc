// redteam: attacks the running system and says how often it succeeds.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "../assembly.h"
#include "../options.h"
#include "../redteam_target.h"
#include "../signals.h"
#include "../terminal.h"
#include "heng/base/clock.h"
#include "heng/base/text.h"
#include "heng/guard_flow/gateway.h"
#include "heng/redteam/memorisation.h"
#include "heng/redteam/report.h"

namespace heng::app {
namespace {

namespace fs = std::filesystem;

struct RedteamOptions {
  redteam::CampaignSettings campaign;
  std::vector<std::string> families;
  bool fast = false, no_gate = false, no_memorisation = false;
  HttpAttack http;
  std::string key_env = "HENG_KEY", other_key_env = "HENG_OTHER_KEY";
  fs::path html, out, canaries;
  std::vector<fs::path> texts;
  int candidates = 256, prefixes = 20;
};

Result<std::string> read_file(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return Error(ErrorCode::not_found, "cannot read " + file.string());
  std::ostringstream out;
  out << in.rdbuf();
  if (!text::is_valid_utf8(out.str())) return Error(ErrorCode::malformed_input, file.string() + " is not UTF-8 text");
  return out.str();
}

std::string key_of(const std::string& given, const std::string& variable) {
  if (!given.empty()) return given;
  const char* value = std::getenv(variable.c_str());
  return value ? value : "";
}

constexpr const char* memorisation = "memorisation";

/// Asked for by name, or with everything else.
bool wants_memorisation(const RedteamOptions& options) {
  const bool named = std::find(options.families.begin(), options.families.end(), memorisation) != options.families.end();
  return !options.no_memorisation && !options.fast && options.http.url.empty() && (options.families.empty() || named);
}

Result<redteam::MemorisationSettings> memorisation_settings(const RedteamOptions& options) {
  redteam::MemorisationSettings out;
  out.model = options.http.model;
  out.tenant = TenantId("default");
  out.candidates = options.candidates;
  out.prefixes = options.prefixes;
  out.seed = options.campaign.seed;
  if (!options.canaries.empty()) {
    const auto text = HENG_TRY(read_file(options.canaries));
    out.canaries = HENG_TRY(redteam::read_canaries(text, options.canaries.string()));
  }
  for (const auto& file : options.texts) out.texts.push_back(HENG_TRY(read_file(file)));
  return out;
}

Result<redteam::Report> over_http(const RedteamOptions& options, const redteam::Told& told) {
  HttpAttack http = options.http;
  http.key = key_of(http.key, options.key_env);
  http.other_key = key_of(http.other_key, options.other_key_env);
  if (http.key.empty()) return Error(ErrorCode::invalid_argument, fmt::format("an administrator's key is needed: --key or the environment variable {}", options.key_env), "key");
  const auto target = HENG_TRY(http_target(http));
  auto out = HENG_TRY(redteam::attack(options.campaign, target.get(), {}, told, stop_signal()));
  out.not_run.push_back({"memorisation", "a server gives no log-probabilities of texts: run it with --dir beside the model"});
  return out;
}

Result<redteam::Report> in_process(const Common& common, const RedteamOptions& options, const redteam::Told& told) {
  const auto trained = HENG_TRY(memorisation_settings(options));
  auto assembly = HENG_TRY(open_assembly(common.folder, options.fast ? Models::none : Models::all));
  redteam::HijackedModel hijacked;
  const auto worst_case = HENG_TRY(hijacked_target(*assembly, hijacked));
  redteam::Probes probes{&hijacked, worst_case.get(), &assembly->tool_gate(), [&](const std::string& text) -> Result<double> {
                           return HENG_TRY(assembly->guard().scan({}, text)).injection_score;
                         }, assembly->gateway().injection_threshold()};
  std::unique_ptr<redteam::Target> target;
  if (!options.fast) target = HENG_TRY(assembly_target(*assembly, options.http.model));
  redteam::Report out;
  if (options.families == std::vector<std::string>{memorisation}) {
    out.settings = options.campaign;
    out.target = target ? target->name() : "in process";
    out.started = iso8601(system_clock().unix_ms());
  } else {
    out = HENG_TRY(redteam::attack(options.campaign, target.get(), probes, told, stop_signal()));
  }
  if (!wants_memorisation(options)) {
    out.not_run.push_back({"memorisation", options.fast ? "needs a model" : "not asked for"});
    redteam::judge(out);
    return out;
  }
  std::int64_t calls = 0;
  out.memorisation = HENG_TRY(redteam::measure_memorisation(assembly->inference(), trained, options.campaign.budget, calls, told, stop_signal()));
  out.model_calls += calls;
  if (trained.canaries.empty()) out.not_run.push_back({"exposure of planted canaries", "none were given with --canaries; the control alone says nothing about a tune"});
  if (trained.texts.empty()) out.not_run.push_back({"extraction of training texts", "none were given with --texts; the control alone says nothing about a tune"});
  redteam::judge(out);
  return out;
}

Result<void> write_file(const fs::path& file, const std::string& bytes) {
  if (file.empty()) return {};
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << bytes;
  if (!out.flush()) return Error(ErrorCode::storage_full, "cannot write " + file.string());
  return {};
}

int run_redteam(const Common& common, RedteamOptions options) {
  for (const auto& name : options.families) {
    if (name == memorisation) continue;
    auto family = redteam::family_named(name);
    if (!family.ok()) return report(family.error());
    options.campaign.families.push_back(*family);
  }
  Progress progress(say("red team", "红队"));
  const redteam::Told told = [&](std::int64_t done, std::int64_t total, std::string_view what) { progress.update(done, total, what); };
  auto made = options.http.url.empty() ? in_process(common, options, told) : over_http(options, told);
  progress.clear();
  if (!made.ok()) return report(made.error());
  const auto wording = speaks_chinese() ? redteam::Wording::chinese : redteam::Wording::english;
  const std::string json = redteam::to_json(*made);
  if (auto written = write_file(options.out, json + "\n"); !written.ok()) return report(written.error());
  if (auto written = write_file(options.html, redteam::html(*made, wording)); !written.ok()) return report(written.error());
  if (common.json) fmt::print("{}\n", json);
  else fmt::print("{}", redteam::plain(*made, wording));
  return made->passed || options.no_gate ? 0 : 1;
}

}  // namespace

void add_redteam(CLI::App& app, Common& common, Run& run) {
  auto* verb = app.add_subcommand("redteam", "attack the running system: injection, jailbreaks, leaks, other tenants, tools, memorisation");
  auto options = std::make_shared<RedteamOptions>();
  verb->add_option("--url", options->http.url, "attack a running server over HTTP instead of --dir in this process");
  verb->add_option("--key", options->http.key, "administrator's key for --url (default: $HENG_KEY)");
  verb->add_option("--other-key", options->http.other_key, "key of another tenant for --url (default: $HENG_OTHER_KEY); without one, tenants are not tried");
  verb->add_option("--ca-file", options->http.ca_file, "authorities to trust for --url (PEM)");
  verb->add_option("--model", options->http.model, "chat model (default: the system's)");
  verb->add_flag("--fast", options->fast, "without a model, in seconds: guards, egress and tools behind a hijacked model, strangers at the knowledge base");
  verb->add_option("--families", options->families, "only these, for example prompt_leak,egress,memorisation")->delimiter(',');
  verb->add_option("--budget", options->campaign.budget, "most calls of the model for the attacks (and as many for memorisation)")->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000}));
  verb->add_option("--probes", options->campaign.probes, "tries of each family that needs no model")->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000}));
  verb->add_option("--seed", options->campaign.seed, "the same seed attacks alike");
  verb->add_option("--gate", options->campaign.gate, "largest share of successes of a family")->check(CLI::Range(0.0, 1.0));
  verb->add_flag("--gate-upper", options->campaign.gate_on_upper_bound, "compare the share's upper bound (Clopper-Pearson 95 %) instead");
  verb->add_flag("--no-gate", options->no_gate, "exit 0 although the gate fails");
  verb->add_option("--canaries", options->canaries, "canaries that were planted in training data: JSON Lines {\"prefix\",\"secret\",\"name\"}");
  verb->add_option("--texts", options->texts, "training texts whose continuation is asked for (UTF-8 files)");
  verb->add_option("--candidates", options->candidates, "secrets ranked for each canary")->check(CLI::Range(2, 4096));
  verb->add_option("--prefixes", options->prefixes, "continuations asked for")->check(CLI::Range(1, 100'000));
  verb->add_flag("--no-memorisation", options->no_memorisation, "leave memorisation out");
  verb->add_option("--html", options->html, "write a page with every success");
  verb->add_option("--out", options->out, "write the JSON report");
  verb->footer("Exit code 1 where the gate fails. Documents are planted in a knowledge base of its own, which is deleted at the end.");
  add_common(*verb, common);
  verb->callback([&common, &run, options] {
    if (options->fast && !options->http.url.empty()) throw CLI::ExcludesError("--fast", "--url");
    run = [&common, options] { return run_redteam(common, *options); };
  });
}

}  // namespace heng::app
