#include "checks.h"

#include <algorithm>

#include <fmt/format.h>

#include "heng/base/text.h"
#include "heng/guard_injection/detector.h"
#include "heng/guard_pii/masker.h"
#include "heng/guard_pii/scanner.h"

namespace heng::guard_flow {
namespace {

std::size_t points(const std::string& text, std::size_t bytes) { return text::code_points(std::string_view(text).substr(0, bytes)); }

/// Size, encoding, hidden characters, Heng's own secrets. A scan only wants to be valid and of bearable size.
class TextCheck final : public Check {
 public:
  explicit TextCheck(std::unique_ptr<guard::TextGuard> guard) : guard_(std::move(guard)) {}
  std::string_view name() const override { return "text"; }
  Result<void> look(const Principal& principal, const std::string& text, Direction direction, GuardVerdict& verdict) const override {
    if (direction == Direction::record) return {};
    auto found = HENG_TRY(direction == Direction::prompt ? guard_->check_input(principal, text) : guard_->check_output(principal, text));
    raise(verdict, found.action, found.reason);
    verdict.findings.insert(verdict.findings.end(), found.findings.begin(), found.findings.end());
    return {};
  }

 private:
  std::unique_ptr<guard::TextGuard> guard_;
};

class PersonalDataCheck final : public Check {
 public:
  static Result<std::unique_ptr<Check>> create(const GatewaySettings& settings) {
    std::unique_ptr<PersonalDataCheck> out(new PersonalDataCheck);
    out->policy_ = settings.personal_data;
    out->scanner_ = HENG_TRY(guard_pii::Scanner::create({.names = settings.names}));
    out->masker_ = std::make_unique<guard_pii::Masker>(HENG_TRY(guard_pii::Masker::create(out->policy_, settings.mask_key)));
    return std::unique_ptr<Check>(std::move(out));
  }
  std::string_view name() const override { return "personal_data"; }
  Result<void> look(const Principal&, const std::string& text, Direction direction, GuardVerdict& verdict) const override {
    const auto channel = direction == Direction::record   ? guard_pii::Channel::record
                         : direction == Direction::prompt ? guard_pii::Channel::prompt
                                                          : guard_pii::Channel::answer;
    const auto matches = HENG_TRY(scanner_->scan(text, names_matter(channel) ? guard_pii::Names::with : guard_pii::Names::without));
    auto report = masker_->apply(text, matches, channel);
    std::string reason;
    for (const auto& finding : report.findings)
      if (reason.empty() && finding.action == "refuse")
        reason = fmt::format("the text holds a {}, which policy {} {} refuses", finding.type, policy_.header.id, policy_.header.version);
    raise(verdict, report.action, reason.empty() ? "personal data is masked" : reason);
    verdict.masked = std::move(report.masked);
    verdict.findings.insert(verdict.findings.end(), std::make_move_iterator(report.findings.begin()), std::make_move_iterator(report.findings.end()));
    return {};
  }

 private:
  PersonalDataCheck() = default;
  /// Where policy lets names, addresses and organisations pass, nobody needs to find them.
  bool names_matter(guard_pii::Channel channel) const {
    using guard_pii::Type;
    for (const auto type : {Type::person, Type::address, Type::organization, Type::location, Type::title, Type::date_time})
      if (policy_.action(type, channel) != guard_pii::Action::allow) return true;
    return channel == guard_pii::Channel::record;
  }
  guard_pii::Policy policy_;
  std::unique_ptr<guard_pii::Scanner> scanner_;
  std::unique_ptr<guard_pii::Masker> masker_;
};

/// How much the text reads like an attack on the model. Advises: the verdict's action stays.
class InjectionCheck final : public Check {
 public:
  explicit InjectionCheck(std::unique_ptr<guard_injection::Detector> detector) : detector_(std::move(detector)) {}
  std::string_view name() const override { return "injection"; }
  Result<void> look(const Principal&, const std::string& text, Direction direction, GuardVerdict& verdict) const override {
    if (direction == Direction::answer) return {};
    for (const auto& chunk : HENG_TRY(detector_->chunks(text))) {
      verdict.injection_score = std::max(verdict.injection_score, chunk.score);
      if (chunk.score < detector_->threshold()) continue;
      GuardFinding finding{"injection", "prompt_injection", "detector", "1", points(text, chunk.begin), points(text, chunk.end)};
      finding.action = "advise";
      verdict.findings.push_back(std::move(finding));
    }
    return {};
  }

