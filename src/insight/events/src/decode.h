#pragma once

#include <vector>

#include "network.h"

namespace heng::insight_events {

/// What the network says of one chunk, before any decision.
struct Reading {
  std::vector<float> types;                  ///< Log-odds of each type.
  std::vector<ScoredSpan> triggers;          ///< label: type; best first.
  std::vector<std::vector<ScoredSpan>> arguments;  ///< Per trigger; label: position in type_roles.
};

/// From scores to events. Tuned on rows that were not trained on.
struct Decisions {
  float trigger = 0;                         ///< A trigger counts where score + type_share · log-odds of its type > this.
  float type_share = 0;
  float rescue = 100;                        ///< Log-odds of a type above which its best trigger counts in any case.
  float argument = 0;                        ///< An argument counts above this score.
  float slope = 1, offset = 0;               ///< Confidence of an event: 1 / (1 + e^−(slope · trigger score + offset)).
};

struct DecodedEvent {
  int type = 0, begin = 0, last = 0;
  float score = 0;                           ///< Trigger score with the type's share.
  std::vector<ScoredSpan> arguments;
};

/// Candidates are kept down to these scores, so that decisions can be tuned without running the network again.
inline constexpr float trigger_floor = -2, argument_floor = -1.5F;

/// Reads chunks in batches. With `decisions`, arguments are read of the triggers that they let count, and no other triggers
/// are kept; without, of all above the floor.
std::vector<Reading> read(const Network& network, const Pass& pass, const std::vector<const std::vector<std::int32_t>*>& chunks,
                          const Decisions* decisions = nullptr);

std::vector<DecodedEvent> decide(const Reading& reading, const Decisions& decisions);

}  // namespace heng::insight_events
