#pragma once

#include <filesystem>
#include <functional>
#include <string>

namespace CLI {
class App;
}

namespace heng::app {

/// Options that every verb has.
struct Common {
  std::filesystem::path folder = ".";
  bool json = false;
};

/// Each adds its verbs to the command line; the chosen one sets `run`, which returns the exit code.
using Run = std::function<int()>;
void add_init(CLI::App& app, Common& common, Run& run);
void add_serve(CLI::App& app, Common& common, Run& run);
void add_knowledge(CLI::App& app, Common& common, Run& run);
void add_ask(CLI::App& app, Common& common, Run& run);
void add_audit(CLI::App& app, Common& common, Run& run);
void add_eval(CLI::App& app, Common& common, Run& run);
void add_extract(CLI::App& app, Common& common, Run& run);
void add_insight(CLI::App& app, Common& common, Run& run);
void add_models(CLI::App& app, Common& common, Run& run);
void add_keys(CLI::App& app, Common& common, Run& run);
void add_review(CLI::App& app, Common& common, Run& run);
void add_stop(CLI::App& app, Common& common, Run& run);
void add_guard(CLI::App& app, Common& common, Run& run);
void add_policy(CLI::App& app, Common& common, Run& run);
void add_erase(CLI::App& app, Common& common, Run& run);
void add_monitor(CLI::App& app, Common& common, Run& run);
void add_fairness(CLI::App& app, Common& common, Run& run);
void add_redteam(CLI::App& app, Common& common, Run& run);
void add_user(CLI::App& app, Common& common, Run& run);
void add_streams(CLI::App& app, Common& common, Run& run);
void add_vault(CLI::App& app, Common& common, Run& run);
void add_retention(CLI::App& app, Common& common, Run& run);
void add_backup(CLI::App& app, Common& common, Run& run);

}  // namespace heng::app
