// The program: command line and wiring. What each verb does is in commands/.
#include <CLI/CLI.hpp>

#include <cstdio>
#include <cstdlib>
#include <exception>

#include "commands.h"
#include "signals.h"
#include "terminal.h"

namespace {

constexpr const char* footer = R"(Start here:
  heng init bank                                  make a folder with configuration and keys
  heng ingest policies/ --kb bank --dir bank      read documents into a knowledge base
  heng ask "年费是多少？" --kb bank --dir bank      ask; the answer is cited, checked and recorded
  heng serve --dir bank                           HTTP interface and web console

Every verb explains itself: heng VERB --help. Messages follow your language (HENG_LANG=zh or en).
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 bad input, 4 refused by policy.)";

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Heng 衡: ask your institution's own documents, on its own machines; every answer cited, checked and recorded."};
  app.name("heng");
  app.footer(footer);
  app.set_version_flag("--version", "heng " HENG_VERSION);
  app.require_subcommand(1);
  app.fallthrough();
  heng::app::Common common;
  if (const char* folder = std::getenv("HENG_DIR"); folder && *folder) common.folder = folder;
  heng::app::Run run;
  heng::app::add_init(app, common, run);
  heng::app::add_serve(app, common, run);
  heng::app::add_knowledge(app, common, run);
  heng::app::add_ask(app, common, run);
  heng::app::add_audit(app, common, run);
  heng::app::add_eval(app, common, run);
  heng::app::add_extract(app, common, run);
  heng::app::add_insight(app, common, run);
  heng::app::add_models(app, common, run);
  heng::app::add_keys(app, common, run);
  heng::app::add_review(app, common, run);
  heng::app::add_stop(app, common, run);
  heng::app::add_guard(app, common, run);
  heng::app::add_policy(app, common, run);
  heng::app::add_erase(app, common, run);
  heng::app::add_monitor(app, common, run);
  heng::app::add_fairness(app, common, run);
  heng::app::add_redteam(app, common, run);
  heng::app::add_user(app, common, run);
  heng::app::add_streams(app, common, run);
  heng::app::add_vault(app, common, run);
  heng::app::add_retention(app, common, run);
  heng::app::add_backup(app, common, run);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error, std::cout, std::cerr);
    return code == 0 ? 0 : 2;
  }
  heng::app::stop_signal();  // before any other thread exists, so that all of them leave signals to its thread
  try {
    return run ? run() : 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "heng: unexpected error: %s\n", error.what());
    return 1;
  }
}
