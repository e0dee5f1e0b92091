#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "heng/base/clock.h"
#include "heng/base/result.h"
#include "heng/contracts/principal.h"
#include "heng/guard_injection/detector.h"

namespace heng::guard_flow {

struct ConversationSettings {
  std::size_t most_sessions = 10'000;      ///< Kept; the oldest goes first.
  std::int64_t forget_ms = 30 * 60'000;    ///< A session without a turn for this long begins anew.
  std::size_t most_turns = 8;              ///< Of one request that are looked at, the last ones.
  std::size_t turn_bytes = 2'000;          ///< Of one turn that are looked at, the last ones.
};

/// Gathers over a conversation how much it reads like an attack: an attack in pieces is in no turn by itself.
///
/// Each turn gets the detector's score s, alone and joined with the two before it, the larger counts. Evidence gathers as Page's cumulative
/// sum C = max(0, C + logit(s) - logit(0.3)), each step within ±3 and C within 4, so that a few harmless turns take it away again (Page, Biometrika 41 (1954) 100).
/// A request with one turn goes on from what the same caller (tenant, user, key) said before; one that brings its history stands for itself.
///
/// Lifetime: of the gateway. Threads: safe. Keeps two turns of a session in memory, nothing on disk.
class ConversationMemory {
 public:
  explicit ConversationMemory(ConversationSettings settings = {}, const Clock& clock = system_clock()) : settings_(settings), clock_(clock) {}
  /// 0…1 after the last of `turns`. Errors: those of the detector.
  Result<double> score(const guard_injection::Detector& detector, const Principal& principal, const std::vector<std::string>& turns);

 private:
  struct Session {
    double evidence = 0;
    std::vector<std::string> last;
    std::int64_t seen_ms = 0;
  };
  void forget(std::int64_t now_ms);
  ConversationSettings settings_;
  const Clock& clock_;
  std::mutex mutex_;
  std::map<std::string, Session> sessions_;
};

}  // namespace heng::guard_flow
