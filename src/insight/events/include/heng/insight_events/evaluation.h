#pragma once

#include <map>
#include <string>
#include <vector>

#include "heng/insight_events/rows.h"

namespace heng::insight_events {

/// Right, wrong and missed, with what follows from them. All 0…1.
struct Counts {
  std::int64_t right = 0, wrong = 0, missed = 0;
  double precision() const { return right + wrong ? static_cast<double>(right) / static_cast<double>(right + wrong) : 0; }
  double recall() const { return right + missed ? static_cast<double>(right) / static_cast<double>(right + missed) : 0; }
  double f1() const { return 2 * right + wrong + missed ? 2.0 * static_cast<double>(right) / static_cast<double>(2 * right + wrong + missed) : 0; }
};

/// Predicted events against known ones.
struct Evaluation {
  std::int64_t sentences = 0;
  Counts types;                        ///< Which event types a sentence tells of.
  Counts roles;                        ///< Distinct (type, role, span) of a sentence, the trigger being a role; exact spans.
  Counts triggers, arguments;          ///< `roles`, split.
  Counts mentions;                     ///< As `roles`, but event by event: each known event with the most alike predicted one.
  std::map<std::string, Counts> by_type, by_role;  ///< `types` and `roles`, split.
  double calibration_error = 0;        ///< Expected calibration error (10 bins) of an event's confidence that its trigger is right.
};

Evaluation evaluate(const std::vector<EventRow>& known, const std::vector<std::vector<Event>>& predicted);

/// Tables for people: F1, precision, recall, counts.
std::string to_text(const Evaluation& evaluation);

}  // namespace heng::insight_events
