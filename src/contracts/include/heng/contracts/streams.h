#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "heng/base/result.h"
#include "heng/contracts/insight.h"
#include "heng/contracts/principal.h"

namespace heng {

struct StreamLabel {
  std::string task, label;            ///< The label is empty where the task abstained.
  double confidence = 0;
  std::string tier;
};

struct StreamEntity {
  std::string type, word, id, name;   ///< As Entity of the port of extraction.
};

/// A message as it was stored: cleaned, told apart from its copies, labelled.
struct StreamItem {
  std::int64_t number = 0;            ///< Grows with each item of the store; also the place in a list.
  std::string stream, id, source, text;
  std::string sha256;                 ///< Of the cleaned text: the item's key.
  std::int64_t event_ms = 0, published_ms = 0, ingest_ms = 0;
  std::int64_t duplicate_of = 0;      ///< Number of the item that it nearly repeats; 0: it is the first. Near duplicates carry no labels.
  double similarity = 0;              ///< Jaccard similarity of character shingles to that item.
  std::int64_t copies = 0;            ///< Exact repetitions since.
  std::int64_t near_copies = 0;       ///< Near duplicates since.
  std::vector<StreamLabel> labels;
  std::vector<Event> events;
  std::vector<StreamEntity> entities;
  std::vector<std::string> errors;    ///< What could not be read of it: "sentiment-zh: too long".
};

struct PushReport {
  std::int64_t accepted = 0;          ///< Stored, near duplicates not counted.
  std::int64_t duplicates = 0;        ///< Exact repetitions.
  std::int64_t near_duplicates = 0;
  std::int64_t rejected = 0;
  std::int64_t alerts = 0;            ///< Raised by these messages.
  std::vector<std::pair<std::int64_t, std::string>> errors;  ///< Place in the batch (from 0) and reason; the first hundred.
};

struct StreamInfo {
  std::string name;
  std::int64_t items = 0, duplicates = 0, near_duplicates = 0, rejected = 0;
  std::int64_t last_ingest_ms = 0;
  std::vector<std::string> tasks;
};

struct ItemQuery {
  std::string stream;                 ///< Empty: all streams of the tenant.
  std::string company;                ///< A name, alias or code; empty: all.
  std::string task, label;            ///< Empty: all.
  std::int64_t from_ms = 0, to_ms = 0;///< Of the event time (else published, else ingest), [from, to); 0: open.
  std::int64_t before = 0;            ///< Only numbers below; 0: open.
  std::optional<std::int64_t> after;  ///< Only numbers above, and then the oldest come first; else the newest.
  bool duplicates = false;            ///< Near duplicates too.
  int limit = 50;
};

enum class AlertState { open, acknowledged };

struct Alert {
  std::int64_t id = 0;
  std::string rule, name_zh, name_en, severity, owner, stream;
  std::string key;                    ///< What was counted by: a company's name, for example; empty: everything.
  std::string key_id;                 ///< Its code, where known.
  std::int64_t raised_ms = 0;         ///< When the program raised it.
  std::int64_t window_from_ms = 0, window_to_ms = 0;  ///< Event times of the first and the last item counted.
  std::int64_t count = 0;             ///< Items counted.
  std::vector<std::int64_t> items;    ///< Their numbers.
  std::int64_t suppressed = 0;        ///< Further times it would have been raised during the cooldown.
  std::string text;                   ///< Of the item that raised it, at most 400 characters.
  AlertState state = AlertState::open;
  std::string acknowledged_by, note;
  std::int64_t acknowledged_ms = 0;
  std::int64_t ingest_ms = 0;         ///< When the raising item came in.
};

struct AlertQuery {
  std::optional<AlertState> state;
  std::string rule, severity, stream, key;
  std::int64_t before = 0;            ///< Only ids below; 0: open.
  std::optional<std::int64_t> after;  ///< Only ids above, and then the oldest come first; else the newest.
  int limit = 50;
};

struct AlertRuleInfo {
  std::string id, name_zh, name_en, severity, owner, condition;  ///< The condition in words.
};

struct AlertRules {
  std::vector<AlertRuleInfo> rules;
  std::string error;                  ///< Why the file as it is now was refused (the rules are the ones before); empty: it holds.
  std::int64_t loaded_ms = 0;
};

enum class BriefFormat { json, html, text };

struct BriefRequest {
  std::string company, stream;        ///< Empty: everything.
  std::vector<std::string> compare;   ///< Names or codes; empty: no comparison.
  std::int64_t from_ms = 0, to_ms = 0;///< 0: the last 24 hours.
  BriefFormat format = BriefFormat::json;
  std::string language = "zh";        ///< "zh" or "en".
  int width = 100;                    ///< Columns of the text format.
};

/// The port to streams of market messages. Thread-safe. A principal sees its own tenant only.
class Streams {
 public:
  virtual ~Streams() = default;
  /// Cleans, tells copies apart, labels with `tasks` (empty: what the stream was set up with, or nothing), stores and raises
  /// alerts: everything or, on an error, nothing. `body` is JSON Lines, a JSON array or {"items":[…]} of
  /// {"text"|"content"[,"title","id","source","published","event_time"]}; a message that cannot be read is rejected alone.
  /// Errors: malformed_input (the body is none of these), invalid_argument (name), too_large (10,000 messages), not_found (task),
  /// overloaded, cancelled, those of the store and of the heads.
  virtual Result<PushReport> push(const Principal&, const std::string& stream, const std::vector<std::string>& tasks,
                                  std::string_view body, std::stop_token stop) = 0;
  virtual Result<std::vector<StreamInfo>> streams(const Principal&) = 0;
  virtual Result<std::vector<StreamItem>> items(const Principal&, const ItemQuery&) = 0;
  virtual Result<std::vector<Alert>> alerts(const Principal&, const AlertQuery&) = 0;
  virtual Result<AlertRules> alert_rules(const Principal&) = 0;
  /// Alerts with an id above `after`, oldest first; waits until there is one, at most `wait`. Also those that other processes raise.
  virtual Result<std::vector<Alert>> wait_for_alerts(const Principal&, std::int64_t after, std::chrono::milliseconds wait, std::stop_token stop) = 0;
  /// Errors: not_found, conflict (acknowledged already; says by whom), invalid_argument (note).
  virtual Result<Alert> acknowledge(const Principal&, std::int64_t id, const std::string& note) = 0;
  /// A brief of what the window's items say, in the format asked for. Deterministic: quotes and counts, no model.
  virtual Result<std::string> brief(const Principal&, const BriefRequest&) = 0;
};

}  // namespace heng
