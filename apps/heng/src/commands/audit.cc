// audit: the ledger on the command line.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "../assembly.h"
#include "../options.h"
#include "../signals.h"
#include "../terminal.h"
#include "heng/audit/reader.h"
#include "heng/audit/record.h"
#include "heng/audit/witness.h"
#include "heng/explain/explain.h"
#include "heng/guard_label/label.h"
#include "heng/store/files.h"
#include "heng/store/keys.h"
#include "heng/base/text.h"

namespace heng::app {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

/// Probabilities of the same tokens may differ by this much between batch shapes (llama.cpp's kernels differ by shape).
constexpr double replay_tolerance = 0.05;

struct AuditOptions {
  std::int64_t index = 0, first = 0, last = -1, before = -1;
  int limit = 20;
  fs::path checkpoint, out;
  bool html = false;
  fs::path ledger, log_key, witness_key, state, worm;
  std::string witness_name = "witness.local";
};

std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

/// At most `bytes` bytes, whole characters.
std::string clip(const std::string& text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  return text.substr(0, text::complete_utf8_prefix(std::string_view(text).substr(0, bytes))) + "…";
}

/// The request part of a line of tail(), wherever the record kind keeps it.
const Json& part(const Json& line, const char* name) {
  static const Json nothing = Json::object();
  if (line.contains(name) && line[name].is_object()) return line[name];
  if (line.contains("record") && line["record"].contains(name)) return line["record"][name];
  return nothing;
}

int run_tail(const Common& common, const AuditOptions& options) {
  auto assembly = open_assembly(common.folder, Models::none);
  if (!assembly.ok()) return report(assembly.error());
  auto lines = (*assembly)->ledger_reader().tail(options.limit, options.before);
  if (!lines.ok()) return report(lines.error());
  std::reverse(lines->begin(), lines->end());
  if (common.json) {
    for (const auto& line : *lines) fmt::print("{}\n", line);
    return 0;
  }
  std::vector<std::vector<std::string>> rows = {{"n", say("time (UTC)", "时间 (UTC)"), say("kind", "类型"), say("who", "何人"), say("action", "动作"), say("outcome", "结果"), say("what", "内容")}};
  for (const auto& text : *lines) {
    const Json line = Json::parse(text, nullptr, false);
    if (!line.is_object()) continue;
    const Json &open = part(line, "opened"), &close = part(line, "closed");
    std::string who;
    if (open.contains("principal")) who = open["principal"].value("user", "");
    std::string what = one_line(open.value("subject", close.value("output", std::string())));
    rows.push_back({std::to_string(line.value("index", std::int64_t{0})), line.value("time", "").substr(0, 19), line.value("kind", ""), who, open.value("action", ""), close.value("outcome", ""),
                    clip(what, 60)});
  }
  fmt::print("{}", table(rows, {0}));
  return 0;
}

int run_show(const Common& common, const AuditOptions& options) {
  auto assembly = open_assembly(common.folder, Models::none);
  if (!assembly.ok()) return report(assembly.error());
  auto text = (*assembly)->ledger_reader().get(options.index);
  if (!text.ok()) return report(text.error());
  fmt::print("{}\n", common.json ? *text : Json::parse(*text).dump(2));
  return 0;
}

int run_verify(const Common& common, const AuditOptions& options) {
  auto assembly = open_assembly(common.folder, Models::none);
  if (!assembly.ok()) return report(assembly.error());
  audit::VerifyOptions verify;
  if (!options.checkpoint.empty()) {
    std::ifstream in(options.checkpoint, std::ios::binary);
    verify.old_checkpoint.assign(std::istreambuf_iterator<char>(in), {});
    if (!in.good() && verify.old_checkpoint.empty()) return report(Error(ErrorCode::not_found, "cannot read " + options.checkpoint.string()));
  }
  Progress progress(say("verify", "核验"));
  verify.progress = [&](std::uint64_t done, std::uint64_t of) {
    if (of > 5000) progress.update(static_cast<std::int64_t>(done), static_cast<std::int64_t>(of));
  };
  auto result = (*assembly)->ledger_reader().verify(verify);
  progress.clear();
  if (!result.ok()) return report(result.error());
  const audit::VerifyReport& r = *result;
  if (common.json) {
    Json problems = Json::array();
    for (const auto& p : r.problems) problems.push_back({{"index", p.index ? Json(*p.index) : Json(nullptr)}, {"message", p.message}});
    fmt::print("{}\n", Json({{"records", r.size}, {"erased", r.erased}, {"root", r.root_hex}, {"problems", problems}, {"problem_count", r.problem_count}}).dump());
  } else {
    for (const auto& p : r.problems) fmt::print("  {}{}\n", p.index ? fmt::format("{} {}: ", say("record", "记录"), *p.index) : "", p.message);
    if (r.problem_count == 0) {
      fmt::print("{} {} {}{}\n  root {}\n  key  {}\n", say("the ledger holds:", "账本完好："), r.size, say("records", "条记录"),
                 r.erased ? fmt::format(", {} {}", r.erased, say("erased", "条已抹除")) : "", r.root_hex, (*assembly)->ledger_reader().verifier_key());
    } else {
      fmt::print("{} {}\n", r.problem_count, say("problems found: the ledger was changed or damaged", "处异常：账本被改动或损坏"));
    }
  }
  return r.problem_count ? 1 : 0;
}

int run_prove(const Common& common, const AuditOptions& options) {
  auto assembly = open_assembly(common.folder, Models::none);
  if (!assembly.ok()) return report(assembly.error());
  auto proof = (*assembly)->ledger_reader().prove(static_cast<std::uint64_t>(options.index));
  if (!proof.ok()) return report(proof.error());
  fmt::print("{}\n", common.json ? *proof : Json::parse(*proof).dump(2));
  return 0;
}

/// An exported record that shows generated text carries the labels of it.
std::string labelled(const std::string& line, const std::string& provider) {
  if (line.find("\"model_sha256\"") == std::string::npos) return line;
  auto json = nlohmann::ordered_json::parse(line, nullptr, false);
  if (!json.is_object() || !json.contains("record") || !json["record"].is_object() || !json["record"].contains("close")) return line;
  const auto& close = json["record"]["close"];
  const std::string output = close.value("output", "");
  if (output.empty() || (close.value("model", "").empty() && close.value("outcome", "") != "ok" && close.value("outcome", "") != "abstained")) return line;
  const std::string id = fmt::format("record-{}", json.value("opened_index", json.value("index", std::int64_t{0})));
  json["ai_label"] = {{"text", std::string(guard_label::visible_label(text::language_of(output) == text::Language::chinese))},
                      {"AIGC", nlohmann::ordered_json::parse(guard_label::metadata_value({provider, id}))}};
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

int run_export(const Common& common, const AuditOptions& options) {
  auto assembly = open_assembly(common.folder, Models::none);
  if (!assembly.ok()) return report(assembly.error());
  audit::LedgerReader& reader = (*assembly)->ledger_reader();
  auto size = reader.size();
  if (!size.ok()) return report(size.error());
  const std::uint64_t last = options.last < 0 ? *size : std::min<std::uint64_t>(*size, static_cast<std::uint64_t>(options.last));
  std::ofstream file;
  if (!options.out.empty()) {
    file.open(options.out, std::ios::binary | std::ios::trunc);
    if (!file) return report(Error(ErrorCode::internal, "cannot write " + options.out.string()));
  }
  auto done = reader.export_lines(static_cast<std::uint64_t>(options.first), last, [&](const std::string& written) {
    const std::string line = labelled(written, (*assembly)->provider());
    if (file.is_open()) {
      file << line << '\n';
      return file.good();
    }
    return std::fputs((line + "\n").c_str(), stdout) >= 0;
  });
  if (!done.ok()) return report(done.error());
  if (file.is_open() && !file.flush()) return report(Error(ErrorCode::storage_full, "cannot write all of " + options.out.string()));
  return 0;
}

/// Whoever holds the master key reads records of every tenant, so the page is made for the record's own tenant.
Result<std::string> explanation(Assembly& assembly, std::int64_t index) {
  Principal who = assembly.local_principal();
  const Json record = Json::parse(HENG_TRY(assembly.ledger_reader().get(index)), nullptr, false);
  if (record.is_object()) who.tenant = TenantId(record.value("tenant", who.tenant.value));
  who.clearance = DataClass::c3;
  return explain::explain({assembly.audit_reader(), &assembly.knowledge(), &assembly.reviews(), &assembly.feedback(), HENG_VERSION, assembly.provider()}, who, index);
}

int run_explain(const Common& common, const AuditOptions& options) {
  auto assembly = open_assembly(common.folder, Models::none);
  if (!assembly.ok()) return report(assembly.error());
  auto page = explanation(**assembly, options.index);
  if (!page.ok()) return report(page.error());
  const auto wording = speaks_chinese() ? explain::Wording::chinese : explain::Wording::english;
  const std::string text = common.json ? *page + "\n" : options.html ? explain::html(*page, wording) : explain::plain(*page, wording);
  if (options.out.empty()) {
    fmt::print("{}", text);
    return 0;
  }
  std::ofstream file(options.out, std::ios::binary | std::ios::trunc);
  file << text;
  if (!file.flush()) return report(Error(ErrorCode::storage_full, "cannot write " + options.out.string()));
  return 0;
}

/// Needs no heng.toml and no master key: meant for another person's machine.
int run_witness(const Common& common, const AuditOptions& options) {
  if (!fs::exists(options.witness_key)) {
    auto made = store::write_master_key(options.witness_key, store::SecretKey::random());
    if (!made.ok()) return report(made.error());
  }
  auto seed = store::load_master_key({.file = options.witness_key, .environment = ""});
  if (!seed.ok()) return report(seed.error());
  auto signer = tlog::WitnessSigner::create(options.witness_name, seed->bytes());
  if (!signer.ok()) return report(signer.error());
  auto text = store::read_whole_file(options.log_key.empty() ? options.ledger / "vkey" : options.log_key, 4096);
  if (!text.ok()) return report(text.error());
  auto log = tlog::VerifierKey::parse(text::trim(*text));
  if (!log.ok()) return report(log.error());
  auto seen = audit::witness(options.ledger, *log, *signer, options.state, options.worm);
  if (!seen.ok()) return report(seen.error());
  if (common.json) {
    fmt::print("{}\n", Json({{"size", seen->size}, {"seen_size", seen->seen_size}, {"exported", seen->exported.string()}, {"witness_key", signer->key().text()}}).dump());
  } else {
    fmt::print("{} {} → {}: {}\n  {}\n", say("cosigned; records", "已联署；记录数"), seen->seen_size, seen->size, seen->exported.string(), dim(signer->key().text()));
  }
  return 0;
}

int run_replay(const Common& common, const AuditOptions& options) {
  auto assembly = open_assembly(common.folder, Models::all);
  if (!assembly.ok()) return report(assembly.error());
  auto record = (*assembly)->ledger_reader().replayable(static_cast<std::uint64_t>(options.index));
  if (!record.ok()) return report(record.error());
  auto replayed = (*assembly)->inference().replay({.model = record->model, .prompt_tokens = record->prompt_tokens, .output_tokens = record->output_tokens}, stop_signal());
  if (!replayed.ok()) return report(replayed.error());
  if (replayed->model_sha256 != record->model_sha256)
    return report(Error(ErrorCode::conflict, fmt::format("the record was made by weights {}, {} is now {}: another file", record->model_sha256, record->model, replayed->model_sha256)));
  double largest = 0;
  const std::size_t count = std::min(record->logprobs.size(), replayed->logprobs.size());
  for (std::size_t i = 0; i < count; ++i) largest = std::max(largest, std::fabs(std::exp(record->logprobs[i]) - std::exp(replayed->logprobs[i])));
  const bool within = count == record->output_tokens.size() && largest <= replay_tolerance;
  if (common.json) {
    fmt::print("{}\n", Json({{"index", options.index}, {"model", record->model}, {"model_sha256", record->model_sha256}, {"prompt_tokens", record->prompt_tokens.size()},
                             {"tokens", count}, {"largest_difference", largest}, {"tolerance", replay_tolerance}, {"within_tolerance", within}}).dump());
  } else {
    fmt::print("{} {}: {} {} · {} {:.2e} ({} {}) · {}\n", say("record", "记录"), options.index, count, say("tokens forced through the recorded weights", "个词元按记录的权重重放"),
               say("largest difference in probability", "概率最大差"), largest, say("tolerance", "容差"), replay_tolerance, within ? say("same", "一致") : say("DIFFERENT", "不一致"));
  }
  return within ? 0 : 1;
}

}  // namespace

void add_audit(CLI::App& app, Common& common, Run& run) {
  auto* verb = app.add_subcommand("audit", "look into the ledger, verify it, prove, export or replay a record");
  verb->require_subcommand(1);
  auto options = std::make_shared<AuditOptions>();
  auto add = [&, options](const char* name, const char* help, int (*function)(const Common&, const AuditOptions&)) {
    auto* sub = verb->add_subcommand(name, help);
    add_common(*sub, common);
    sub->callback([&common, &run, options, function] { run = [&common, options, function] { return function(common, *options); }; });
    return sub;
  };
  auto* tail = add("tail", "the newest records", run_tail);
  tail->add_option("-n", options->limit, "how many")->check(CLI::Range(1, 100000));
  tail->add_option("--before", options->before, "only records before this one");
  add("show", "one record in full, decrypted", run_show)->add_option("N", options->index, "index of the record")->required()->check(CLI::NonNegativeNumber);
  add("verify", "hash everything again and compare with the signed checkpoint", run_verify)
      ->add_option("--checkpoint", options->checkpoint, "a checkpoint saved earlier: shows that nothing since was cut off or rewritten");
  add("prove", "inclusion proof of a record (RFC 9162)", run_prove)->add_option("N", options->index, "index of the record")->required()->check(CLI::NonNegativeNumber);
  auto* exported = add("export", "records as JSON Lines", run_export);
  exported->add_option("--first", options->first, "from this record")->check(CLI::NonNegativeNumber);
  exported->add_option("--last", options->last, "up to this record, exclusive (default: the end)");
  exported->add_option("--out", options->out, "file (default: standard output)");
  auto* explained = add("explain", "one page: who, what was read, rules, tools, model, people, proof", run_explain);
  explained->add_option("N", options->index, "index of the record (the audit_index of an answer)")->required()->check(CLI::NonNegativeNumber);
  explained->add_flag("--html", options->html, "a page of HTML that needs nothing else, with the AI-content label");
  explained->add_option("--out", options->out, "file (default: standard output)");
  auto* witnessed = add("witness", "as another party: check that the ledger only grew, cosign its checkpoint, keep it in a write-once folder", run_witness);
  witnessed->add_option("--ledger", options->ledger, "the ledger's folder, or a copy or read-only mount of it")->required();
  witnessed->add_option("--log-key", options->log_key, "file with the log's public key, kept from its first day (default: vkey in the folder)");
  witnessed->add_option("--key", options->witness_key, "file with the witness's secret; made where it is absent")->required();
  witnessed->add_option("--name", options->witness_name, "the witness's name");
  witnessed->add_option("--state", options->state, "file that remembers the last checkpoint")->required();
  witnessed->add_option("--worm", options->worm, "folder that takes the cosigned checkpoints")->required();
  add("replay", "force the recorded tokens through the recorded weights and compare the probabilities", run_replay)
      ->add_option("N", options->index, "index of the record (the audit_index of an answer)")->required()->check(CLI::NonNegativeNumber);
}

}  // namespace heng::app
