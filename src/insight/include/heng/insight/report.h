#pragma once

#include <string>

#include "heng/contracts/insight.h"
#include "heng/insight/trainer.h"

namespace heng::insight {

/// The whole report as a JSON object.
std::string report_to_json(const TrainingReport& report);
std::string task_info_to_json(const TaskInfo& info);

}  // namespace heng::insight
