#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "heng/base/result.h"
#include "heng/contracts/labels.h"
#include "heng/contracts/principal.h"
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
  std::vector<ArgumentRule> arguments;
};

/// A value with where it comes from.
struct LabelledValue {
  std::string value;
  Labels labels;
};

struct ToolCall {
  std::string tool;
  std::map<std::string, LabelledValue> arguments;
  Labels intent;                           ///< Join of everything that led to the call: whose wish it is.
  bool quarantined = false;                ///< Proposed by a parser of untrusted text.
  std::int64_t in_request = 0, in_day = 0; ///< Calls of this tool made before.
};

enum class Decision { allow, confirm, deny };
struct ToolVerdict {
  Decision decision = Decision::deny;
  std::string reason, clause;
  std::vector<std::string> untrusted;      ///< Arguments that a person must look at.
};

/// Decides on tool calls: a pure function of policy and call. Immutable; threads: safe.
class ToolPolicy {
 public:
  /// Errors: malformed_input (file, line, reason): doubled names, money or permissions from untrusted values, C3 anywhere, a policy that allows no tool.
  static Result<std::unique_ptr<ToolPolicy>> create(std::string_view text, const std::string& name);
  /// A tool without a rule is denied. What is not of its declared type is denied.
  ToolVerdict decide(const Principal& principal, const ToolCall& call) const;
  const guard_policy::Header& header() const { return header_; }

 private:
  ToolPolicy() = default;
  guard_policy::Header header_;
  std::map<std::string, ToolRule> tools_;
};

std::string_view default_tool_policy_text();

}  // namespace heng::guard_egress
