// watch, alerts, brief: streams of market messages.
#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "../assembly.h"
#include "../caller.h"
#include "../options.h"
#include "../readers.h"
#include "../signals.h"
#include "../streams_part.h"
#include "../terminal.h"
#include "heng/api/json.h"
#include "heng/base/clock.h"
#include "heng/base/log.h"
#include "heng/base/text.h"
#include "heng/base/time_text.h"
#include "heng/store/files.h"
#include "heng/streams/watch.h"

namespace heng::app {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> listed(const std::vector<std::string>& given) {
  std::vector<std::string> out;
  for (const auto& each : given)
    for (const auto part : text::split(each, ','))
      if (!text::trim(part).empty()) out.emplace_back(text::trim(part));
  return out;
}

// ---- watch

struct WatchOptions {
  std::string name, tenant = "default", tier = "auto";
  std::vector<std::string> tasks;
  fs::path folder, out;
  bool from_stdin = false, once = false;
  int batch = 256;
};

void print_report(const streams::WatchReport& done, bool json) {
  if (json) {
    const nlohmann::ordered_json out{{"messages", done.messages}, {"accepted", done.accepted}, {"duplicates", done.duplicates}, {"near_duplicates", done.near_duplicates}, {"rejected", done.rejected}, {"alerts", done.alerts}, {"seconds", done.seconds}};
    fmt::print("{}\n", out.dump());
    return;
  }
  fmt::print("{} {} · {} {} · {} {} · {} {} · {} {} · {} {} · {:.1f} s\n", done.messages, say("messages", "条消息"), done.accepted, say("stored", "入库"), done.duplicates, say("copies", "重复"), done.near_duplicates,
             say("near copies", "近似重复"), done.rejected, say("rejected", "拒收"), done.alerts, say("alerts", "预警"), done.seconds);
}

int run_watch(const Common& common, const WatchOptions& options) {
  if (options.folder.empty() != options.from_stdin)
    return report(Error(ErrorCode::invalid_argument, say("give --folder FOLDER or --stdin; messages sent over HTTP go to heng serve: POST /v1/streams/NAME", "请给出 --folder 目录 或 --stdin；HTTP 推送由 heng serve 接收：POST /v1/streams/名称"), "folder"));
  auto config = load_config(common.folder);
  if (!config.ok()) return report(config.error());
  log::configure(log::Level::warn, false);
  const auto tasks = listed(options.tasks);
  auto readers = Readers::open(*config, tasks, *tier_from_name(options.tier));
  if (!readers.ok()) return report(readers.error());
  auto part = StreamsPart::create(*config, (*readers)->ports(), nullptr, true);
  if (!part.ok()) return report(part.error());
  auto& engine = (*part)->engine();
  if (const auto refused = engine.setup().error(); !refused.empty()) return report(Error(ErrorCode::malformed_input, refused));
  streams::WatchSettings settings;
  settings.tenant = TenantId(options.tenant);
  settings.stream = options.name;
  settings.tasks = tasks;
  settings.folder = options.folder;
  settings.out = options.out;
  settings.item_json = [](const StreamItem& item) { return api::to_json(item); };
  settings.once = options.once || options.from_stdin;
  settings.batch_messages = static_cast<std::size_t>(options.batch);
  auto done = streams::watch(engine, settings, [](const streams::WatchReport&, const std::vector<std::string>& rejected) {
    for (const auto& reason : rejected) fmt::print(stderr, "heng: {} {}\n", say("rejected", "拒收"), reason);
  }, stop_signal());
  if (!done.ok()) return report(done.error());
  // alerts of a short run should leave before it ends
  for (int i = 0; i < 50 && !stop_signal().stop_requested(); ++i) {
    const auto waiting = engine.waiting_deliveries();
    if (!waiting.ok() || *waiting == 0) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  print_report(*done, common.json);
  return 0;
}

// ---- alerts

struct AlertOptions {
  std::string state = "open", severity, rule, stream, note;
  std::int64_t id = 0;
  int limit = 50;
  fs::path file;
};

int run_alerts(const Common& common, const AlertOptions& options) {
  auto config = load_config(common.folder);
  if (!config.ok()) return report(config.error());
  auto assembly = open_assembly(common.folder, Models::none);
  if (!assembly.ok()) return report(assembly.error());
  auto who = caller(**assembly);
  if (!who.ok()) return report(who.error());
  auto part = StreamsPart::create(*config, {}, &(*assembly)->audit(), false);
  if (!part.ok()) return report(part.error());
  if (options.id > 0) {
    auto alert = (*part)->engine().acknowledge(*who, options.id, options.note);
    if (!alert.ok()) return report(alert.error());
    if (common.json) fmt::print("{}\n", api::to_json(*alert));
    else fmt::print("{} {} · {}\n", alert->id, say("acknowledged", "已确认"), alert->acknowledged_by);
    return 0;
  }
  AlertQuery query;
  if (options.state == "open") query.state = AlertState::open;
  if (options.state == "acknowledged") query.state = AlertState::acknowledged;
  query.severity = options.severity;
  query.rule = options.rule;
  query.stream = options.stream;
  query.limit = options.limit;
  auto alerts = (*part)->engine().alerts(*who, query);
  if (!alerts.ok()) return report(alerts.error());
  std::vector<std::vector<std::string>> rows = {{"id", say("time", "时间"), say("severity", "级别"), say("alert", "预警"), say("about", "对象"), say("items", "条目"), say("state", "状态")}};
  for (const auto& a : *alerts) {
    if (common.json) fmt::print("{}\n", api::to_json(a));
    rows.push_back({std::to_string(a.id), iso8601(a.window_to_ms).substr(0, 16), a.severity, speaks_chinese() ? a.name_zh : a.name_en, a.key + (a.key_id.empty() ? "" : " " + a.key_id), std::to_string(a.count),
                    a.state == AlertState::open ? say("open", "未确认") : fmt::format("{} {}", say("acknowledged by", "已确认："), a.acknowledged_by)});
  }
  if (!common.json) fmt::print("{}", table(rows, {5}));
  return 0;
}

int run_check(const Common& common, const AlertOptions& options) {
  fs::path file = options.file;
  if (file.empty()) {
    auto config = load_config(common.folder);
    if (!config.ok()) return report(config.error());
    file = streams_file(*config);
  }
  auto text = store::read_whole_file(file, 8 << 20);
  if (!text.ok()) return report(text.error());
  auto setup = streams::parse_setup(*text, file.filename().string());
  if (!setup.ok()) return report(setup.error());
  for (const auto& rule : setup->rules) fmt::print("{} · {} · {}\n    {}\n", rule.id, rule.severity, speaks_chinese() ? rule.name_zh : rule.name_en, dim(streams::describe(rule)));
  fmt::print("{} {} · {} {} · {} {}\n", setup->rules.size(), say("rules", "条规则"), setup->watched.size(), say("watched names", "个关注名称"), setup->deliveries.size(), say("deliveries", "个投递目的地"));
  return 0;
}

// ---- brief

struct BriefOptions {
  std::string company, stream, from, to, format = "text", language;
  std::vector<std::string> compare;
  fs::path out = "-";
};

/// A time, or how long ago: "24h", "7d".
Result<std::int64_t> read_time(const std::string& text, const char* name, int utc_offset_minutes) {
  if (text.empty()) return std::int64_t{0};
  if (const auto ago = streams::parse_duration(text)) return system_clock().unix_ms() - *ago;
  auto parsed = parse_time(text, utc_offset_minutes);
  if (!parsed.ok()) return Error(ErrorCode::invalid_argument, fmt::format("--{}: {}, or how long ago: 24h, 7d", name, parsed.error().message), name);
  return parsed;
}

int run_brief(const Common& common, const BriefOptions& options) {
  auto config = load_config(common.folder);
  if (!config.ok()) return report(config.error());
  log::configure(log::Level::warn, false);
  auto assembly = open_assembly(common.folder, Models::none);
  if (!assembly.ok()) return report(assembly.error());
  auto who = caller(**assembly);
  if (!who.ok()) return report(who.error());
  auto part = StreamsPart::create(*config, {}, nullptr, false);
  if (!part.ok()) return report(part.error());
  const int offset = (*part)->engine().setup().current()->utc_offset_minutes;
  BriefRequest request;
  auto from = read_time(options.from, "from", offset), to = read_time(options.to, "to", offset);
  if (!from.ok()) return report(from.error());
  if (!to.ok()) return report(to.error());
  request.from_ms = *from;
  request.to_ms = *to;
  request.company = options.company;
  request.stream = options.stream;
  request.compare = listed(options.compare);
  request.format = options.format == "html" ? BriefFormat::html : options.format == "json" || common.json ? BriefFormat::json : BriefFormat::text;
  request.language = options.language.empty() ? say("en", "zh") : options.language;
  auto made = (*part)->engine().brief(*who, request);
  if (!made.ok()) return report(made.error());
  if (!made->ends_with("\n")) *made += "\n";
  if (options.out == "-") {
    fmt::print("{}", *made);
    return 0;
  }
  if (auto written = store::write_file_durably(options.out, *made, 0644); !written.ok()) return report(written.error());
  fmt::print("{}\n", options.out.string());
  return 0;
}

}  // namespace

void add_streams(CLI::App& app, Common& common, Run& run) {
  auto* watch = app.add_subcommand("watch", "follow a folder or standard input: clean, drop copies, label, store, raise alerts");
  auto w = std::make_shared<WatchOptions>();
  watch->add_option("NAME", w->name, "the stream: letters, digits, - and _")->required();
  watch->add_option("--task", w->tasks, "tasks to label and extract with, separated by commas; without: drop copies and store only")->allow_extra_args(false);
  watch->add_option("--folder", w->folder, "follow *.jsonl, *.ndjson (JSON Lines) and *.txt, *.log (a message a line): new files and appended lines");
  watch->add_flag("--stdin", w->from_stdin, "read JSON Lines or plain lines until the end");
  watch->add_option("--out", w->out, "write the stored items as JSON Lines too");
  watch->add_flag("--once", w->once, "end when everything that is there has been read");
  watch->add_option("--tier", w->tier, "which stage labels")->check(CLI::IsMember({"auto", "linear", "encoder", "fused", "model"}));
  watch->add_option("--tenant", w->tenant, "whose stream");
  watch->add_option("--batch", w->batch, "messages at once")->check(CLI::Range(1, 10000));
  watch->footer("Messages: {\"text\"|\"content\"[,\"title\",\"id\",\"source\",\"published\",\"event_time\"]}. What was read and how far is committed together: a killed run goes on where it was, "
                "nothing lost, nothing twice. Rules, watched names and deliveries stand in DIR/streams.toml (heng alerts example). Over HTTP: POST /v1/streams/NAME.");
  add_common(*watch, common);
  watch->callback([&common, &run, w] { run = [&common, w] { return run_watch(common, *w); }; });

  auto* alerts = app.add_subcommand("alerts", "alerts of streams: list, acknowledge, check the rules");
  alerts->require_subcommand(1);
  auto a = std::make_shared<AlertOptions>();
  auto* list = alerts->add_subcommand("list", "newest first");
  list->add_option("--state", a->state, "open, acknowledged or all")->check(CLI::IsMember({"open", "acknowledged", "all"}));
  list->add_option("--severity", a->severity, "only these")->check(CLI::IsMember({"info", "low", "medium", "high", "critical"}));
  list->add_option("--rule", a->rule, "only of this rule");
  list->add_option("--stream", a->stream, "only of this stream");
  list->add_option("-n", a->limit, "how many")->check(CLI::Range(1, 500));
  add_common(*list, common);
  list->callback([&common, &run, a] { run = [&common, a] { return run_alerts(common, *a); }; });
  auto* ack = alerts->add_subcommand("ack", "acknowledge one; who, when and why are recorded in the ledger");
  ack->add_option("ID", a->id, "as `heng alerts list` shows it")->required()->check(CLI::PositiveNumber);
  ack->add_option("--note", a->note, "what was found; recorded")->required();
  add_common(*ack, common);
  ack->callback([&common, &run, a] { run = [&common, a] { return run_alerts(common, *a); }; });
  auto* check = alerts->add_subcommand("check", "say whether streams.toml holds, and if not, which line is wrong and why");
  check->add_option("FILE", a->file, "default: DIR/streams.toml");
  add_common(*check, common, false);
  check->callback([&common, &run, a] { run = [&common, a] { return run_check(common, *a); }; });
  auto* example = alerts->add_subcommand("example", "print a streams.toml with every setting explained");
  example->callback([&run] { run = [] { fmt::print("{}", streams::setup_template()); return 0; }; });

  auto* brief = app.add_subcommand("brief", "what the messages of a window say: quoted, counted, charted; for all, a company or several side by side");
  auto b = std::make_shared<BriefOptions>();
  brief->add_option("--company", b->company, "a name, alias or code");
  brief->add_option("--compare", b->compare, "companies side by side, separated by commas")->allow_extra_args(false);
  brief->add_option("--stream", b->stream, "only this stream");
  brief->add_option("--from", b->from, "2026-11-24, 2026-11-24T09:00, or how long ago: 24h, 7d (default: a day before --to)");
  brief->add_option("--to", b->to, "the same (default: now)");
  brief->add_option("--format", b->format, "text, html (one page, nothing outside) or json")->check(CLI::IsMember({"text", "html", "json"}));
  brief->add_option("--lang", b->language, "of the brief (default: of your messages)")->check(CLI::IsMember({"zh", "en"}));
  brief->add_option("--out", b->out, "file; -: standard output");
  add_common(*brief, common);
  brief->callback([&common, &run, b] { run = [&common, b] { return run_brief(common, *b); }; });
}

}  // namespace heng::app
