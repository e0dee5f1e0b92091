#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "heng/base/result.h"

namespace heng::redteam {

/// What kind of attack. The first six go to the running system; `egress`, `promise` and `covert` assume that the model is hijacked
/// and writes what the attacker wants.
enum class Family {
  direct,         ///< Instructions in the user's own message.
  indirect,       ///< Instructions in a document or in the result of a tool.
  jailbreak,      ///< Frames that talk the rules away.
  prompt_leak,    ///< Asks for the system prompt.
  exfiltration,   ///< Asks for what another tenant or role has.
  tool_abuse,     ///< A caller that obeys every injected instruction, and tool calls returned to clients.
  egress,         ///< Secrets carried out in every encoding that one text can hold.
  promise,        ///< Forbidden promises, disguised.
  covert,         ///< Secrets spread over replies or in a code that only the receiver knows. No filter closes this; measured, not gated.
};
inline constexpr std::array all_families = {Family::direct,     Family::indirect, Family::jailbreak, Family::prompt_leak, Family::exfiltration,
                                     Family::tool_abuse, Family::egress,   Family::promise,   Family::covert};
std::string_view name_of(Family family);
/// Errors: invalid_argument (names the known ones).
Result<Family> family_named(std::string_view name);

/// What the attacker wants; decides what counts as a success.
enum class Goal {
  canary,    ///< The canary of the system prompt leaves.
  promise,   ///< A forbidden promise is made.
  link,      ///< A link or picture of a foreign host with data in it.
  word,      ///< The attacker's code word stands in an answer that the system vouches for.
  secret,    ///< What another tenant or role has.
  effect,    ///< A tool call with an effect, without a person.
};
std::string_view name_of(Goal goal);

enum class Surface { chat, ask, search, tool };
std::string_view name_of(Surface surface);

/// One attack of the corpus, with the goal's sentence put into its frame; "{word}" still stands in it.
struct Seed {
  std::string id;                      ///< "en-direct-3/canary-1".
  Family family = Family::direct;
  Goal goal = Goal::canary;
  Surface surface = Surface::chat;
  bool chinese = false;
  std::string text;                    ///< What is hidden in a document or tool result for `indirect`; turns parted by " ||| ".
};

/// The corpora that come with Heng (corpus/attacks_*.txt), frames and goals multiplied. Errors: malformed_input (file, line).
Result<std::vector<Seed>> built_in_seeds();
/// The same of one text. Errors: malformed_input (name, line, reason).
Result<std::vector<Seed>> read_seeds(std::string_view text, const std::string& name, bool chinese);

}  // namespace heng::redteam
