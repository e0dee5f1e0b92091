#pragma once

#include <CLI/CLI.hpp>

#include "commands.h"

namespace heng::app {

/// --dir and, where the verb prints results, --json.
inline void add_common(CLI::App& verb, Common& common, bool json = true) {
  verb.add_option("--dir", common.folder, "folder that `heng init` made (default: $HENG_DIR or here)");
  if (json) verb.add_flag("--json", common.json, "print JSON for programs");
}

}  // namespace heng::app
