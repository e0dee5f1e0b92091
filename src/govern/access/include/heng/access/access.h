#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "heng/base/ids.h"
#include "heng/base/result.h"
#include "heng/contracts/labels.h"
#include "heng/contracts/principal.h"

namespace heng::access {

enum class Action {
  ask, chat, embed, search, kb_list, kb_manage, document_read, document_manage, feedback, me,
  review_use, review_decide, review_supervise, stop_press, key_manage, user_manage, audit_read, monitor_read, metrics_read, incident_manage,
  inventory_manage, erase, vault_use,
};
inline constexpr int action_count = static_cast<int>(Action::vault_use) + 1;
std::string_view to_string(Action action);
/// Errors: invalid_argument (lists the names).
Result<Action> parse_action(std::string_view name);

/// What an action is done to. `readers` are labels as a document keeps them; see README.md.
struct Resource {
  TenantId tenant;
  std::vector<std::string> readers;
};

enum class DeskScope { any, own };

/// A row of the table.
struct Rule {
  std::string id;                         ///< Named in decisions, e.g. "auditor".
  std::string role;                       ///< "*": every authenticated principal.
  std::vector<Action> actions;
  DeskScope desks = DeskScope::any;       ///< own: only what is of the principal's desk or of none.
  DataClass most_class = DataClass::c3;   ///< Of the resource, besides the principal's clearance.
  std::vector<std::string> purposes;      ///< The principal must state one of these; empty: any or none.
};

struct Decision {
  bool allowed = false;
  std::string rule;                       ///< The row that allowed it, or what refused: "tenant", "readers", "desk", "class", "purpose", "no rule".
  explicit operator bool() const { return allowed; }
};

/// The table. A value; its functions are pure and thread-safe.
class Policy {
 public:
  explicit Policy(std::vector<Rule> rules) : rules_(std::move(rules)) {}
  /// Allowed only where the tenant is the principal's, the labels let it read, and a row allows the action.
  Decision decide(const Principal& principal, Action action, const Resource& resource) const;
  const std::vector<Rule>& rules() const { return rules_; }

 private:
  std::vector<Rule> rules_;
};

/// The rows that come with Heng.
const std::vector<Rule>& builtin_rules();
/// Builtin rows and the institution's own. Errors: invalid_argument (a rule without a role or action; "admin" redefined).
Result<Policy> make_policy(const std::vector<Rule>& own);

/// Whether the labels of a resource let the principal read it (roles, desk, data class). Pure; used inside retrieval.
bool may_read(const Principal& principal, const std::vector<std::string>& readers);
/// For each label that is not a role: is it well formed? Errors: invalid_argument (names the label).
Result<void> check_readers(const std::vector<std::string>& readers);
/// The data class that the labels ask for; C1 where they name none, C3 where they are malformed.
DataClass class_of(const std::vector<std::string>& readers);

}  // namespace heng::access
