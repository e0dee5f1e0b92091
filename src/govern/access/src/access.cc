#include "heng/access/access.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

namespace heng::access {
namespace {

constexpr std::array<std::string_view, action_count> names = {
    "ask", "chat", "embed", "search", "kb.list", "kb.manage", "document.read", "document.manage", "feedback", "me",
    "review.use", "review.decide", "review.supervise", "stop.press", "key.manage", "user.manage", "audit.read", "monitor.read", "metrics.read",
    "incident.manage", "inventory.manage", "erase", "vault.use"};

std::optional<DataClass> parse_class(std::string_view name) {
  if (name == "C1") return DataClass::c1;
  if (name == "C2") return DataClass::c2;
  if (name == "C3") return DataClass::c3;
  return std::nullopt;
}

/// The labels by kind. `broken`: a label of no known kind or form.
struct Sorted {
  std::vector<std::string_view> roles, desks;
  DataClass data_class = DataClass::c1;
  bool broken = false;
};

Sorted sorted(const std::vector<std::string>& readers) {
  Sorted out;
  for (const std::string& reader : readers) {
    const std::string_view label(reader);
    const auto at = label.find('=');
    if (at == std::string_view::npos) {
      out.roles.push_back(label);
      out.broken = out.broken || label.empty();
      continue;
    }
    const auto kind = label.substr(0, at), value = label.substr(at + 1);
    if (kind == "desk" && !value.empty()) {
      out.desks.push_back(value);
    } else if (kind == "class" && parse_class(value)) {
      out.data_class = std::max(out.data_class, *parse_class(value));
    } else if (kind != "subject" || value.empty()) {
      out.broken = true;
    }
  }
  return out;
}

bool holds(const std::vector<std::string_view>& list, std::string_view item) { return std::find(list.begin(), list.end(), item) != list.end(); }

/// What refuses, or nothing.
const char* refusal(const Principal& who, const Sorted& labels) {
  if (labels.broken) return "readers";
  if (!labels.roles.empty() && std::none_of(labels.roles.begin(), labels.roles.end(), [&](auto role) { return who.has_role(role); })) return "readers";
  if (!labels.desks.empty() && (who.desk.empty() || !holds(labels.desks, who.desk))) return "desk";
  if (labels.data_class > who.clearance) return "class";
  return nullptr;
}

/// Whether the row allows; otherwise why not, weakest first.
const char* row_refusal(const Rule& rule, const Principal& who, const Sorted& labels) {
  if (rule.desks == DeskScope::own && !labels.desks.empty() && !holds(labels.desks, who.desk)) return "desk";
  if (labels.data_class > rule.most_class) return "class";
  if (!rule.purposes.empty() && std::find(rule.purposes.begin(), rule.purposes.end(), who.purpose) == rule.purposes.end()) return "purpose";
  return nullptr;
}

}  // namespace

std::string_view to_string(Action action) { return names[static_cast<std::size_t>(action)]; }

Result<Action> parse_action(std::string_view name) {
  std::string all;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return static_cast<Action>(i);
    all += (all.empty() ? "" : ", ") + std::string(names[i]);
  }
  return Error(ErrorCode::invalid_argument, fmt::format("\"{}\" is no action; there are {}", name, all), "actions");
}

const std::vector<Rule>& builtin_rules() {
  using enum Action;
  static const std::vector<Rule> rules = {
      {"everyone", "*", {ask, chat, embed, search, kb_list, document_read, feedback, me, review_use}},
      {"curator", "curator", {kb_manage, document_manage}},
      {"reviewer", "reviewer", {review_decide}},
      {"supervisor", "supervisor", {review_decide, review_supervise, stop_press, monitor_read, incident_manage, vault_use}},
      {"operator", "operator", {stop_press, monitor_read, metrics_read, incident_manage}},
      {"auditor", "auditor", {audit_read, monitor_read, metrics_read, review_supervise, vault_use}},
      {"risk", "risk", {monitor_read, incident_manage, inventory_manage, stop_press, vault_use}},
      // review_decide: the queue lets this role decide on unmasking only
      {"privacy", "privacy", {erase, vault_use, review_decide}},
      // an administrator runs the system and reads its records; judging content is left to reviewers
      {"admin", "admin", {kb_manage, document_manage, review_supervise, stop_press, key_manage, user_manage, audit_read, monitor_read, metrics_read, incident_manage,
                          inventory_manage, erase, vault_use}},
  };
  return rules;
}

Result<Policy> make_policy(const std::vector<Rule>& own) {
  std::vector<Rule> rules = builtin_rules();
  for (const auto& rule : own) {
    if (rule.role.empty() || rule.actions.empty()) return Error(ErrorCode::invalid_argument, "a role needs a name and at least one action", "role");
    if (rule.role == "*") return Error(ErrorCode::invalid_argument, "a rule for everyone cannot be added; name a role", "role");
    const bool known = std::any_of(rules.begin(), rules.end(), [&](const Rule& other) { return other.role == rule.role; });
    if (known) return Error(ErrorCode::invalid_argument, fmt::format("the role \"{}\" is there already; choose another name", rule.role), "role");
    rules.push_back(rule);
    if (rules.back().id.empty()) rules.back().id = rule.role;
  }
  return Policy(std::move(rules));
}

Decision Policy::decide(const Principal& who, Action action, const Resource& resource) const {
  if (who.tenant.empty() || resource.tenant != who.tenant) return {false, "tenant"};
  const Sorted labels = sorted(resource.readers);
  if (const char* why = refusal(who, labels)) return {false, why};
  const char* nearest = "no rule";
  for (const Rule& rule : rules_) {
    if (rule.role != "*" && !who.has_role(rule.role)) continue;
    if (std::find(rule.actions.begin(), rule.actions.end(), action) == rule.actions.end()) continue;
    const char* why = row_refusal(rule, who, labels);
    if (why == nullptr) return {true, rule.id};
    nearest = why;
  }
  return {false, nearest};
}

bool may_read(const Principal& principal, const std::vector<std::string>& readers) { return refusal(principal, sorted(readers)) == nullptr; }

Result<void> check_readers(const std::vector<std::string>& readers) {
  for (const auto& reader : readers)
    if (sorted({reader}).broken)
      return Error(ErrorCode::invalid_argument, fmt::format("\"{}\" is no label: write a role, desk=NAME, class=C1, C2 or C3, or subject=ID", reader), "readers");
  return {};
}

DataClass class_of(const std::vector<std::string>& readers) {
  const Sorted labels = sorted(readers);
  return labels.broken ? DataClass::c3 : labels.data_class;
}

}  // namespace heng::access
