#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "heng/base/result.h"
#include "heng/guard_policy/file.h"
#include "heng/guard_text/literals.h"

namespace heng::guard_conduct {

enum class RuleAction { advise, review, withhold };
std::string_view to_string(RuleAction action);

/// A rule: phrases that may not be said. In a phrase, '~' lets up to 16 characters of the same clause stand between its parts.
struct PhraseRule {
  std::string id, title, clause;
  RuleAction action = RuleAction::withhold;
  std::vector<std::string> phrases;       ///< Chinese and English, lower case.
  std::vector<std::string> unless;        ///< Where one of these covers the place, the phrase is no violation ("风险揭示书").
  bool negation_lifts = true;             ///< A negated phrase ("不保本") is no violation.
  int line = 0;
};

/// A text that must stand beside another: said about returns, the warning must be there too.
struct Disclosure {
  std::string id, clause;
  std::vector<std::string> when, wanted;  ///< Any of `when`, none of `wanted`: missing.
  std::string zh, en;                     ///< What to add.
};

struct Violation {
  std::string rule, title, clause;
  RuleAction action = RuleAction::withhold;
  std::size_t begin = 0, end = 0;         ///< Bytes of the text given.
  std::string add;                        ///< For a missing disclosure: the text to add.
};

/// The rules of one policy file of kind "marketing". Immutable; threads: safe.
class PhraseRules {
 public:
  /// Errors: malformed_input (file, line, reason): see README.
  static Result<std::unique_ptr<PhraseRules>> create(std::string_view text, const std::string& name);
  ~PhraseRules();
  /// In rising order. `text` must be valid UTF-8. Errors: internal.
  Result<std::vector<Violation>> check(std::string_view text) const;
  const guard_policy::Header& header() const { return header_; }
  const std::vector<PhraseRule>& rules() const { return rules_; }

 private:
  struct Phrase {
    std::size_t rule = 0;
    std::vector<std::string> parts;
  };
  PhraseRules() = default;
  Result<void> read(std::string_view text, const std::string& name);
  Result<void> prepare();
  Result<void> run_own_tests(const guard_policy::File& file) const;

  guard_policy::Header header_;
  std::vector<PhraseRule> rules_;
  std::vector<Disclosure> disclosures_;
  std::vector<Phrase> phrases_;
  std::unique_ptr<guard_text::Literals> first_parts_, exceptions_;
  std::vector<std::size_t> exception_rule_;
};

std::string_view default_marketing_text();

}  // namespace heng::guard_conduct
