#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "../commands.h"

namespace heng::app {

/// `heng train --kind events`. Trains the joint event extractor, registers it as `task`, prints its report.
struct TrainEventsOptions {
  std::string task;
  std::vector<std::filesystem::path> in;
  std::filesystem::path holdout;         ///< Empty: none.
  int threads = 0;                       ///< 0: as many as the machine has cores.
  int epochs = 0;                        ///< 0: as tuned.
  std::uint64_t seed = 1;
};
int train_events(const Common& common, const TrainEventsOptions& options);

}  // namespace heng::app
