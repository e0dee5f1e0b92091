#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "heng/base/clock.h"
#include "heng/base/result.h"

namespace heng::streams {

/// A company that is watched, with everything it is called.
struct WatchedName {
  std::string name, code;
  std::vector<std::string> aliases;
};

struct StreamSetup {
  std::string tenant = "default", name;
  std::vector<std::string> tasks;
};

/// Where alerts go.
struct Delivery {
  enum class Kind { webhook, file } kind = Kind::file;
  std::string name;
  std::string url;                     ///< Of a webhook: https, or http to loopback; its host must be in `webhook_hosts`.
  std::string secret_env;              ///< The environment variable with the key that signs.
  std::string ca_file;                 ///< Certificates to trust instead of the machine's.
  std::filesystem::path path;          ///< Of a file: JSON Lines, appended.
};

/// What an item must show. All parts that are given must hold.
struct Condition {
  std::string label_task;              ///< Empty: any task.
  std::vector<std::string> labels;     ///< One of these. Empty: no condition on labels.
  double label_confidence = 0;
  std::vector<std::string> event_types;///< One of these; "*": any event. Empty: no condition on events.
  double event_confidence = 0;
  std::vector<std::string> entity_types, entity_names;  ///< One entity of these types and with one of these names, words or codes.
  std::vector<std::string> any_words, all_words, no_words;
  std::vector<std::string> sources;
  bool watched = false;                ///< About a watched name; with event types: the event itself must name it.
};

/// Alert when `count` items with the same key hold the condition within `window`.
struct Rule {
  std::string id, name_zh, name_en, severity = "medium", owner;
  std::vector<std::string> tenants, streams;   ///< Empty: the tenant "default"; all streams. "*" in tenants: all.
  Condition condition;
  enum class Key { none, company, person, source, stream, event_type } key = Key::none;
  int count = 1;
  std::int64_t window_ms = 3'600'000;
  std::int64_t lateness_ms = 3'600'000;        ///< Items older than this before the newest one of the stream do not count.
  std::int64_t cooldown_ms = 0;                ///< After an alert none with the same dedup key for so long, in event time.
  std::string dedup = "{rule}|{key}";          ///< Also {stream}, {label}, {event}, {source}.
  std::vector<std::string> deliver;
};

/// What streams.toml says.
struct Setup {
  int utc_offset_minutes = 0;          ///< Of times without an offset.
  double similarity = 0.8;             ///< From this Jaccard similarity on a message is a near duplicate.
  std::int64_t duplicate_window_ms = 72LL * 3'600'000;
  std::int64_t duplicate_window_items = 200'000;
  std::vector<WatchedName> watched;
  std::vector<StreamSetup> streams;
  std::vector<std::string> webhook_hosts;      ///< "host" or "host:port".
  std::vector<Delivery> deliveries;
  std::vector<Rule> rules;
  const Delivery* delivery(std::string_view name) const;
};

/// Errors: malformed_input ("FILE, line N: what is wrong and what is possible").
Result<Setup> parse_setup(std::string_view toml, const std::string& file);

/// "90s", "15m", "1h", "7d" in milliseconds. Nothing: not a duration.
std::optional<std::int64_t> parse_duration(std::string_view text);

/// The rule in words.
std::string describe(const Rule& rule);

/// The setup of a file that may change at any time: a new version is taken when it holds, otherwise the old one stays and
/// error() says why. Without the file: an empty setup. Thread-safe.
class SetupFile {
 public:
  explicit SetupFile(std::filesystem::path file, const Clock& clock = system_clock());
  /// Looks at the file again, at most every 200 ms.
  std::shared_ptr<const Setup> current();
  /// Why the file as it is now was refused; empty: it was taken.
  std::string error() const;
  std::int64_t loaded_ms() const;

 private:
  void look();
  const std::filesystem::path file_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Setup> setup_ = std::make_shared<Setup>();
  std::string error_;
  std::int64_t loaded_ms_ = 0;
  SteadyTime looked_at_{};
  bool looked_ = false;
  std::filesystem::file_time_type written_{};
  std::uintmax_t size_ = 0;
};

/// The text of a new streams.toml with every setting explained.
std::string setup_template();

}  // namespace heng::streams
