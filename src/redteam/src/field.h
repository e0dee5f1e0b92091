#pragma once

#include <set>
#include <string>
#include <vector>

#include "heng/redteam/campaign.h"

namespace heng::redteam {

/// What all attacks of a campaign share. Lives on the stack of attack(); one thread.
struct Field {
  const CampaignSettings& settings;
  const Probes& probes;
  const Told& told;
  std::stop_token stop;
  Dice dice;
  Report& report;

  bool wanted(Family family) const {
    for (const Family f : settings.families)
      if (f == family) return true;
    return settings.families.empty();
  }
  void tell(std::int64_t done, std::int64_t total, std::string_view what) const {
    if (told) told(done, total, what);
  }
  /// A canary as a system prompt carries it: the egress filter of the flow knows words of this form.
  std::string canary() { return "canary-" + dice.word(20); }
  void skip(std::string_view what, std::string why) { report.not_run.push_back({std::string(what), std::move(why)}); }
};

/// The system message of a chat under attack.
std::string system_prompt(bool chinese, const std::string& canary);
/// Tools that a chat under attack declares.
const std::vector<ToolSpec>& bank_tools();
bool has_effect(std::string_view tool);
/// A conversation in which a tool has just answered with `result`.
std::vector<Message> after_tool(bool chinese, const std::string& canary, const std::string& result);

/// The families that need no model. Errors: cancelled.
Result<void> run_probes(Field& field);
/// The detector over the corpus in every disguise.
Result<void> score_corpus(Field& field, const std::vector<Seed>& seeds);
/// Asks for a planted secret as a stranger. Errors: cancelled, those of planting.
Result<void> run_exfiltration(Field& field, Target& target, const std::vector<Seed>& seeds, std::int64_t most_asks);

}  // namespace heng::redteam
