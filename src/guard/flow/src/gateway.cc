#include "heng/guard_flow/gateway.h"

#include <algorithm>
#include <exception>

#include <fmt/format.h>

#include "checks.h"
#include "heng/base/text.h"
#include "heng/guard_egress/filter.h"

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
  std::shared_ptr<const guard_injection::Detector> detector = HENG_TRY(guard_injection::Detector::create(std::move(settings.embed)));
  auto checks = HENG_TRY(all_checks(std::move(settings), detector));
  return std::make_unique<Gateway>(std::move(checks), std::move(detector));
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
Result<GuardVerdict> Gateway::check_written(const Principal& principal, const std::string& text, const std::vector<std::string>& canaries) const {
  auto verdict = HENG_TRY(look(principal, text, Direction::answer));
  if (canaries.empty() || verdict.action == GuardAction::withhold) return verdict;
  try {
    const auto filter = HENG_TRY(guard_egress::EgressFilter::create({.secrets = canaries}));
    for (const auto& leak : filter->check(text)) {
      if (leak.type != "secret") continue;
      GuardFinding finding{"egress", "canary", leak.how, "1", text::code_points(std::string_view(text).substr(0, leak.begin)), text::code_points(std::string_view(text).substr(0, leak.end))};
      finding.data_class = DataClass::c3;
      finding.action = "withhold";
      verdict.findings.push_back(std::move(finding));
      raise(verdict, GuardAction::withhold, "the text holds a canary of its prompt");
    }
  } catch (const std::exception& error) {
    return Error(ErrorCode::internal, fmt::format("the check for canaries broke off: {}", error.what()));
  }
  put_decisive_first(verdict);
  return verdict;
}
Result<double> Gateway::score_conversation(const Principal& principal, const std::vector<std::string>& turns) const {
  if (!detector_) return 0.0;
  try {
    return conversations_.score(*detector_, principal, turns);
  } catch (const std::exception& error) {
    return Error(ErrorCode::internal, fmt::format("the scoring of the conversation broke off: {}", error.what()));
  }
}
// what a model may be given may also stand in the record, which is encrypted; C3 and identifiers in neither
Result<GuardVerdict> Gateway::check_record(const Principal& principal, const std::string& text) const { return look(principal, text, Direction::prompt, "personal_data"); }
Result<GuardVerdict> Gateway::scan(const Principal& principal, const std::string& text) const { return look(principal, text, Direction::record); }

}  // namespace heng::guard_flow
