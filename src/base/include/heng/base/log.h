#pragma once

#include <string_view>
#include <utility>
#include <vector>
#include <string>

namespace heng::log {

enum class Level { debug, info, warn, error, off };

using Fields = std::vector<std::pair<std::string, std::string>>;

/// Where log lines go: structured JSON lines on standard error by default. Called once at start-up, by apps only.
void configure(Level level, bool json_lines);

/// One structured line: {"time","level","event",fields…}. Never pass prompt or document text, keys or personal data.
void write(Level level, std::string_view event, const Fields& fields = {});
inline void debug(std::string_view e, const Fields& f = {}) { write(Level::debug, e, f); }
inline void info(std::string_view e, const Fields& f = {}) { write(Level::info, e, f); }
inline void warn(std::string_view e, const Fields& f = {}) { write(Level::warn, e, f); }
inline void error(std::string_view e, const Fields& f = {}) { write(Level::error, e, f); }

}  // namespace heng::log
