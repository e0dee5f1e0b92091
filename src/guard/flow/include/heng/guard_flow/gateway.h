#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "heng/base/result.h"
#include "heng/contracts/guard.h"
#include "heng/guard/text_guard.h"
#include "heng/guard_conduct/phrases.h"
#include "heng/guard_conduct/suitability.h"
#include "heng/guard_egress/filter.h"
#include "heng/guard_egress/tools.h"
#include "heng/guard_flow/conversation.h"
#include "heng/guard_injection/detector.h"
#include "heng/guard_pii/policy.h"

namespace heng::guard_flow {

/// What a text is about to do.
enum class Direction {
  record,   ///< Be kept: files, tickets, logs.
  prompt,   ///< Go to a model.
  answer,   ///< Go to a user.
};

/// One check. Adds its findings to the verdict and raises its action; never lowers it.
class Check {
 public:
  virtual ~Check() = default;
  virtual std::string_view name() const = 0;
  virtual Result<void> look(const Principal& principal, const std::string& text, Direction direction, GuardVerdict& verdict) const = 0;
};

/// Raises `verdict` to `action`; the first reason of the strongest action stays.
void raise(GuardVerdict& verdict, GuardAction action, std::string_view reason);

struct GatewaySettings {
  guard::TextGuardSettings text;
  guard_pii::Policy personal_data = guard_pii::default_policy();
  std::string mask_key;               ///< At least 16 bytes.
  bool names = true;                  ///< Run the tagger for names and addresses.
  std::shared_ptr<const guard_conduct::PhraseRules> marketing;      ///< Shared with who lists policies; null: the ones that come with Heng.
  std::shared_ptr<const guard_conduct::Suitability> suitability;
  guard_injection::Embed embed;       ///< For the encoder stage of the injection detector; null: n-grams alone.
  guard_egress::EgressSettings egress;                              ///< With the link policy.
  std::shared_ptr<const guard_egress::ToolPolicy> tools;            ///< For the tool gate beside the gateway, which does not look at it.
};

/// All checks in order, as the ports of the flow. See README.
class Gateway final : public Guard, public GuardScanner {
 public:
  /// Errors: invalid_argument (key, limits), internal (patterns).
  static Result<std::unique_ptr<Gateway>> create(GatewaySettings settings);
  /// For tests and for checks of an institution's own.
  explicit Gateway(std::vector<std::unique_ptr<Check>> checks, std::shared_ptr<const guard_injection::Detector> detector = nullptr)
      : checks_(std::move(checks)), detector_(std::move(detector)) {}

  /// Errors: internal (a check failed: says which). The caller refuses.
  Result<GuardVerdict> check_input(const Principal& principal, const std::string& text) const override;
  Result<GuardVerdict> check_output(const Principal& principal, const std::string& text) const override;
  Result<GuardVerdict> check_record(const Principal& principal, const std::string& text) const override;
  Result<GuardVerdict> scan(const Principal& principal, const std::string& text) const override;
  /// The answer's checks, and that none of the canaries leaves in any disguise. Errors: also invalid_argument (a canary too short).
  Result<GuardVerdict> check_written(const Principal& principal, const std::string& text, const std::vector<std::string>& canaries) const override;
  Result<double> score_conversation(const Principal& principal, const std::vector<std::string>& turns) const override;
  /// A score from here on is called an attack.
  double injection_threshold() const { return detector_ ? detector_->threshold() : 0.5; }
  /// `only`: the name of one check; empty: all.
  Result<GuardVerdict> look(const Principal& principal, const std::string& text, Direction direction, std::string_view only = {}) const;

 private:
  std::vector<std::unique_ptr<Check>> checks_;
  std::shared_ptr<const guard_injection::Detector> detector_;   // shared with its check; null: conversations are not scored
  mutable ConversationMemory conversations_;
};

/// The gateway in force, which can be replaced while it is used: a request that began with the old one ends with it.
class LiveGateway final : public Guard, public GuardScanner {
 public:
  explicit LiveGateway(std::shared_ptr<const Gateway> gateway) : current_(std::move(gateway)) {}
  void replace(std::shared_ptr<const Gateway> gateway) {
    const std::lock_guard lock(mutex_);
    current_ = std::move(gateway);
  }
  Result<GuardVerdict> check_input(const Principal& principal, const std::string& text) const override { return current()->check_input(principal, text); }
  Result<GuardVerdict> check_output(const Principal& principal, const std::string& text) const override { return current()->check_output(principal, text); }
  Result<GuardVerdict> check_record(const Principal& principal, const std::string& text) const override { return current()->check_record(principal, text); }
  Result<GuardVerdict> scan(const Principal& principal, const std::string& text) const override { return current()->scan(principal, text); }
  Result<GuardVerdict> check_written(const Principal& principal, const std::string& text, const std::vector<std::string>& canaries) const override {
    return current()->check_written(principal, text, canaries);
  }
  Result<double> score_conversation(const Principal& principal, const std::vector<std::string>& turns) const override { return current()->score_conversation(principal, turns); }
  double injection_threshold() const { return current()->injection_threshold(); }

 private:
  std::shared_ptr<const Gateway> current() const {
    const std::lock_guard lock(mutex_);
    return current_;
  }
  mutable std::mutex mutex_;
  std::shared_ptr<const Gateway> current_;   // shared with the requests that run
};

}  // namespace heng::guard_flow
