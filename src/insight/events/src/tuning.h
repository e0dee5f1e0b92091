#pragma once

#include "heng/insight_events/rows.h"
#include "model_parts.h"

namespace heng::insight_events {

/// Thresholds that give the best sum of type F1 and role F1 on `rows`, and the calibration of confidence there (Platt 1999).
Decisions tune(const EventModel::Parts& parts, const std::vector<EventRow>& rows, int threads);

}  // namespace heng::insight_events
