#pragma once

#include <string>
#include <vector>

#include "heng/base/result.h"
#include "heng/contracts/labels.h"
#include "heng/contracts/principal.h"

namespace heng {

enum class GuardAction { release, mask, review, withhold };

struct GuardFinding {
  std::string kind, type, rule, version;
  std::size_t begin = 0, end = 0;     ///< Code points.
  DataClass data_class = DataClass::c1;
  std::string action = {};            ///< What policy does with it: "allow", "mask", "vault", "refuse", "advise"; empty: as the verdict.
  std::string clause = {};            ///< The text applied, where it is a rule of conduct.
};

/// A value that a token stands for in a masked text. The vault must have it before the text goes on, so that two people may turn it back.
struct VaultItem {
  std::string token;                  ///< "[ID_CARD:7f3a…]".
  std::string type, value;
};

struct GuardVerdict {
  GuardAction action = GuardAction::release;
  std::vector<GuardFinding> findings;
  std::string reason;
  std::string masked = {};            ///< With action mask: the text as it may leave; of the same number of code points unless tokens stand in it.
  std::vector<VaultItem> vault = {};  ///< Values whose tokens stand in `masked`: never printed, never recorded.
  double injection_score = 0;         ///< 0…1, how much it reads like an attack on the model: advice, not a decision.
};

/// A check of text going in or out. Guards fail closed: an error counts as withhold.
class Guard {
 public:
  virtual ~Guard() = default;
  virtual Result<GuardVerdict> check_input(const Principal&, const std::string& text) const = 0;
  virtual Result<GuardVerdict> check_output(const Principal&, const std::string& text) const = 0;
  /// check_output of a text that a model wrote from a prompt with these canaries: words that stand only in the prompt and may not leave in
  /// any disguise. Each has at least 8 letters or digits. Default: a plain search, then check_output.
  virtual Result<GuardVerdict> check_written(const Principal& principal, const std::string& text, const std::vector<std::string>& canaries) const {
    for (const auto& canary : canaries)
      if (text.find(canary) != std::string::npos) return GuardVerdict{GuardAction::withhold, {}, "the text holds a canary of its prompt"};
    return check_output(principal, text);
  }
  /// How much the user's turns, oldest first, read like an attack in pieces, 0…1: each by itself, neighbours together, and what has
  /// gathered over the session. Advice, not a decision; an error counts as withhold. Default: 0.
  virtual Result<double> score_conversation(const Principal&, const std::vector<std::string>&) const { return 0.0; }
  /// A text about to be kept in a record: its `masked` is what may stand there. Decides nothing. Default: everything may.
  virtual Result<GuardVerdict> check_record(const Principal&, const std::string&) const { return GuardVerdict{}; }
};

/// A look at a text without letting it in or out: for files, tickets, logs. Thread-safe.
class GuardScanner {
 public:
  virtual ~GuardScanner() = default;
  /// The verdict with every finding and the masked text. Errors: malformed_input (not UTF-8), too_large, invalid_argument.
  virtual Result<GuardVerdict> scan(const Principal&, const std::string& text) const = 0;
};

}  // namespace heng
