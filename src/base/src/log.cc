#include "heng/base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <memory>
#include <mutex>

namespace heng::log {
namespace {

struct State {
  std::mutex mutex;
  std::shared_ptr<spdlog::logger> logger;
  std::atomic<Level> level{Level::warn};
  bool json = false;
};

// The one process-wide object: a log sink is the process's, not a caller's.
State& state() {
  static State instance;
  return instance;
}

void append_json(std::string& out, std::string_view text) {
  static constexpr char digits[] = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20) {
      out += "\\u00";
      out += digits[byte >> 4];
      out += digits[byte & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::debug: return spdlog::level::debug;
    case Level::info: return spdlog::level::info;
    case Level::warn: return spdlog::level::warn;
    case Level::error: return spdlog::level::err;
    case Level::off: return spdlog::level::off;
  }
  return spdlog::level::off;
}

}  // namespace

void configure(Level level, bool json_lines) {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  s.logger = std::make_shared<spdlog::logger>("heng", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  s.logger->set_level(spdlog::level::trace);
  s.logger->set_pattern(json_lines ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})" : "%H:%M:%S.%e %l %v",
                        spdlog::pattern_time_type::utc);
  s.logger->flush_on(spdlog::level::info);
  s.json = json_lines;
  s.level = level;
}

void write(Level level, std::string_view event, const Fields& fields) {
  State& s = state();
  if (level < s.level.load(std::memory_order_relaxed)) return;
  std::shared_ptr<spdlog::logger> logger;
  bool json = false;
  {
    const std::lock_guard lock(s.mutex);
    logger = s.logger;
    json = s.json;
  }
  if (!logger) return;
  std::string line;
  if (json) {
    line += "\"event\":";
    append_json(line, event);
    for (const auto& [name, value] : fields) {
      line += ',';
      append_json(line, name);
      line += ':';
      append_json(line, value);
    }
  } else {
    line += event;
    for (const auto& [name, value] : fields) {
      line += ' ';
      line += name;
      line += '=';
      line += value;
    }
  }
  logger->log(to_spdlog(level), spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace heng::log
