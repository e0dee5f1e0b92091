#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "heng/base/result.h"
#include "heng/contracts/labels.h"
#include "heng/contracts/principal.h"

namespace heng {

/// A value with where it comes from.
struct LabelledValue {
  std::string value;
  Labels labels;
};

/// A tool about to be called, or a call about to be handed to a client that will make it.
struct ToolUse {
  std::string tool;
  std::map<std::string, LabelledValue> arguments;
  Labels intent;                           ///< Join of everything that led to the call: whose wish it is.
  bool quarantined = false;                ///< Proposed by a parser of untrusted text.
  std::int64_t in_request = 0, in_day = 0; ///< Calls of this tool made before.
  bool returned = false;                   ///< Not made here: handed to the client that declared the tool.
};

enum class ToolDecision { allow, confirm, deny };
struct ToolVerdict {
  ToolDecision decision = ToolDecision::deny;
  std::string reason, clause;
  std::vector<std::string> untrusted;      ///< Arguments that a person must look at.
  bool listed = true;                      ///< False: policy has no rule for this tool.
};

/// The one gate in front of every tool call. Thread-safe. A failing gate is an error, which its callers take as "deny".
class ToolGate {
 public:
  virtual ~ToolGate() = default;
  /// Decides and, where it is not denied, counts the call for the day's quota of the caller; `use.in_day` is filled in by the gate.
  virtual Result<ToolVerdict> decide(const Principal& principal, ToolUse use) = 0;
};

}  // namespace heng
