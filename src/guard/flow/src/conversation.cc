#include "heng/guard_flow/conversation.h"

#include <algorithm>
#include <cmath>

#include "heng/base/text.h"

namespace heng::guard_flow {
namespace {

constexpr std::size_t joined_turns = 3;
constexpr double neutral = 0.3, most_step = 3, most_evidence = 4;

double logit(double p) {
  const double x = std::clamp(p, 1e-4, 1 - 1e-4);
  return std::log(x / (1 - x));
}

/// The last `most` bytes, whole characters.
std::string tail(const std::string& turn, std::size_t most) {
  if (turn.size() <= most) return turn;
  std::size_t at = turn.size() - most;
  while (at < turn.size() && (static_cast<unsigned char>(turn[at]) & 0xC0) == 0x80) ++at;
  return turn.substr(at);
}

}  // namespace

void ConversationMemory::forget(std::int64_t now_ms) {
  if (sessions_.size() < settings_.most_sessions) return;
  std::erase_if(sessions_, [&](const auto& entry) { return now_ms - entry.second.seen_ms > settings_.forget_ms; });
  if (sessions_.size() < settings_.most_sessions) return;
  sessions_.erase(std::min_element(sessions_.begin(), sessions_.end(), [](const auto& a, const auto& b) { return a.second.seen_ms < b.second.seen_ms; }));
}

Result<double> ConversationMemory::score(const guard_injection::Detector& detector, const Principal& principal, const std::vector<std::string>& turns) {
  if (turns.empty()) return 0.0;
  const std::string key = principal.tenant.value + '\0' + principal.user.value + '\0' + principal.key.value;
  const std::int64_t now = clock_.unix_ms();
  Session session;
  if (turns.size() == 1) {
    const std::lock_guard lock(mutex_);
    const auto known = sessions_.find(key);
    if (known != sessions_.end() && now - known->second.seen_ms <= settings_.forget_ms) session = known->second;
  }
  double last = 0;
  for (std::size_t i = turns.size() > settings_.most_turns ? turns.size() - settings_.most_turns : 0; i < turns.size(); ++i) {
    const std::string turn = tail(turns[i], settings_.turn_bytes);
    last = HENG_TRY(detector.score(turn));
    if (!session.last.empty()) last = std::max(last, HENG_TRY(detector.score(text::join(session.last, "\n") + "\n" + turn)));
    session.evidence = std::clamp(session.evidence + std::clamp(logit(last) - logit(neutral), -most_step, most_step), 0.0, most_evidence);
    session.last.push_back(turn);
    if (session.last.size() >= joined_turns) session.last.erase(session.last.begin());
  }
  const double gathered = session.evidence > 0 ? 1 / (1 + std::exp(-(session.evidence + logit(neutral)))) : 0;
  session.seen_ms = now;
  const std::lock_guard lock(mutex_);
  if (!sessions_.contains(key)) forget(now);
  sessions_[key] = std::move(session);
  return std::max(last, gathered);
}

}  // namespace heng::guard_flow
