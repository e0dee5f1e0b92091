#pragma once

#include <stop_token>

namespace heng::app {

/// Requested at the first Ctrl-C or SIGTERM, so that long work ends cleanly; the second ends the process at once.
std::stop_token stop_signal();

/// Set when SIGHUP came (read certificates again); clears it.
bool take_reload_request();

}  // namespace heng::app
