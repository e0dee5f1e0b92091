#pragma once

#include <memory>

#include "heng/base/clock.h"
#include "heng/base/ids.h"
#include "heng/base/result.h"
#include "heng/contracts/answer.h"
#include "heng/contracts/audit.h"
#include "heng/contracts/guard.h"
#include "heng/contracts/inference.h"
#include "heng/contracts/review.h"
#include "heng/contracts/stops.h"
#include "heng/contracts/tools.h"
#include "heng/contracts/vault.h"

namespace heng::pipeline {

/// When the text of a chat is checked on its way out.
enum class OutputGuard {
  stream,   ///< Text leaves as it is written, held back by `hold_back_code_points` so that a rule sees an entity whole.
  whole,    ///< Nothing leaves before the whole answer has been checked.
};

struct ChatterSettings {
  OutputGuard output_guard = OutputGuard::stream;
  int hold_back_code_points = 128;  ///< At least the longest entity a rule can match.
  std::string provider = "Heng";    ///< Named in the label of generated content: the institution's name or code.
};

/// What the flow needs of other rooms. All must outlive the chatter and be thread-safe.
struct ChatterPorts {
  Inference& inference;
  Audit& audit;
  const Guard& guard;
  const Clock& clock;
  Random& random;
  Reviews* reviews = nullptr;      ///< Without a queue, what needs a person is withheld.
  const Stops* stops = nullptr;    ///< Without stop buttons nothing is halted.
  ToolGate* tools = nullptr;       ///< Without a gate no tool call is handed out.
  Vault* vault = nullptr;          ///< Without one, a text with values that policy keeps there goes nowhere.
};

/// Plain chat under the same contract as ask: open record → guard in → infer → guard out → close record → reply.
///
/// Lifetime: made once at start-up, outlived by its ports. Threads: chat() may be called from many threads at once; it
/// blocks its caller, and calls the sink on that thread. The caller sends its own final event only after chat() returned
/// a reply: then the record is closed.
class RecordedChatter final : public Chatter {
 public:
  /// Errors: invalid_argument (a setting out of range; names it).
  static Result<std::unique_ptr<RecordedChatter>> create(const ChatterSettings& settings, const ChatterPorts& ports);
  ~RecordedChatter() override;

  /// Errors: invalid_argument, malformed_input, policy_denied (guard in or out), unavailable (the record cannot be opened or
  /// closed), and those of Inference::chat.
  Result<ChatReply> chat(const ChatTurn& turn, const ChatSink& sink, std::stop_token stop) override;

 private:
  RecordedChatter(const ChatterSettings& settings, const ChatterPorts& ports);
  ChatterSettings settings_;
  ChatterPorts ports_;
};

}  // namespace heng::pipeline
