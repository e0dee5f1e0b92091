#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>

#include "heng/contracts/insight.h"

namespace heng::insight {

/// JSON Lines in, JSON Lines out: {"id","text"} → {"id","label","confidence","scores","tier"[,"evidence"]}, one line for each, in
/// order; a line that cannot be read gives {"id","error":{"code","message","line"}} and the run goes on.
struct LabelStreamSettings {
  std::filesystem::path input, output;   ///< "-": standard input, standard output.
  std::string task;
  std::string task_version;              ///< Written down beside the output, so that another training is not mixed in.
  TenantId tenant;
  Tier tier = Tier::automatic;
  double abstain_below = 0;
  bool evidence = false;
  bool restart = false;                  ///< Begin anew where an earlier run was broken off.
  std::size_t lines_at_once = 8192;
};

struct LabelStreamReport {
  std::int64_t lines = 0, errors = 0, abstained = 0;
  std::int64_t continued_from = 0;       ///< Lines that an earlier, broken run had written.
  std::array<std::int64_t, 5> by_tier{}; ///< Index: Tier.
  double seconds = 0;
  bool stopped = false;                  ///< By `stop`; the same call goes on from there.
};

/// Memory does not grow with the file. Killed at any moment, the same call continues behind the last whole line of the output
/// (a file OUTPUT.progress stands beside it until the end). `progress` gets bytes read and bytes of the input (0: not known).
/// Errors: not_found (input, task), conflict (the broken run had other settings; says which), storage_full, those of Labeller.
Result<LabelStreamReport> label_stream(Labeller& labeller, const LabelStreamSettings& settings,
                                       const std::function<void(std::int64_t done, std::int64_t total, std::int64_t lines)>& progress, std::stop_token stop);

}  // namespace heng::insight
