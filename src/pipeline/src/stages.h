#pragma once

#include <string_view>
#include <vector>

#include "flow.h"

namespace heng::pipeline {

enum class StageRuns {
  while_well,    ///< Skipped after an error or a cancellation.
  once_opened,   ///< Runs whatever happened, when the record was opened.
};

struct Stage {
  std::string_view name;
  Result<void> (*run)(Flow&);
  StageRuns runs;
  std::string_view why_here;
};

/// The order of the flow.
const std::vector<Stage>& ask_stages();

}  // namespace heng::pipeline
