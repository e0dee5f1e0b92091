#include "heng/guard_flow/gateway.h"

#include <algorithm>
#include <exception>

#include <fmt/format.h>

#include "checks.h"

namespace heng::guard_flow {
namespace {

/// The finding that decided comes first where a person must look: the queue shows its rule.
void put_decisive_first(GuardVerdict& verdict) {
  std::stable_sort(verdict.findings.begin(), verdict.findings.end(), [&](const GuardFinding& a, const GuardFinding& b) {
    if (verdict.action == GuardAction::review && (a.action == "review") != (b.action == "review")) return a.action == "review";
    return a.begin < b.begin;
  });
}

}  // namespace

void raise(GuardVerdict& verdict, GuardAction action, std::string_view reason) {
  if (action <= verdict.action) return;
  verdict.action = action;
  verdict.reason = std::string(reason);
}

Result<std::unique_ptr<Gateway>> Gateway::create(GatewaySettings settings) {
  return std::make_unique<Gateway>(HENG_TRY(all_checks(std::move(settings))));
}

Result<GuardVerdict> Gateway::look(const Principal& principal, const std::string& text, Direction direction, std::string_view only) const {
  GuardVerdict verdict;
  verdict.masked = text;
  for (const auto& check : checks_) {
    if (!only.empty() && check->name() != only) continue;
    try {
      auto done = check->look(principal, text, direction, verdict);
      if (!done.ok()) return Error(done.error().code, fmt::format("the check {} failed: {}", check->name(), done.error().message));
    } catch (const std::exception& error) {
      return Error(ErrorCode::internal, fmt::format("the check {} broke off: {}", check->name(), error.what()));
    } catch (...) {
      return Error(ErrorCode::internal, fmt::format("the check {} broke off", check->name()));
    }
    // a text that is refused for its size or encoding is not looked at further
    if (verdict.action == GuardAction::withhold && check->name() == "text" && direction == Direction::prompt) break;
  }
  put_decisive_first(verdict);
  return verdict;
}

Result<GuardVerdict> Gateway::check_input(const Principal& principal, const std::string& text) const { return look(principal, text, Direction::prompt); }
Result<GuardVerdict> Gateway::check_output(const Principal& principal, const std::string& text) const { return look(principal, text, Direction::answer); }
// what a model may be given may also stand in the record, which is encrypted; C3 and identifiers in neither
Result<GuardVerdict> Gateway::check_record(const Principal& principal, const std::string& text) const { return look(principal, text, Direction::prompt, "personal_data"); }
Result<GuardVerdict> Gateway::scan(const Principal& principal, const std::string& text) const { return look(principal, text, Direction::record); }

}  // namespace heng::guard_flow
