#include <fmt/format.h>

#include <cstdlib>
#include <ctime>
#include <thread>

#include "../assembly.h"
#include "../batches_part.h"
#include "../extractors.h"
#include "../identity_provider.h"
#include "../options.h"
#include "../signals.h"
#include "../streams_part.h"
#include "../terminal.h"
#include "heng/insight/task_labeller.h"
#include "heng/api/server.h"
#include "heng/base/log.h"
#include "heng/console/assets.h"

namespace heng::app {
namespace {

/// The console that is built into the program, as the API wants its files.
class BuiltInConsole final : public api::AssetSource {
 public:
  std::optional<api::Asset> find(std::string_view path) const override {
    const console::Asset* asset = console::find(path);
    if (!asset) return std::nullopt;
    return api::Asset{asset->body, std::string(asset->media_type), std::string(asset->etag), asset->immutable, asset->gzip};
  }
};

struct ServeOptions {
  std::string address;
  int port = -1;
};

log::Level level_of(const std::string& name) {
  if (name == "debug") return log::Level::debug;
  if (name == "warn") return log::Level::warn;
  if (name == "error") return log::Level::error;
  if (name == "off") return log::Level::off;
  return log::Level::info;
}

api::ApiSettings api_settings(const Config& config) {
  api::ApiSettings settings;
  settings.version = HENG_VERSION;
  settings.provider = config.provider;
  settings.http.address = config.address;
  settings.http.port = config.port;
  settings.http.tls.certificate = config.tls_certificate.string();
  settings.http.tls.key = config.tls_key.string();
  settings.http.cors_origins = config.cors_origins;
  return settings;
}

/// Of the machine's calendar, by which policies begin and end.
int day_of_year() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  return local.tm_yday;
}

/// Until the server is told to stop; certificates and policies are read again on SIGHUP, policies on each new day too, and stay as they were where
/// the new ones do not hold.
void wait_for_stop(api::ApiServer& server, Assembly& parts) {
  const std::stop_token stop = stop_signal();
  int day = day_of_year();
  while (!stop.stop_requested()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    const bool asked = take_reload_request();
    const int today = day_of_year();
    if (!asked && today == day) continue;
    day = today;
    if (asked) {
      auto reloaded = server.reload_tls();
      log::info("tls_reload", {{"outcome", reloaded.ok() ? "ok" : reloaded.error().message}});
    }
    auto policies = parts.reload_policies();
    log::info("policy_reload", {{"outcome", policies.ok() ? "ok" : policies.error().message}});
  }
}

int run_serve(const Common& common, const ServeOptions& options) {
  auto config = load_config(common.folder);
  if (!config.ok()) return report(config.error());
  if (!options.address.empty()) config->address = options.address;
  if (options.port >= 0) config->port = static_cast<std::uint16_t>(options.port);
  log::configure(level_of(config->log_level), true);
  auto assembly = Assembly::create(*config, Models::all);
  if (!assembly.ok()) return report(assembly.error());
  Assembly& parts = **assembly;
  const BuiltInConsole console;
  api::Services services{parts.inference(), parts.knowledge(), parts.asker(), parts.chatter(), parts.identity(), parts.audit(),
                               parts.audit_reader(), parts.feedback(), config->console ? &console : nullptr, nullptr, &parts.reviews(), &parts.stops()};
  insight::TaskLabeller labeller({.folder = config->tasks()}, &parts.inference());
  services.labeller = &labeller;
  const TaskList task_list(labeller, config->tasks());
  services.tasks = &task_list;
  Extractors extractors(config->tasks(), config->folder / "companies.csv", 2, &labeller, &labeller);
  services.extractor = &extractors;
  auto streams = StreamsPart::create(*config, {services.labeller, services.tasks, services.extractor}, &parts.audit(), true);
  if (!streams.ok()) return report(streams.error());
  services.streams = &(*streams)->engine();
  auto batches = BatchesPart::create(*config);
  if (!batches.ok()) return report(batches.error());
  services.batches = &(*batches)->engine();
  services.guard = &parts.guard();
  services.users = &parts.users();
  auto sign_in = make_sign_in(*config, parts.users());
  if (!sign_in.ok()) return report(sign_in.error());
  services.sign_in = sign_in->get();
  services.policies = [&parts] { return parts.policies(); };
  services.vault = &parts.vault();
  services.warnings = [&parts] { return parts.warnings(); };
  services.monitor = [&parts](const Principal& who, int hours) { return parts.monitor_report(&who.tenant, hours); };
  auto policy = access::make_policy(config->roles);
  if (!policy.ok()) return report(policy.error());
  auto settings = api_settings(*config);
  settings.policy = *policy;
  settings.batch_file_bytes = config->batches.file_bytes;
  auto server = api::ApiServer::create(settings, services);
  if (!server.ok()) return report(server.error());
  (*server)->start();
  const std::string address = (*server)->address();
  // the first line on standard output is the address, so that other programs can read it
  fmt::print("{}\n", address);
  if (config->console) fmt::print("{} {}/\n", say("console:", "控制台："), address);
  fmt::print("{}\n", say("stop with Ctrl-C", "按 Ctrl-C 停止"));
  std::fflush(stdout);
  wait_for_stop(**server, parts);
  log::info("drain", {{"seconds", std::to_string(config->drain_s)}});
  (*server)->drain(std::chrono::seconds(config->drain_s));
  return 0;
}

}  // namespace

void add_serve(CLI::App& app, Common& common, Run& run) {
  auto* verb = app.add_subcommand("serve", "HTTP interface (OpenAI-compatible and Heng's own) and web console");
  auto options = std::make_shared<ServeOptions>();
  verb->add_option("--address", options->address, "listen here (default: heng.toml, 127.0.0.1)");
  verb->add_option("--port", options->port, "0: any free port (default: heng.toml, 8460)")->check(CLI::Range(0, 65535));
  verb->footer("The first line printed is the address. SIGTERM drains: running answers finish, new ones are refused. SIGHUP reads certificate and policies again.");
  add_common(*verb, common, false);
  verb->callback([&common, &run, options] { run = [&common, options] { return run_serve(common, *options); }; });
}

}  // namespace heng::app
