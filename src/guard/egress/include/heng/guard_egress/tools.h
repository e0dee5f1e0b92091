#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "heng/base/result.h"
#include "heng/contracts/labels.h"
#include "heng/contracts/principal.h"
#include "heng/contracts/tools.h"
#include "heng/guard_policy/file.h"

namespace heng::guard_egress {

enum class Effect { read, write, money, send, permission };
enum class ArgumentType { text, number, account, mail, url };

struct ArgumentRule {
  std::string name;
  ArgumentType type = ArgumentType::text;
  bool required = false;
  std::int64_t most_characters = 200;
  Integrity least_integrity = Integrity::user;
  DataClass highest_class = DataClass::c1;
};

struct ToolRule {
  std::string name;
  Effect effect = Effect::read;
  std::vector<std::string> roles;          ///< Empty: every role.
  std::vector<std::string> hosts;          ///< For arguments of type url; empty: none.
  std::int64_t per_request = 1, per_day = 0;   ///< per_day 0: no limit.
  bool confirm = false;                    ///< A person confirms each call.
  bool own = false;                        ///< A tool of Heng's own: the rule says nothing of a client's tool of the same name.
  std::vector<ArgumentRule> arguments;
};

using LabelledValue = heng::LabelledValue;
using ToolCall = heng::ToolUse;
using Decision = heng::ToolDecision;
using ToolVerdict = heng::ToolVerdict;

/// Decides on tool calls: a pure function of policy and call. Immutable; threads: safe.
class ToolPolicy {
 public:
  /// Errors: malformed_input (file, line, reason): doubled names, money or permissions from untrusted values, C3 anywhere, a policy that allows no tool.
  static Result<std::unique_ptr<ToolPolicy>> create(std::string_view text, const std::string& name);
  /// A tool without a rule is denied; but a call that is handed to the client whose tool it is goes to a person's confirmation where the
  /// policy says `unlisted_client_tools = "confirm"`. What is not of its declared type is denied.
  ToolVerdict decide(const Principal& principal, const ToolCall& call) const;
  const guard_policy::Header& header() const { return header_; }

 private:
  ToolPolicy() = default;
  guard_policy::Header header_;
  std::map<std::string, ToolRule> tools_;
  bool unlisted_confirmed_ = false;
};

std::string_view default_tool_policy_text();

}  // namespace heng::guard_egress
