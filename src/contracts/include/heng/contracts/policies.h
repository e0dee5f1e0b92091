#pragma once

#include <string>
#include <vector>

namespace heng {

/// One rule of a policy, as far as it is told to people.
struct PolicyRule {
  std::string id;                         ///< Unique in its policy: "guaranteed-principal", "id_card", "transfer", "C3".
  std::string kind;                       ///< "rule", "disclosure", "type", "client", "product", "tool", "links".
  std::string title, clause;              ///< Clause empty: that of the policy.
  std::string action;                     ///< What it does, in words of its kind: "withhold", "mask", "R1…R3", "money, confirm".
  std::vector<std::string> violates, allows;  ///< Its own tests: texts it must stop, texts it must let pass.
  int line = 0;                           ///< Of the file.
};

/// A policy that the running program enforces.
struct PolicyInfo {
  std::string kind, id, version, owner, clause;
  std::string effective_from, effective_until;  ///< "2026-09-30"; until empty: no end.
  std::string sha256;                     ///< Of the file's bytes.
  std::string file;                       ///< Its name under policies/; empty: built into the program.
  std::vector<PolicyRule> rules;
};

}  // namespace heng
