#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "heng/base/error.h"
#include "heng/base/ids.h"
#include "heng/base/result.h"
#include "heng/contracts/inference.h"

namespace heng {

/// One text to read: a post, a headline, a sentence, a customer's question.
struct TextItem {
  std::string id;                     ///< The caller's own; given back as it is, may be empty.
  std::string text;                   ///< UTF-8.
  std::string head, tail;             ///< Names in the text, for tasks about an entity (head only) or a pair of them.
};

/// Which method answers. `automatic` walks from the cheapest to the dearest stage until one is sure.
enum class Tier { automatic, linear, encoder, fused, model };

/// "auto", "linear", "encoder", "fused", "model".
inline const char* tier_name(Tier tier) {
  switch (tier) {
    case Tier::automatic: return "auto";
    case Tier::linear: return "linear";
    case Tier::encoder: return "encoder";
    case Tier::fused: return "fused";
    case Tier::model: return "model";
  }
  return "auto";
}
inline std::optional<Tier> tier_from_name(std::string_view name) {
  for (const Tier tier : {Tier::automatic, Tier::linear, Tier::encoder, Tier::fused, Tier::model}) {
    if (name == tier_name(tier)) return tier;
  }
  return std::nullopt;
}

/// A span of the text and how much it spoke for the label given (positive) or against it (negative). For the linear
/// stage the weights are exact shares of the log-odds, for the others the change of log-odds when the span is left out.
struct Evidence {
  std::size_t begin = 0, end = 0;     ///< Code points of the text, end exclusive.
  double weight = 0;
};

struct LabelResult {
  std::string label;                  ///< Empty where `abstained`.
  double confidence = 0;              ///< Calibrated probability of the best label, 0…1.
  std::vector<std::pair<std::string, double>> scores;  ///< Every label with its calibrated probability, best first.
  Tier tier = Tier::linear;           ///< The stage that answered; never `automatic`.
  bool abstained = false;             ///< The best label was less sure than asked for; it stands in `scores`.
  std::vector<Evidence> evidence;     ///< In the order of the text; only where asked for.
};

struct LabelRequest {
  TenantId tenant;
  std::string task;
  std::vector<TextItem> items;
  Tier tier = Tier::automatic;
  double abstain_below = 0;           ///< A best label with a smaller probability is not given. 0: always answer.
  bool evidence = false;
  Priority priority = Priority::interactive;  ///< Of the models it needs.
};

/// One outcome per item, in order. An item that cannot be read (empty, too long, not UTF-8) carries its own error.
using LabelOutcomes = std::vector<Result<LabelResult>>;

/// The port to classification. Thread-safe; blocks. Errors of the whole call: not_found (task; says which exist),
/// conflict (the tier is not trained, or its embedding model is another), unavailable (its model is not here), cancelled.
class Labeller {
 public:
  virtual ~Labeller() = default;
  virtual Result<LabelOutcomes> label(const LabelRequest&, std::stop_token stop) = 0;
};

/// A word or phrase that plays a role in an event. One span may be a mention of several events or roles.
struct Mention {
  std::string word;
  std::size_t begin = 0, end = 0;     ///< Code points of the text, end exclusive.
  std::string role;                   ///< "trigger", "sub-org", "money", …: the task's own names.
};

struct Event {
  std::string type;
  double confidence = 0;              ///< Calibrated, 0…1.
  std::vector<Mention> mentions;
};

/// A company, a security code, a person, an amount, a date or a rate, read by rules.
struct Entity {
  std::string type;                   ///< "company", "security", "person", "amount", "quantity", "date", "rate".
  std::string word;
  std::size_t begin = 0, end = 0;     ///< Code points of the text, end exclusive.
  std::string id;                     ///< Of companies and securities in the directory: "600519.SH". Empty: not known there.
  std::string name;                   ///< What `id` is called in the directory.
  std::string label;                  ///< Given to it by a task about entities; empty: none was asked.
  double confidence = 0;              ///< Of `label`.
  std::string value;                  ///< Plain: "29803000000 CNY", "8.5 %", "2019-11-20"; empty where there is none.
};

struct ExtractionResult {
  std::vector<Event> events;          ///< Empty where the text tells of none.
  std::vector<Entity> entities;       ///< Of the task "entities"; in the order of the text.
  Tier tier = Tier::encoder;          ///< The stage that answered.
};

struct ExtractRequest {
  TenantId tenant;
  std::string task;
  std::vector<TextItem> items;
  Tier tier = Tier::automatic;
  double minimum_confidence = 0;      ///< Events below are left out. 0: the task's own threshold.
};

using ExtractionOutcomes = std::vector<Result<ExtractionResult>>;

/// The port to event extraction. Thread-safe; blocks. Errors as for Labeller.
class Extractor {
 public:
  virtual ~Extractor() = default;
  virtual Result<ExtractionOutcomes> extract(const ExtractRequest&, std::stop_token stop) = 0;
};

/// What a labelling task reads: a text, a text with one of its entities, a text with two of them.
enum class TaskInput { text, entity, pair };
inline const char* task_input_name(TaskInput input) { return input == TaskInput::pair ? "pair" : input == TaskInput::entity ? "entity" : "text"; }

enum class TaskKind { label, events };
inline const char* task_kind_name(TaskKind kind) { return kind == TaskKind::label ? "label" : "events"; }

/// What is known of a task without loading its heads.
struct TaskInfo {
  std::string name;                   ///< [a-z0-9-]+, stable: "sentiment-zh".
  TaskKind kind = TaskKind::label;
  std::string description;
  TaskInput input = TaskInput::text;
  std::vector<std::string> labels;    ///< Labels, or event types.
  std::vector<std::string> roles;     ///< Of events.
  std::vector<Tier> tiers;            ///< What can answer, cheapest first.
  std::vector<Tier> automatic;        ///< Those that answer unless one is asked for.
  std::vector<std::pair<std::string, double>> metrics;  ///< "accuracy", "macro_f1", "ece", …: measured when it was trained.
  std::string data_sha256;            ///< Of the training rows; empty for a task made of a description only.
  std::int64_t rows = 0;              ///< Training rows.
  std::int64_t trained_ms = 0;        ///< Unix time.
  bool evaluation_only = false;       ///< Trained on data whose licence allows measuring only.
};

/// The tasks of one installation.
class TaskCatalogue {
 public:
  virtual ~TaskCatalogue() = default;
  virtual Result<std::vector<TaskInfo>> tasks() const = 0;       ///< By name.
  /// Errors: not_found (says which tasks there are).
  virtual Result<TaskInfo> task(const std::string& name) const = 0;
};

}  // namespace heng
