#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "heng/base/result.h"
#include "heng/contracts/insight.h"

namespace heng::insight_events {

/// The role that every event of a training row has once: the word that tells of it.
inline constexpr const char* trigger_role = "trigger";

/// A sentence with its events, in the format of FewFC: {"id","content","events":[{"type","mentions":[{"word","span":[b,e],"role"}]}]}.
struct EventRow {
  std::string id;
  std::string content;
  std::vector<Event> events;
};

/// Rows of a JSON Lines file, with what was wrong with the others.
struct EventRows {
  std::vector<EventRow> rows;
  std::vector<std::string> errors;           ///< "file:line: what", one per line that was left out.
  std::string sha256;                        ///< Of the file.
};

/// One line. Errors: malformed_input, with the field and the value at fault.
Result<EventRow> parse_event_row(const std::string& line);

/// Errors: not_found; malformed_input where no line at all can be read.
Result<EventRows> read_event_rows(const std::filesystem::path& path);

}  // namespace heng::insight_events