 private:
  std::unique_ptr<guard_injection::Detector> detector_;
};

/// What may be said to a customer. Not asked of what customers say.
class ConductCheck final : public Check {
 public:
  ConductCheck(std::shared_ptr<const guard_conduct::PhraseRules> marketing, std::shared_ptr<const guard_conduct::Suitability> suitability)
      : marketing_(std::move(marketing)), suitability_(std::move(suitability)) {}
  std::string_view name() const override { return "conduct"; }
  Result<void> look(const Principal&, const std::string& text, Direction direction, GuardVerdict& verdict) const override {
    if (direction == Direction::prompt) return {};
    for (const auto& violation : HENG_TRY(marketing_->check(text))) add(text, violation, "marketing", marketing_->header().version, verdict);
    for (const auto& violation : suitability_->check(text)) add(text, violation, "suitability", suitability_->header().version, verdict);
    return {};
  }

 private:
  static void add(const std::string& text, const guard_conduct::Violation& violation, const char* kind, const std::string& version, GuardVerdict& verdict) {
    GuardFinding finding{kind, violation.rule, violation.rule, version, points(text, violation.begin), points(text, violation.end)};
    finding.action = guard_conduct::to_string(violation.action);
    finding.clause = violation.clause;
    verdict.findings.push_back(std::move(finding));
    if (violation.action == guard_conduct::RuleAction::advise) return;
    raise(verdict, violation.action == guard_conduct::RuleAction::review ? GuardAction::review : GuardAction::withhold,
          fmt::format("rule {} ({}): {}", violation.rule, violation.clause, violation.title));
  }
  std::shared_ptr<const guard_conduct::PhraseRules> marketing_;
  std::shared_ptr<const guard_conduct::Suitability> suitability_;
};

/// What may leave, whoever wrote it.
class EgressCheck final : public Check {
 public:
  explicit EgressCheck(std::unique_ptr<guard_egress::EgressFilter> filter) : filter_(std::move(filter)) {}
  std::string_view name() const override { return "egress"; }
  Result<void> look(const Principal&, const std::string& text, Direction direction, GuardVerdict& verdict) const override {
    if (direction == Direction::prompt) return {};
    for (const auto& leak : filter_->check(text)) {
      const bool link = leak.type == "image" || leak.type == "link";
      if (link && direction == Direction::record) continue;
      GuardFinding finding{"egress", leak.type, leak.how, "1", points(text, leak.begin), points(text, leak.end)};
      finding.data_class = link ? DataClass::c1 : DataClass::c3;
      const bool masks = leak.action == guard_egress::LinkAction::mask && text::code_points(verdict.masked) == text::code_points(text);
      finding.action = masks ? "mask" : "withhold";
      if (masks) blot(verdict.masked, finding.begin, finding.end);
      verdict.findings.push_back(std::move(finding));
      raise(verdict, masks ? GuardAction::mask : GuardAction::withhold, fmt::format("the text holds a {} that may not leave", leak.type));
    }
    return {};
  }

 private:
  static void blot(std::string& text, std::size_t begin, std::size_t end) {
    std::u32string wide = text::to_utf32(text);
    for (std::size_t i = begin; i < end && i < wide.size(); ++i) wide[i] = U'*';
    text = text::from_utf32(wide);
  }
  std::unique_ptr<guard_egress::EgressFilter> filter_;
};

}  // namespace

Result<std::vector<std::unique_ptr<Check>>> all_checks(GatewaySettings settings) {
  std::vector<std::unique_ptr<Check>> out;
  out.push_back(std::make_unique<TextCheck>(HENG_TRY(guard::TextGuard::create(settings.text))));
  out.push_back(HENG_TRY(PersonalDataCheck::create(settings)));
  out.push_back(std::make_unique<InjectionCheck>(HENG_TRY(guard_injection::Detector::create(std::move(settings.embed)))));
  if (!settings.marketing) settings.marketing = HENG_TRY(guard_conduct::PhraseRules::create(guard_conduct::default_marketing_text(), "marketing.toml"));
  if (!settings.suitability) settings.suitability = HENG_TRY(guard_conduct::Suitability::create(guard_conduct::default_suitability_text(), "suitability.toml"));
  out.push_back(std::make_unique<ConductCheck>(settings.marketing, settings.suitability));
  out.push_back(std::make_unique<EgressCheck>(HENG_TRY(guard_egress::EgressFilter::create(std::move(settings.egress)))));
  return out;
}

}  // namespace heng::guard_flow
